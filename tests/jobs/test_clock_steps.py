"""Steps of the clock of Redis or of a worker delay jobs for seconds at most, and lose none, on a real Redis."""

import time
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.jobs import JobContext, JobQueue, QueueName, job_key, lease_key, retry_with_backoff
from imageconverter.resources import Resources
from tests.jobs.test_queue_worker import is_empty, running_worker, until

HOUR_MS, DAYS_MS = 3_600_000, 40 * 24 * 3_600_000


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue; the tests' own workers take from it."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    return resources.queue


async def succeed(_context: JobContext, _payload: object) -> None:
    """Do nothing."""


async def test_nothing_that_an_accepted_job_needs_expires(queue: JobQueue, resources: Resources) -> None:
    """A clock that is set forward ends every time to live at once."""
    name = uuid4().hex
    joined = await queue.enqueue_or_join(QueueName.SCAN, "task", name, {})
    await queue.enqueue(QueueName.SCAN, "task", name, {})

    needed = [job_key(joined), job_key(name), keys.waiters(joined), keys.queue(QueueName.SCAN)]
    assert [await resources.redis.pttl(key) for key in needed] == [-1] * len(needed)


async def test_waiters_of_a_job_end_with_it(queue: JobQueue, resources: Resources) -> None:
    """Also if its result was never published."""
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, succeed):
        await until(lambda: is_empty(queue))

    assert not await resources.redis.exists(keys.waiters(job_id))


@pytest.mark.parametrize("step", [HOUR_MS, DAYS_MS])
async def test_jobs_enqueued_before_redis_s_clock_was_set_back_run(
    queue: JobQueue, resources: Resources, step: int
) -> None:
    """At once, in their order, although the clock says that they are due later."""
    ran: list[str] = []

    async def task(context: JobContext, _payload: object) -> None:
        ran.append(context["job_id"])

    names = [uuid4().hex for _ in range(20)]
    for number, name in enumerate(names):
        await queue.enqueue(QueueName.SCAN, "task", name, {})
        await resources.redis.zincrby(keys.queue(QueueName.SCAN), step + number, name)
    async with running_worker(resources, task, slots=1):
        await until(lambda: is_empty(queue))

    assert ran == names


@pytest.mark.slow
async def test_lease_from_before_redis_s_clock_was_set_back_expires_in_time(
    queue: JobQueue, resources: Resources
) -> None:
    """Its worker is dead, and the lease would hold for 40 days."""
    name = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", name, {})
    await resources.redis.set(lease_key(name), "the token of the dead", px=DAYS_MS)
    async with running_worker(resources, succeed):
        await until(lambda: is_empty(queue))


@pytest.mark.parametrize("step", [-DAYS_MS, DAYS_MS])
async def test_retry_is_delayed_by_redis_s_clock(
    queue: JobQueue, resources: Resources, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    """A worker with a wrong clock does not put a job off for days."""
    clock = time.time
    monkeypatch.setattr(time, "time", lambda: clock() + step / 1000)
    attempts: list[float] = []

    async def task(context: JobContext, _payload: object) -> None:
        attempts.append(time.monotonic())
        if context["job_try"] == 1:
            raise retry_with_backoff(1)

    await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert attempts[1] - attempts[0] > 0.9


async def test_lock_from_before_redis_s_clock_was_set_back_expires_in_time(
    queue: JobQueue, resources: Resources
) -> None:
    """A periodic task waits for its period at most, the moving of results for half a minute."""
    await resources.redis.set(keys.periodic_claim("task"), 1, px=DAYS_MS)
    await resources.redis.set(keys.run_moving("run"), 1, px=DAYS_MS)

    assert not await queue.try_claim_periodic("task", seconds=5)
    assert not await resources.runs.may_move_results("run")
    assert 0 < await resources.redis.pttl(keys.periodic_claim("task")) <= 5000
    assert 0 < await resources.redis.pttl(keys.run_moving("run")) <= 30_000


async def test_process_that_died_before_redis_s_clock_was_set_back_is_not_live(
    queue: JobQueue, resources: Resources
) -> None:
    """Its last heartbeat is 40 days ahead."""
    seconds, _ = await resources.redis.time()
    role = uuid4().hex
    await resources.redis.zadd(keys.live(role), {"dead": seconds + DAYS_MS / 1000})
    await queue.heartbeat(role, "alive")

    assert await queue.live_processes(role) == {"alive": ""}
