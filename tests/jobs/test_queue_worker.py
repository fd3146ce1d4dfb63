"""Taking jobs under leases, on a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import JobContext, JobQueue, QueueName, QueueWorker, Task, requeue, retry_with_backoff
from imageconverter.jobs.leases import LEASE_SECONDS
from imageconverter.resources import Resources


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue; the tests' own workers take from it."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    return resources.queue


@pytest.fixture
def quick_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker that stops wait for its listener for 20 ms instead of half a second."""
    monkeypatch.setattr("imageconverter.jobs.wake_listener._LISTEN_SECONDS", 0.02)


@asynccontextmanager
async def running_worker(
    resources: Resources, task: Task, *, slots: int = 4, job_seconds: float = 30
) -> AsyncIterator[QueueWorker]:
    """Run a worker of the scan queue with one task."""
    tasks: Mapping[str, Any] = {"task": task}
    worker = QueueWorker(QueueName.SCAN, tasks, resources.redis, slots=slots, job_seconds=job_seconds)
    running = asyncio.create_task(worker.async_run())
    try:
        yield worker
    finally:
        await worker.drain(5)
        await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], Awaitable[bool]] | Callable[[], bool], *, seconds: float = 10) -> None:
    """Wait for *condition*."""
    async with asyncio.timeout(seconds):
        while True:
            met = condition()
            if met if isinstance(met, bool) else await met:
                return
            await asyncio.sleep(0.01)


async def is_empty(queue: JobQueue) -> bool:
    """Whether no job waits or runs."""
    return await queue.depth(QueueName.SCAN) == 0


async def test_each_job_runs_once_with_many_workers(queue: JobQueue, resources: Resources) -> None:
    """Four workers, two hundred jobs, no job twice, no keys left in Redis."""
    ran: list[int] = []

    async def task(_context: JobContext, payload: dict[str, Any]) -> None:
        await asyncio.sleep(0.001)
        ran.append(payload["number"])

    ids = [uuid4().hex for _ in range(200)]
    for number, job_id in enumerate(ids):
        await queue.enqueue(QueueName.SCAN, "task", job_id, {"number": number})
    async with (
        running_worker(resources, task),
        running_worker(resources, task),
        running_worker(resources, task),
        running_worker(resources, task),
    ):
        await until(lambda: is_empty(queue))

    assert sorted(ran) == list(range(200))
    left = [name async for name in resources.redis.scan_iter(match="arq:*") if name.decode()[-32:] in ids]
    assert left == []


@pytest.mark.slow
async def test_job_of_a_dead_worker_is_claimed_after_its_lease(queue: JobQueue, resources: Resources) -> None:
    """A kill -9 leaves a lease that is not renewed."""
    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    await resources.redis.set(f"arq:in-progress:{job_id}", "the token of the dead", px=int(LEASE_SECONDS * 1000))
    began = time.monotonic()

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        pass

    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert LEASE_SECONDS * 0.8 < time.monotonic() - began < LEASE_SECONDS + 2


@pytest.mark.slow
async def test_long_job_keeps_its_lease(queue: JobQueue, resources: Resources) -> None:
    """Two workers, a job of three leases' length: it runs once."""
    ran: list[str] = []

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        ran.append("once")
        await asyncio.sleep(LEASE_SECONDS * 2.5)

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, task), running_worker(resources, task):
        await until(lambda: is_empty(queue), seconds=15)

    assert ran == ["once"]


async def test_worker_that_lost_the_lease_does_not_finish_the_job(queue: JobQueue, resources: Resources) -> None:
    """The job belongs to the worker with the lease."""
    job_id, cancelled = uuid4().hex, asyncio.Event()

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    async with running_worker(resources, task) as worker:
        await until(lambda: bool(worker.tasks))
        await resources.redis.set(f"arq:in-progress:{job_id}", "another worker", px=60_000)
        async with asyncio.timeout(LEASE_SECONDS):
            await cancelled.wait()
        await until(lambda: not worker.tasks)

        assert await queue.depth(QueueName.SCAN) == 1
        assert await resources.redis.get(f"arq:in-progress:{job_id}") == b"another worker"


async def test_task_that_asks_for_a_retry_runs_again_after_a_delay(queue: JobQueue, resources: Resources) -> None:
    """A temporary failure delays the job, and does not fail it."""
    times: list[float] = []

    async def task(context: JobContext, _payload: dict[str, Any]) -> None:
        times.append(time.monotonic())
        if context["job_try"] == 1:
            raise retry_with_backoff(context["job_try"])

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert len(times) == 2
    assert times[1] - times[0] > 0.9


async def test_stopping_worker_finishes_its_jobs_and_claims_no_more(queue: JobQueue, resources: Resources) -> None:
    """A deployment loses no job and counts no attempt."""
    ran: list[str] = []

    async def task(_context: JobContext, payload: dict[str, Any]) -> None:
        await asyncio.sleep(0.3)
        ran.append(payload["name"])

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"name": "first"})
    async with running_worker(resources, task, slots=1) as worker:
        await until(lambda: bool(worker.tasks))
        await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"name": "second"})

    assert ran == ["first"]
    assert await queue.depth(QueueName.SCAN) == 1


async def test_requeued_job_counts_no_attempt(queue: JobQueue, resources: Resources) -> None:
    """An outage may last for any time."""
    attempts: list[int] = []

    async def task(context: JobContext, _payload: dict[str, Any]) -> None:
        attempts.append(context["job_try"])
        if len(attempts) < 12:
            raise requeue()

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert attempts == [1] * 12


@pytest.mark.usefixtures("quick_stop")
async def test_restarts_of_workers_count_no_attempt(queue: JobQueue, resources: Resources) -> None:
    """A worker that stops before its job is done requeues it unchanged."""
    attempts: list[int] = []

    async def task(context: JobContext, _payload: dict[str, Any]) -> None:
        attempts.append(context["job_try"])
        if len(attempts) < 8:
            await asyncio.sleep(30)

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    for number in range(1, 9):
        worker = QueueWorker(QueueName.SCAN, {"task": task}, resources.redis, slots=1, job_seconds=60)
        running = asyncio.create_task(worker.async_run())
        await until(lambda number=number: len(attempts) == number)
        await worker.drain(0.01 if number < 8 else 5)
        await running

    assert attempts == [1] * 8
    assert await queue.depth(QueueName.SCAN) == 0


@pytest.mark.usefixtures("quick_stop")
async def test_job_that_is_claimed_while_the_worker_stops_is_not_lost(queue: JobQueue, resources: Resources) -> None:
    """At any moment of a claim; the worker finishes the jobs that it has claimed."""
    for attempt in range(20):
        ran: list[str] = []

        async def task(_context: JobContext, _payload: dict[str, Any], ran: list[str] = ran) -> None:
            ran.append("once")

        job_id = uuid4().hex
        await queue.enqueue(QueueName.SCAN, "task", job_id, {})
        worker = QueueWorker(QueueName.SCAN, {"task": task}, resources.redis, slots=1, job_seconds=30)
        running = asyncio.create_task(worker.async_run())
        for _ in range(attempt):
            await asyncio.sleep(0)
        await worker.drain(5)
        await running

        assert not await resources.redis.exists(f"arq:in-progress:{job_id}")
        assert len(ran) + await queue.depth(QueueName.SCAN) == 1
        await resources.redis.delete(keys.queue(QueueName.SCAN))


async def test_quarantined_job_runs_alone(queue: JobQueue, resources: Resources) -> None:
    """So that it kills no other job; it is not postponed for ever, however many jobs are waiting."""
    running: set[str] = set()
    company: dict[str, set[str]] = {}
    ids = [uuid4().hex for _ in range(40)]
    quarantined = {ids[10], ids[11]}

    async def task(context: JobContext, _payload: dict[str, Any]) -> None:
        job_id = context["job_id"]
        running.add(job_id)
        for each in running:
            company[each] = company.get(each, set()) | running
        await asyncio.sleep(0.05)
        running.discard(job_id)

    for job_id in ids:
        await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    for job_id in quarantined:
        await resources.redis.set(f"arq:retry:{job_id}", 2, ex=60)
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert company.keys() == set(ids)
    assert {job_id: company[job_id] for job_id in quarantined} == {job_id: {job_id} for job_id in quarantined}
    assert max(len(company[job_id]) for job_id in ids) >= 4
    assert list(company).index(ids[10]) < 30


async def test_paused_worker_claims_nothing(queue: JobQueue, resources: Resources) -> None:
    """Until it resumes."""
    paused, ran = True, asyncio.Event()

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        ran.set()

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    asked: list[bool] = []

    def is_paused() -> bool:
        asked.append(paused)
        return paused

    worker = QueueWorker(
        QueueName.SCAN, {"task": task}, resources.redis, slots=1, job_seconds=30, is_paused=is_paused
    )
    running = asyncio.create_task(worker.async_run())
    try:
        await until(lambda: len(asked) > 5)
        assert not ran.is_set()
        paused = False
        await until(ran.is_set)
    finally:
        await worker.drain(5)
        await running


async def test_lease_that_expired_during_an_outage_is_renewed(queue: JobQueue, resources: Resources) -> None:
    """The job continues and does not start a second time."""
    job_id, ran, go_on = uuid4().hex, [], asyncio.Event()

    async def task(context: JobContext, _payload: dict[str, Any]) -> None:
        ran.append(context["job_try"])
        await go_on.wait()

    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    async with running_worker(resources, task):
        await until(lambda: bool(ran))
        await resources.redis.delete(f"arq:in-progress:{job_id}")
        await until(lambda: held(resources, job_id))
        attempts = await resources.redis.get(f"arq:retry:{job_id}")
        go_on.set()
        await until(lambda: is_empty(queue))

    assert (ran, attempts) == ([1], b"1")


async def held(resources: Resources, job_id: str) -> bool:
    """Whether the job has a lease."""
    return bool(await resources.redis.exists(f"arq:in-progress:{job_id}"))


async def test_job_that_was_removed_from_the_queue_is_canceled(queue: JobQueue, resources: Resources) -> None:
    """Its lease is not renewed."""
    stopped = asyncio.Event()

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        try:
            await asyncio.sleep(30)
        finally:
            stopped.set()

    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    async with running_worker(resources, task) as worker:
        await until(lambda: bool(worker.job_tasks))
        await resources.redis.delete(keys.queue(QueueName.SCAN), f"arq:in-progress:{job_id}")
        async with asyncio.timeout(LEASE_SECONDS):
            await stopped.wait()


async def test_new_job_is_found_behind_many_running_jobs(queue: JobQueue, resources: Resources) -> None:
    """Arq alone reads the first hundred ids, which may all be running elsewhere."""
    done = asyncio.Event()
    for _ in range(500):
        job_id = uuid4().hex
        await queue.enqueue(QueueName.SCAN, "task", job_id, {"wanted": False})
        await resources.redis.set(f"arq:in-progress:{job_id}", "another worker", px=60_000)
    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"wanted": True})

    async def task(_context: JobContext, payload: dict[str, Any]) -> None:
        if payload["wanted"]:
            done.set()

    async with running_worker(resources, task), asyncio.timeout(20):
        await done.wait()


async def test_an_outage_of_redis_is_no_fault_of_the_job(queue: JobQueue, resources: Resources) -> None:
    """If its reply cannot be sent, it runs again when Redis is back, and becomes no dead letter."""
    attempts = 0

    async def task(_context: JobContext, _payload: Any) -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= 8:
            raise QueueUnavailable("The job queue does not answer.")

    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert attempts == 9
    assert job_id.encode() not in await cast("Any", resources.redis.hkeys(keys.DEAD_LETTERS))
