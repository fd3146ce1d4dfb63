"""Orders to the reporter: as jobs, once, with an answer."""

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
from imageconverter.reports.commands import CleanupCommand, RestoreCommand, new_id, refusal_response, run_command
from imageconverter.resources import Resources


@pytest.fixture(autouse=True)
async def no_jobs(resources: Resources) -> None:
    """No reporter is asked for anything."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))


async def list_pending(resources: Resources) -> list[str]:
    """Return the ids of jobs that wait for a reporter."""
    return [each.decode() for each in await resources.redis.zrange(keys.queue(QueueName.SCAN), 0, -1)]


async def test_asking_for_a_scan_twice_joins_the_first(resources: Resources) -> None:
    """There is one job, whoever asks."""
    await asyncio.gather(*(commands.scan(resources.queue) for _ in range(5)))

    assert await list_pending(resources) == [commands.SCAN]


async def test_an_order_is_answered(resources: Resources) -> None:
    """The reporter is told all of it; what it answers comes back."""
    command = CleanupCommand(id=new_id(), kind="product", dry=True, share=0.2)
    asking = asyncio.create_task(run_command(resources.queue, commands.CLEAN, command, seconds=20))
    await resources.queue.reply(command.id, {"files": 3})

    assert await asking == {"files": 3}
    assert await list_pending(resources) == [command.id]
    body = await resources.redis.get(job_key(command.id))
    assert body is not None
    job = json.loads(body)
    assert job["f"] == commands.CLEAN
    assert CleanupCommand.model_validate(job["a"][0]) == command


async def test_an_order_that_takes_long_is_none_but_stays(resources: Resources) -> None:
    """It is done all the same."""
    command = RestoreCommand(id=new_id(), trash="one")

    assert await run_command(resources.queue, commands.RESTORE, command, seconds=0.05) is None
    assert await list_pending(resources) == [command.id]


@pytest.mark.parametrize(
    ("raised", "arrives"),
    [
        (CleanupRefused("Too many.", field="share"), CleanupRefused),
        (NotFound("There is no such trash."), NotFound),
        (InvalidValue("The cursor is none.", field="cursor"), InvalidValue),
        (BrokenLine(7, "id", "is missing."), InvalidValue),
        (SourceRefused("The address is private."), InvalidValue),
    ],
)
async def test_a_refusal_is_raised_where_it_is_waited_for(
    resources: Resources, raised: UserError, arrives: type[UserError]
) -> None:
    """With its status, reason and field."""
    command = RestoreCommand(id=new_id(), trash="one")
    await resources.queue.reply(command.id, refusal_response(raised))
    with pytest.raises(arrives) as caught:
        await run_command(resources.queue, commands.RESTORE, command, seconds=20)

    assert (caught.value.reason, caught.value.field) == (raised.reason, raised.field)
    assert caught.value.status == arrives.status


def test_ids_sort_by_time_and_are_not_used_twice() -> None:
    """A thousand of a second are all different."""
    ids = [new_id() for _ in range(1000)]

    assert len(set(ids)) == 1000
    assert [each[:15] for each in ids] == sorted(each[:15] for each in ids)


def test_queue_trouble_is_no_refusal() -> None:
    """It passes, so nobody is told that the request was at fault."""
    assert not issubclass(QueueUnavailable, UserError)
