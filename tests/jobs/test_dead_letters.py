"""Jobs that are given up: kept, told of, tried again, dropped."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import NotFound, QueueUnavailable
from imageconverter.jobs import DeadLetter, JobQueue, QueueName, QueueWorker, job_key, lease_key, retry_with_backoff
from imageconverter.jobs.dead_letters import DEAD_LETTER_SECONDS, MAX_DEAD_LETTERS
from imageconverter.resources import Resources

Payload = dict[str, Any]


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue, and nobody dead."""
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
    return resources.queue


@asynccontextmanager
async def running_worker(resources: Resources, **options: Any) -> AsyncIterator[QueueWorker]:
    """Run a worker of the scan queue."""
    given = {"slots": 4, "job_seconds": 30, **options}
    worker = QueueWorker(QueueName.SCAN, given.pop("tasks"), resources.redis, **given)
    running = asyncio.create_task(worker.async_run())
    try:
        yield worker
    finally:
        await worker.drain(5)
        await running


async def failed_at(queue: JobQueue, count: int = 1) -> list[DeadLetter]:
    """Wait until the queue is empty and *count* are dead; return them."""
    async with asyncio.timeout(20):
        while await queue.depth(QueueName.SCAN) or len(await queue.dead.all()) < count:
            await asyncio.sleep(0.01)
    return await queue.dead.all()


async def fails(_context: Mapping[str, Any], _payload: Payload) -> None:
    """Fail by a fault of ours."""
    raise LookupError("what it needs")


async def test_a_job_that_fails_is_kept_with_all_that_is_known(queue: JobQueue, resources: Resources) -> None:
    """What it was to do, why it failed, when, and how often it was tried."""
    given_up: list[Payload] = []

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        given_up.append(payload)

    job_id, began = uuid4().hex, datetime.now(UTC)
    await queue.enqueue(QueueName.SCAN, "fails", job_id, {"source": "a.png"})
    async with running_worker(resources, tasks={"fails": fails}, give_up={"fails": give_up}):
        (dead,) = await failed_at(queue)

    assert (dead.id, dead.queue, dead.task, dead.attempts) == (job_id, "scan", "fails", 1)
    assert "what it needs" in dead.reason
    assert dead.payload == {"source": "a.png"} == given_up[0]
    assert began - timedelta(seconds=2) < dead.failed_at < datetime.now(UTC) + timedelta(seconds=2)
    assert not await resources.redis.exists(job_key(job_id), lease_key(job_id), f"arq:retry:{job_id}")


async def test_a_job_that_takes_too_long_is_given_up(queue: JobQueue, resources: Resources) -> None:
    """It is not just forgotten."""
    given_up = asyncio.Event()

    async def hangs(_context: Mapping[str, Any], _payload: Payload) -> None:
        await asyncio.sleep(60)

    async def give_up(_context: Mapping[str, Any], _payload: Payload) -> None:
        given_up.set()

    await queue.enqueue(QueueName.SCAN, "hangs", uuid4().hex, {})
    async with running_worker(resources, tasks={"hangs": hangs}, give_up={"hangs": give_up}, job_seconds=0.2):
        (dead,) = await failed_at(queue)

    assert "TimeoutError" in dead.reason
    assert given_up.is_set()


async def test_a_job_whose_workers_die_is_given_up_after_six_tries(queue: JobQueue, resources: Resources) -> None:
    """It is not begun a seventh time."""
    job_id, began = uuid4().hex, asyncio.Event()

    async def kills(_context: Mapping[str, Any], _payload: Payload) -> None:
        began.set()

    await queue.enqueue(QueueName.SCAN, "kills", job_id, {"source": "a.png"})
    await resources.redis.set(f"arq:retry:{job_id}", 6, ex=60)  # what six workers have left that ended in it
    async with running_worker(resources, tasks={"kills": kills}):
        (dead,) = await failed_at(queue)

    assert not began.is_set()
    assert (dead.attempts, dead.reason) == (6, "All 6 attempts failed.")


async def test_a_job_that_is_in_trouble_of_its_own_again_and_again_is_given_up(
    queue: JobQueue, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four tries, with pauses in between."""
    monkeypatch.setattr("imageconverter.jobs.retry._DELAYS", (0.01, 0.02, 0.03))
    given_up: list[Payload] = []

    async def troubled(context: Mapping[str, Any], _payload: Payload) -> None:
        raise retry_with_backoff(context["job_try"])

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        given_up.append(payload)

    await queue.enqueue(QueueName.SCAN, "troubled", uuid4().hex, {})
    async with running_worker(resources, tasks={"troubled": troubled}, give_up={"troubled": give_up}):
        (dead,) = await failed_at(queue)

    assert (dead.attempts, dead.reason) == (4, "All 4 attempts failed.")
    assert len(given_up) == 1


async def test_who_has_lost_a_job_does_not_give_it_up(queue: JobQueue, resources: Resources) -> None:
    """Whoever has it now may well end it."""
    given_up: list[Payload] = []
    job_id, failed = uuid4().hex, asyncio.Event()

    async def fails_late(_context: Mapping[str, Any], _payload: Payload) -> None:
        await resources.redis.set(lease_key(job_id), "another worker", px=60_000)
        failed.set()
        raise LookupError

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        given_up.append(payload)

    await queue.enqueue(QueueName.SCAN, "fails", job_id, {})
    async with running_worker(resources, tasks={"fails": fails_late}, give_up={"fails": give_up}) as worker:
        async with asyncio.timeout(10):
            await failed.wait()
            while worker.tasks:
                await asyncio.sleep(0.01)

    assert (given_up, await queue.dead.all(), await queue.depth(QueueName.SCAN)) == ([], [], 1)
    assert await resources.redis.get(lease_key(job_id)) == b"another worker"


async def test_a_worker_that_wakes_up_behind_the_end_of_a_job_leaves_nothing(
    queue: JobQueue, resources: Resources
) -> None:
    """It has stood still since it took the job, and another has done it meanwhile."""
    job_id = uuid4().hex
    async with running_worker(resources, tasks={"fails": fails}) as worker:
        await worker._run(job_id, 0)

    assert await queue.dead.all() == []
    assert [key async for key in resources.redis.scan_iter(match=f"*{job_id}*", count=1000)] == []


async def test_a_job_that_cannot_be_given_up_now_is_given_up_later(queue: JobQueue, resources: Resources) -> None:
    """What is done instead of it is not lost while Redis or the store is away."""
    asked = 0

    async def give_up(_context: Mapping[str, Any], _payload: Payload) -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise QueueUnavailable("Away for a moment.")

    await queue.enqueue(QueueName.SCAN, "fails", uuid4().hex, {})
    async with running_worker(resources, tasks={"fails": fails}, give_up={"fails": give_up}):
        dead = await failed_at(queue)

    assert (asked, len(dead)) == (2, 1)


@pytest.mark.parametrize(
    "body",
    [
        b'{"t":null,"f":[],"a":["id"],"k":{},"et":0}',
        b'{"t":"x","f":"fails","a":[{}],"k":{},"et":0}',
        b'{"t":null,"f":"fails","a":[{}],"k":{},"et":"x"}',
        b'{"t":null,"f":"fails","a":7,"k":{},"et":0}',
        b"[" * 5000,
        b'{"f":"fails","a":["\xff"]}',
    ],
)
async def test_what_trips_arq_is_kept_and_the_worker_goes_on(
    queue: JobQueue, resources: Resources, body: bytes
) -> None:
    """Whoever can write to Redis cannot stop a worker by it."""
    job_id, done = uuid4().hex, asyncio.Event()

    async def works(_context: Mapping[str, Any], _payload: Payload) -> None:
        done.set()

    await resources.redis.set(job_key(job_id), body, px=60_000)
    await resources.redis.zadd(keys.queue(QueueName.SCAN), {job_id: 1})
    async with running_worker(resources, tasks={"works": works, "fails": fails}, slots=1):
        (dead,) = await failed_at(queue)
        await queue.enqueue(QueueName.SCAN, "works", uuid4().hex, {})
        async with asyncio.timeout(10):
            await done.wait()

    assert dead.id == job_id
    assert dead.reason


async def test_a_dead_job_that_is_tried_again_is_run_as_if_it_were_new(queue: JobQueue, resources: Resources) -> None:
    """With the same order, and with all of its tries."""
    job_id, attempts = uuid4().hex, []

    async def mended(context: Mapping[str, Any], payload: Payload) -> None:
        attempts.append((context["job_try"], payload))

    await queue.enqueue(QueueName.SCAN, "task", job_id, {"source": "a.png"})
    async with running_worker(resources, tasks={"task": fails}):
        await failed_at(queue)
    await queue.dead.retry(job_id)
    async with running_worker(resources, tasks={"task": mended}), asyncio.timeout(10):
        while await queue.depth(QueueName.SCAN):
            await asyncio.sleep(0.01)

    assert attempts == [(1, {"source": "a.png"})]
    assert await queue.dead.all() == []


async def test_what_is_not_there_can_be_neither_tried_again_nor_dropped(
    queue: JobQueue, resources: Resources
) -> None:
    """The second of two who ask hears so."""
    ids = [uuid4().hex for _ in range(2)]
    for job_id in ids:
        await queue.enqueue(QueueName.SCAN, "fails", job_id, {})
    async with running_worker(resources, tasks={"fails": fails}):
        await failed_at(queue, 2)
    await queue.dead.retry(ids[0])
    await queue.dead.drop(ids[1])

    for act in (queue.dead.retry, queue.dead.drop):
        for job_id in ids:
            with pytest.raises(NotFound):
                await act(job_id)
    assert await queue.depth(QueueName.SCAN) == 1


async def test_a_job_that_cannot_be_read_can_only_be_dropped(queue: JobQueue, resources: Resources) -> None:
    """Nothing is known that could be tried again; nor of one that is too large to keep."""
    large: Payload = {"f": "fails", "a": ["x" * 100_000], "k": {}, "t": None, "et": 0}
    for job_id, body in (("unreadable", b"null"), ("large", json.dumps(large).encode())):
        await resources.redis.set(job_key(job_id), body, px=60_000)
        await resources.redis.zadd(keys.queue(QueueName.SCAN), {job_id: 1})
    async with running_worker(resources, tasks={"fails": fails}):
        dead = await failed_at(queue, 2)

    assert [each.payload for each in dead] == [None, None]
    for each in dead:
        with pytest.raises(NotFound, match="only be dropped"):
            await queue.dead.retry(each.id)
        await queue.dead.drop(each.id)
    assert await queue.dead.all() == []


async def test_only_the_newest_are_kept_and_none_for_ever(queue: JobQueue, resources: Resources) -> None:
    """A thousand, and thirty days."""
    redis: Any = resources.redis
    text = json.dumps({"lane": "scan", "task": "fails", "reason": "why", "tries": 1, "body": ""})
    now = int(datetime.now(UTC).timestamp())
    old = {f"old {n}": now - DEAD_LETTER_SECONDS - 5 for n in range(3)}
    young = {f"young {n}": now - 100 + n / 100 for n in range(MAX_DEAD_LETTERS + 5)}
    await redis.zadd(keys.DEAD_LETTER_TIMES, {**old, **young})
    await redis.hset(keys.DEAD_LETTERS, mapping=dict.fromkeys({**old, **young}, text))
    await queue.enqueue(QueueName.SCAN, "fails", "newest", {})
    async with running_worker(resources, tasks={"fails": fails}):
        dead = await failed_at(queue)

    assert len(dead) == await redis.hlen(keys.DEAD_LETTERS) == MAX_DEAD_LETTERS
    assert dead[0].id == "newest"
    assert not {each.id for each in dead} & {*old, "young 0"}
    for key in (keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS):
        assert 0 < await redis.ttl(key) <= DEAD_LETTER_SECONDS
    await redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
