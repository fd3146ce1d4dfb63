"""The kinds of entries of the catalog: tested here, covered by other tests, or not applicable."""

from collections.abc import Iterable, Sequence
from enum import Enum
from typing import Generic, NamedTuple, TypeVar

Attack_co = TypeVar("Attack_co", covariant=True)
Expected_co = TypeVar("Expected_co", covariant=True)


class Case(NamedTuple, Generic[Attack_co, Expected_co]):
    """An attack in a table. Cases with the same number are variants."""

    number: int
    what: str
    attack: Attack_co
    expected: Expected_co


class Covered(NamedTuple):
    """An entry that other tests cover, by their pytest ids."""

    number: int
    what: str
    tests: Sequence[str]


class NotApplicable(NamedTuple):
    """An entry about a feature that this project does not have."""

    number: int
    what: str
    reason: str


class Outcome(Enum):
    """The allowed result of a file; every rejection must have a reason."""

    REJECTED = "rejected"
    CONVERTED = "converted"
    EITHER = "converted or rejected"
    """Converted or rejected; it must not take the time or memory that it claims to need."""


def names(cases: Iterable[Case[object, object]]) -> list[str]:
    """Return the pytest id of each case."""
    return [f"{case.number} {case.what}" for case in cases]
