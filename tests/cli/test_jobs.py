"""`imageconverter jobs dead`, run as a user does."""

from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.jobs import QueueName, job_body
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.resources import Resources
from tests.testing.commands import address, run
from tests.testing.runs import Client


@pytest.fixture
async def dead(resources: Resources) -> list[str]:
    """Ids of three dead jobs, newest first; the last one cannot be decoded."""
    redis = resources.redis
    await redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS, keys.queue(QueueName.SCAN))
    ids = [f"{uuid4().hex}:{number}" for number in range(3)]
    for age, job_id in enumerate(ids):
        order = read_job_body(job_body("task", [job_id, f"\x1b[2J{age}.png"]) if age else b"")
        text = dead_letter_record(QueueName.SCAN, order, "It was tried 4 times.", attempts=4)
        await redis.zadd(keys.DEAD_LETTER_TIMES, {job_id: 1_000_000 - age})
        await redis.hset(keys.DEAD_LETTERS, job_id, text)  # type: ignore[misc]
    return ids


async def test_dead_jobs_are_listed(gateway: Client, dead: list[str]) -> None:
    """Id, task, time, attempts, reason and arguments, without control characters."""
    done = await run("jobs", "dead", "list", "--server", address(gateway))

    assert done.status == 0, done
    assert [line.split()[0] for line in done.out.splitlines()[::3]] == dead
    assert "task  1970-01-12" in done.out
    assert "tried 4 times" in done.out
    assert "1.png" in done.out
    assert "\x1b" not in done.out


async def test_an_empty_list_is_a_line(gateway: Client, resources: Resources) -> None:
    """The exit status is 0."""
    await resources.redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
    done = await run("jobs", "dead", "list", "--server", address(gateway))

    assert done == (0, "no dead letters\n", "")


async def test_jobs_are_retried_and_dropped_by_their_ids(
    gateway: Client, resources: Resources, dead: list[str]
) -> None:
    """An id that does not exist is an error and does not affect the others."""
    retried = await run("jobs", "dead", "retry", dead[1], "--server", address(gateway))
    dropped = await run("jobs", "dead", "drop", dead[1], dead[2], "--server", address(gateway))

    assert retried == (0, f"{dead[1]} retried\n1 dead letter retried\n", "")
    assert dropped.status == 1
    assert dead[1] in dropped.err
    assert dropped.out == f"{dead[2]} dropped\n1 dead letter dropped\n"
    assert await resources.redis.zrange(keys.queue(QueueName.SCAN), 0, -1) == [dead[1].encode()]
    assert [each.id for each in await resources.queue.dead.all()] == [dead[0]]


async def test_all_jobs_are_selected_with_the_option_all(
    gateway: Client, resources: Resources, dead: list[str]
) -> None:
    """Without ids and without --all no job is changed."""
    unclear = await run("jobs", "dead", "drop", "--server", address(gateway))
    assert unclear.status == 2
    assert len(await resources.queue.dead.all()) == len(dead)

    retried = await run("jobs", "dead", "retry", "--all", "--server", address(gateway))
    assert retried.status == 1  # one of them cannot be
    assert await resources.queue.depth(QueueName.SCAN) == 2

    dropped = await run("jobs", "dead", "drop", "--all", "--server", address(gateway))
    assert dropped.status == 0, dropped
    assert await resources.queue.dead.all() == []
