"""The commands that the gateway sends to the reporter: their tasks, payloads and replies."""

import secrets
from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any, Final, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from imageconverter.catalog import Notation
from imageconverter.catalog.pending_imports import PendingImport, list_pending
from imageconverter.errors import BrokenLine, CleanupRefused, ConversionFailed, InvalidValue, NotFound, UserError
from imageconverter.images.image_formats import ImageType
from imageconverter.jobs import JobQueue, QueueName
from imageconverter.storage.store import ObjectStore

SCAN: Final = "scan"
"""Also the id of the only job: requesting a scan while one waits or runs changes nothing."""
IMPORT: Final = "import_catalogue"
CLEAN: Final = "clean_up"
RESTORE: Final = "restore"
REPAIR: Final = "repair"
COMPARE_RUNS: Final = "compare_runs"

# By the names that replies carry.
_REFUSALS: Final[dict[str, type[UserError]]] = {
    "InvalidValue": InvalidValue,
    "NotFound": NotFound,
    "CleanUpRefused": CleanupRefused,
}


class Command(BaseModel):
    """A command; its id is also the id of its job."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    id: str


class ScanCommand(Command):
    """Make reports of all types."""

    accept_shrinkage: tuple[ImageType, ...] = Field(
        validation_alias=AliasChoices("accept_shrinkage", "shrunken"), serialization_alias="shrunken"
    )
    """Types whose catalog may have lost more than half of its entries."""


class ImportCommand(Command):
    """Import an uploaded catalog of a type."""

    kind: ImageType
    notation: Notation
    pending_id: str = Field(validation_alias=AliasChoices("pending_id", "arrival"), serialization_alias="arrival")

    @classmethod
    def of(cls, pending: PendingImport) -> Self:
        """Return the command for *pending*, which is always the same."""
        return cls(id=pending.id, kind=pending.kind, notation=pending.notation, pending_id=pending.id)


class CleanupCommand(Command):
    """Move unused files of a type to the trash; the id becomes that of the trash."""

    kind: ImageType
    dry: bool
    share: float
    """Share of all files that the clean-up may move."""


class RestoreCommand(Command):
    """Restore the files of a trash batch."""

    trash: str


class RepairCommand(Command):
    """Convert the sources of missing images again."""

    kind: ImageType


class CompareRunsCommand(Command):
    """Compare a run with a run before."""

    run: str
    base: str


async def requeue_imports(store: ObjectStore, queue: JobQueue) -> int:
    """Enqueue the import of every pending catalog, in case Redis has lost the jobs; returns their number.

    Imports that are in the queue already are not enqueued twice.
    """
    found = await list_pending(store)
    for each in found:
        command = ImportCommand.of(each)
        await queue.enqueue(QueueName.SCAN, IMPORT, command.id, command.model_dump())
    return len(found)


def new_id() -> str:
    """Return a unique id; it begins with the time, so that ids sort by time."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"


async def scan(queue: JobQueue, *, accept_shrinkage: Collection[ImageType] = ()) -> None:
    """Enqueue a scan, or join the one that is waiting or running, whatever its arguments are."""
    command = ScanCommand(id=SCAN, accept_shrinkage=tuple(accept_shrinkage))
    await queue.enqueue(QueueName.SCAN, SCAN, command.id, command.model_dump())


async def run_command(
    queue: JobQueue, task: str, command: Command, *, seconds: float, limit: int = 0
) -> dict[str, Any] | None:
    """Enqueue *command* and return its reply, None if there is none within *seconds*; it is carried out all the same.

    Raises QueueFull if *limit* (0: none) commands wait, QueueUnavailable, and the UserError of the reporter.
    """
    await queue.enqueue(QueueName.SCAN, task, command.id, command.model_dump(), limit=limit)
    try:
        reply = await queue.wait(command.id, seconds=seconds)
    except ConversionFailed:
        return None
    if reply.get("lines"):
        first, *others = (BrokenLine(*each) for each in reply["lines"])
        raise first.followed_by(others)
    if "refusal" in reply:
        raise _REFUSALS.get(reply["refusal"], InvalidValue)(reply["reason"], field=reply["field"])
    return reply


def refusal_reply(error: UserError) -> dict[str, Any]:
    """Return the reply that makes `run_command` raise *error*."""
    name = next((name for name, each in _REFUSALS.items() if isinstance(error, each)), "InvalidValue")
    reply: dict[str, Any] = {"refusal": name, "reason": error.reason, "field": error.field}
    if isinstance(error, BrokenLine):
        reply["lines"] = [[each.line, each.place, each.problem] for each in (error, *error.others)]
    return reply
