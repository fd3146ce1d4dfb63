"""What a numbered entry of the catalog is: tried here, proven by tests elsewhere, or none of our business."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

Attack_co = TypeVar("Attack_co", covariant=True)
Expected_co = TypeVar("Expected_co", covariant=True)


class Case(NamedTuple, Generic[Attack_co, Expected_co]):
    """An attack that a table's test carries out. Several of one number are variants."""

    number: int
    what: str
    attack: Attack_co
    expected: Expected_co


class Proven(NamedTuple):
    """An entry that other tests cover, by their pytest ids."""

    number: int
    what: str
    tests: Sequence[str]


class NotOurs(NamedTuple):
    """An entry about something that this project does not have."""

    number: int
    what: str
    reason: str


class Outcome(Enum):
    """What may become of a file; a sentence that says why belongs to every refusal."""

    REFUSED = "refused"
    CONVERTED = "converted"
    ANSWERED = "converted or refused"
    """Converted or rejected; it must not take the time or memory that it claims to need."""


def names(cases: Iterable[Case[object, object]]) -> list[str]:
    """Return an id for each case, by which pytest shows and selects it."""
    return [f"{case.number} {case.what}" for case in cases]
