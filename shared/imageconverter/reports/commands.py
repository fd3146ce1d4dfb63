"""What the gateway has the reporter do: the names of its tasks, what each is told, and what it answers."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict

from imageconverter.catalog import Notation
from imageconverter.catalog.pending_imports import PendingImport, list_pending
from imageconverter.errors import CleanupRefused, ConversionFailed, InvalidValue, NotFound, UserError
from imageconverter.images.formats import ImageType
from imageconverter.jobs import JobQueue, QueueName
from imageconverter.storage.store import ObjectStore

SCAN: Final = "scan"
"""Also the id of the one job: asking for it again while it waits or runs changes nothing."""
IMPORT: Final = "import_catalogue"
CLEAN: Final = "clean_up"
RESTORE: Final = "restore"
REPAIR: Final = "repair"

# By the names that replies carry.
_REFUSALS: Final[dict[str, type[UserError]]] = {
    "InvalidValue": InvalidValue,
    "NotFound": NotFound,
    "CleanUpRefused": CleanupRefused,
}


class Command(BaseModel):
    """What every order has: an id of its own, also that of its job."""

    model_config = ConfigDict(frozen=True)

    id: str


class ScanCommand(Command):
    """Make reports of all types."""

    shrunken: tuple[ImageType, ...]
    """Types whose catalog is to be believed although it has lost more than half."""


class ImportCommand(Command):
    """Take over the catalog of a type that was received."""

    kind: ImageType
    notation: Notation
    arrival: str

    @classmethod
    def of(cls, pending: PendingImport) -> Self:
        """Return the order for an *pending*, always the same one."""
        return cls(id=pending.id, kind=pending.kind, notation=pending.notation, arrival=pending.id)


class CleanupCommand(Command):
    """Move unused files of a type to the trash; the id becomes that of the trash."""

    kind: ImageType
    dry: bool
    share: float
    """Of all files that may be taken away at once."""


class RestoreCommand(Command):
    """Put back what a clean-up has taken away."""

    trash: str


class RepairCommand(Command):
    """Convert the sources of missing images again."""

    kind: ImageType


async def requeue_imports(store: ObjectStore, queue: JobQueue) -> int:
    """Order all catalogs to be taken over that were received whole, should Redis have lost that; returns how many.

    What is ordered already is not ordered again.
    """
    found = await list_pending(store)
    for each in found:
        command = ImportCommand.of(each)
        await queue.enqueue(QueueName.SCAN, IMPORT, command.id, command.model_dump())
    return len(found)


def new_id() -> str:
    """Return an id that nobody else has; it begins with the time, so that ids sort by it."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


async def scan(queue: JobQueue, *, shrunken: Collection[ImageType] = ()) -> None:
    """Ask for a scan, or join the one that runs, as it was asked for."""
    await queue.enqueue(QueueName.SCAN, SCAN, SCAN, ScanCommand(id=SCAN, shrunken=tuple(shrunken)).model_dump())


async def run_command(queue: JobQueue, task: str, command: Command, *, seconds: float) -> dict[str, Any] | None:
    """Have an *command* carried out; returns what came of it, None where it is not done after *seconds*.

    It is done all the same then. Raises QueueUnavailable, and the UserError that the reporter has raised.
    """
    await queue.enqueue(QueueName.SCAN, task, command.id, command.model_dump())
    try:
        answer = await queue.wait(command.id, seconds=seconds)
    except ConversionFailed:
        return None
    if "refusal" in answer:
        raise _REFUSALS.get(answer["refusal"], InvalidValue)(answer["reason"], field=answer["field"])
    return answer


def refusal_response(error: UserError) -> dict[str, Any]:
    """Return the answer that raises *error* again where it is waited for."""
    name = next((name for name, each in _REFUSALS.items() if isinstance(error, each)), "InvalidValue")
    return {"refusal": name, "reason": error.reason, "field": error.field}
