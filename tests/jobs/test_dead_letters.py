"""Dead letters: written, listed, requeued, dropped."""

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
from imageconverter.jobs import (
    DeadLetter,
    JobQueue,
    QueueName,
    QueueWorker,
    job_body,
    job_key,
    lease_key,
    retry_with_backoff,
)
from imageconverter.jobs.dead_letters import DEAD_LETTER_SECONDS, MAX_DEAD_LETTERS
from imageconverter.jobs.leases import ClaimedJob
from imageconverter.resources import Resources

Payload = dict[str, Any]


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue, and no dead letters."""
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
    """Raise an internal error."""
    raise LookupError("what it needs")


async def test_failed_job_becomes_a_dead_letter(queue: JobQueue, resources: Resources) -> None:
    """With its payload, reason, time and number of attempts."""
    fallback_ran: list[Payload] = []

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        fallback_ran.append(payload)

    job_id, began = uuid4().hex, datetime.now(UTC)
    await queue.enqueue(QueueName.SCAN, "fails", job_id, {"source": "a.png"})
    async with running_worker(resources, tasks={"fails": fails}, give_up={"fails": give_up}):
        (dead,) = await failed_at(queue)

    assert (dead.id, dead.queue, dead.task, dead.attempts) == (job_id, "scan", "fails", 1)
    assert "what it needs" in dead.reason
    assert dead.payload == {"source": "a.png"} == fallback_ran[0]
    assert began - timedelta(seconds=2) < dead.failed_at < datetime.now(UTC) + timedelta(seconds=2)
    assert not await resources.redis.exists(job_key(job_id), lease_key(job_id), f"arq:retry:{job_id}")


async def test_job_that_times_out_becomes_a_dead_letter(queue: JobQueue, resources: Resources) -> None:
    """It is not lost."""
    fallback_ran = asyncio.Event()

    async def hangs(_context: Mapping[str, Any], _payload: Payload) -> None:
        await asyncio.sleep(60)

    async def give_up(_context: Mapping[str, Any], _payload: Payload) -> None:
        fallback_ran.set()

    await queue.enqueue(QueueName.SCAN, "hangs", uuid4().hex, {})
    async with running_worker(resources, tasks={"hangs": hangs}, give_up={"hangs": give_up}, job_seconds=0.2):
        (dead,) = await failed_at(queue)

    assert "TimeoutError" in dead.reason
    assert fallback_ran.is_set()


async def test_job_whose_workers_die_fails_after_six_attempts(queue: JobQueue, resources: Resources) -> None:
    """It does not start a seventh time."""
    job_id, began = uuid4().hex, asyncio.Event()

    async def kills(_context: Mapping[str, Any], _payload: Payload) -> None:
        began.set()

    await queue.enqueue(QueueName.SCAN, "kills", job_id, {"source": "a.png"})
    await resources.redis.set(f"arq:retry:{job_id}", 6, ex=60)  # what six workers have left that ended in it
    async with running_worker(resources, tasks={"kills": kills}):
        (dead,) = await failed_at(queue)

    assert not began.is_set()
    assert (dead.attempts, dead.reason) == (6, "All 6 attempts failed.")


async def test_job_that_is_always_unavailable_fails_after_its_retries(
    queue: JobQueue, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After four attempts, with delays in between."""
    monkeypatch.setattr("imageconverter.jobs.retry._DELAYS", (0.01, 0.02, 0.03))
    fallback_ran: list[Payload] = []

    async def blocked(context: Mapping[str, Any], _payload: Payload) -> None:
        raise retry_with_backoff(context["job_try"])

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        fallback_ran.append(payload)

    await queue.enqueue(QueueName.SCAN, "blocked", uuid4().hex, {})
    async with running_worker(resources, tasks={"blocked": blocked}, give_up={"blocked": give_up}):
        (dead,) = await failed_at(queue)

    assert (dead.attempts, dead.reason) == (4, "All 4 attempts failed.")
    assert len(fallback_ran) == 1


async def test_worker_without_the_lease_writes_no_dead_letter(queue: JobQueue, resources: Resources) -> None:
    """The worker with the lease may finish it."""
    fallback_ran: list[Payload] = []
    job_id, failed = uuid4().hex, asyncio.Event()

    async def fails_late(_context: Mapping[str, Any], _payload: Payload) -> None:
        await resources.redis.set(lease_key(job_id), "another worker", px=60_000)
        failed.set()
        raise LookupError

    async def give_up(_context: Mapping[str, Any], payload: Payload) -> None:
        fallback_ran.append(payload)

    await queue.enqueue(QueueName.SCAN, "fails", job_id, {})
    async with running_worker(resources, tasks={"fails": fails_late}, give_up={"fails": give_up}) as worker:
        async with asyncio.timeout(10):
            await failed.wait()
            while worker.tasks:
                await asyncio.sleep(0.01)

    assert (fallback_ran, await queue.dead.all(), await queue.depth(QueueName.SCAN)) == ([], [], 1)
    assert await resources.redis.get(lease_key(job_id)) == b"another worker"


async def test_worker_resumed_after_the_end_of_a_job_leaves_no_keys(queue: JobQueue, resources: Resources) -> None:
    """It was paused since it claimed the job, and another worker has finished it."""
    job_id = uuid4().hex
    async with running_worker(resources, tasks={"fails": fails}) as worker:
        await worker._run(ClaimedJob(job_id, 0, job_body("fails", {}), 1))

    assert await queue.dead.all() == []
    assert [key async for key in resources.redis.scan_iter(match=f"*{job_id}*", count=1000)] == []


async def test_dead_letter_waits_for_its_fallback(queue: JobQueue, resources: Resources) -> None:
    """The fallback is not lost while Redis or the store is unavailable."""
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
async def test_malformed_job_becomes_a_dead_letter_and_the_worker_continues(
    queue: JobQueue, resources: Resources, body: bytes
) -> None:
    """A write to Redis cannot stop a worker."""
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


async def test_requeued_dead_letter_runs_with_all_attempts(queue: JobQueue, resources: Resources) -> None:
    """With the same payload."""
    job_id, attempts = uuid4().hex, []

    async def fixed(context: Mapping[str, Any], payload: Payload) -> None:
        attempts.append((context["job_try"], payload))

    await queue.enqueue(QueueName.SCAN, "task", job_id, {"source": "a.png"})
    async with running_worker(resources, tasks={"task": fails}):
        await failed_at(queue)
    await queue.dead.retry(job_id)
    async with running_worker(resources, tasks={"task": fixed}), asyncio.timeout(10):
        while await queue.depth(QueueName.SCAN):
            await asyncio.sleep(0.01)

    assert attempts == [(1, {"source": "a.png"})]
    assert await queue.dead.all() == []


async def test_unknown_dead_letter_is_not_found(queue: JobQueue, resources: Resources) -> None:
    """The second of two requests fails."""
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


async def test_unreadable_job_can_only_be_dropped(queue: JobQueue, resources: Resources) -> None:
    """It has no payload to requeue; nor has one that is too large to keep."""
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


async def test_step_of_the_clock_of_redis_keeps_dead_letters(queue: JobQueue, resources: Resources) -> None:
    """It is 40 days later when the next one comes."""
    redis: Any = resources.redis
    async with running_worker(resources, tasks={"fails": fails}):
        await queue.enqueue(QueueName.SCAN, "fails", "first", {})
        await failed_at(queue)
        for key in (keys.DEAD_LETTER_TIMES, keys.CLOCK):
            assert await redis.ttl(key) == -1
        days = 40 * 24 * 3600
        await redis.zincrby(keys.DEAD_LETTER_TIMES, -days, "first")  # as the clock shows from now on
        await redis.hincrby(keys.CLOCK, "seen", -days * 1000)
        await redis.hincrby(keys.CLOCK, "steady", -days * 1000)
        await queue.enqueue(QueueName.SCAN, "fails", "second", {})
        dead = await failed_at(queue, 2)
    await redis.delete(keys.CLOCK)

    assert [each.id for each in dead] == ["second", "first"]


async def test_dead_letters_are_bounded_by_number_and_age(queue: JobQueue, resources: Resources) -> None:
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
        assert await redis.ttl(key) == -1
    await redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
