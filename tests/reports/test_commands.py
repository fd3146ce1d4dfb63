"""Commands to the reporter: enqueued once, with a reply."""

import asyncio
import json

import pytest

from imageconverter import keys
from imageconverter.errors import (
    BrokenLine,
    CleanupRefused,
    InvalidValue,
    NotFound,
    QueueUnavailable,
    SourceRefused,
    UserError,
)
from imageconverter.jobs import QueueName, job_key
from imageconverter.reports import commands
from imageconverter.reports.commands import (
    CleanupCommand,
    ImportCommand,
    RestoreCommand,
    ScanCommand,
    new_id,
    refusal_reply,
    run_command,
)
from imageconverter.resources import Resources


@pytest.fixture(autouse=True)
async def no_jobs(resources: Resources) -> None:
    """Empty the queue of the reporter."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))


async def waiting_jobs(resources: Resources) -> list[str]:
    """Return the ids of the jobs in the queue."""
    return [each.decode() for each in await resources.redis.zrange(keys.queue(QueueName.SCAN), 0, -1)]


async def test_repeated_scan_requests_share_one_job(resources: Resources) -> None:
    """All join the first one."""
    await asyncio.gather(*(commands.scan(resources.queue) for _ in range(5)))

    assert await waiting_jobs(resources) == [commands.SCAN]


async def test_a_command_returns_the_reply(resources: Resources) -> None:
    """The job carries the whole command."""
    command = CleanupCommand(id=new_id(), kind="product", dry=True, share=0.2)
    asking = asyncio.create_task(run_command(resources.queue, commands.CLEAN, command, seconds=20))
    await resources.queue.reply(command.id, {"files": 3})

    assert await asking == {"files": 3}
    assert await waiting_jobs(resources) == [command.id]
    body = await resources.redis.get(job_key(command.id))
    assert body is not None
    job = json.loads(body)
    assert job["f"] == commands.CLEAN
    assert CleanupCommand.model_validate(job["a"][0]) == command


async def test_a_command_that_takes_long_stays_in_the_queue(resources: Resources) -> None:
    """The caller gets None."""
    command = RestoreCommand(id=new_id(), trash="one")

    assert await run_command(resources.queue, commands.RESTORE, command, seconds=0.05) is None
    assert await waiting_jobs(resources) == [command.id]


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (CleanupRefused("Too many.", field="share"), CleanupRefused),
        (NotFound("There is no such trash batch."), NotFound),
        (InvalidValue("The cursor is none.", field="cursor"), InvalidValue),
        (BrokenLine(7, "id", "is missing."), InvalidValue),
        (SourceRefused("The address is private."), InvalidValue),
    ],
)
async def test_a_refusal_is_raised_to_the_caller(
    resources: Resources, raised: UserError, expected: type[UserError]
) -> None:
    """With its status, reason and field."""
    command = RestoreCommand(id=new_id(), trash="one")
    await resources.queue.reply(command.id, refusal_reply(raised))
    with pytest.raises(expected) as caught:
        await run_command(resources.queue, commands.RESTORE, command, seconds=20)

    assert (caught.value.reason, caught.value.field) == (raised.reason, raised.field)
    assert caught.value.status == expected.status


async def test_a_refusal_has_all_invalid_lines(resources: Resources) -> None:
    """Of a catalog; with their places."""
    command = RestoreCommand(id=new_id(), trash="one")
    raised = BrokenLine(7, "id", "is missing.").followed_by([BrokenLine(9, "", "is not a JSON object.")])
    await resources.queue.reply(command.id, refusal_reply(raised))
    with pytest.raises(BrokenLine) as caught:
        await run_command(resources.queue, commands.RESTORE, command, seconds=20)

    assert (caught.value.line, caught.value.reason) == (7, "Line 7, id: is missing.")
    assert [(each.line, each.problem) for each in caught.value.others] == [(9, "is not a JSON object.")]


def test_commands_keep_their_stored_field_names() -> None:
    """Jobs in the queue are read by reporters of the previous and the next release."""
    scan = ScanCommand(id="scan", accept_shrinkage=("product",))
    import_ = ImportCommand(id="1", kind="product", notation="csv", pending_id="1")

    assert scan.model_dump() == {"id": "scan", "shrunken": ("product",)}
    assert import_.model_dump() == {"id": "1", "kind": "product", "notation": "csv", "arrival": "1"}
    assert ScanCommand.model_validate(scan.model_dump()) == scan
    assert ImportCommand.model_validate(import_.model_dump()) == import_


def test_ids_are_unique_and_sort_by_time() -> None:
    """A thousand ids of the same second differ."""
    ids = [new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [each[:15] for each in ids] == sorted(each[:15] for each in ids)


def test_an_unavailable_queue_is_no_refusal() -> None:
    """It is temporary and not the fault of the request."""
    assert not issubclass(QueueUnavailable, UserError)
