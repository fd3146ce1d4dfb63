"""Handing over jobs and waiting for their outcome, on a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import ConversionFailed, QueueFull, QueueUnavailable
from imageconverter.jobs import JobQueue, QueueName, lease_key, open_redis
from imageconverter.resources import Resources
from imageconverter.settings import RedisSettings
from tests.testing.faults import FaultProxy, Mode, fault_proxy


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue, its scan queue empty: no worker takes from that one."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    return resources.queue


@pytest.fixture
async def proxy(servers: dict[str, str]) -> AsyncIterator[FaultProxy]:
    """A proxy before Redis."""
    port = urlsplit(servers["IMAGECONVERTER_REDIS_URL"]).port
    assert port is not None
    async with fault_proxy(port) as running:
        yield running


@pytest.fixture
async def fragile(servers: dict[str, str], proxy: FaultProxy) -> AsyncIterator[JobQueue]:
    """The same queue, reached through the proxy, as a gateway does."""
    port = urlsplit(servers["IMAGECONVERTER_REDIS_URL"]).port
    url = servers["IMAGECONVERTER_REDIS_URL"].replace(str(port), str(proxy.port))
    settings = RedisSettings(url=url, timeout_seconds=1)
    async with open_redis(settings, retry_timeout=4) as redis:
        yield JobQueue(redis, timeout_seconds=1, retry_timeout=4)


async def test_job_with_the_same_id_is_enqueued_once(queue: JobQueue) -> None:
    """A client without a response may retry."""
    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})

    assert await queue.depth(QueueName.SCAN) == 1


async def test_full_queue_refuses_a_job_and_counts_it(queue: JobQueue) -> None:
    """Two fit, the third does not; one that is in the queue already is accepted."""
    refused = (await queue.refused()).get("scan", 0)
    for job_id in ("one", "two"):
        await queue.enqueue(QueueName.SCAN, "task", job_id, {}, limit=2)

    with pytest.raises(QueueFull):
        await queue.enqueue(QueueName.SCAN, "task", "three", {}, limit=2)
    await queue.enqueue(QueueName.SCAN, "task", "one", {}, limit=2)

    assert await queue.depth(QueueName.SCAN) == 2
    assert (await queue.refused())["scan"] == refused + 1


async def test_limit_holds_for_a_hundred_concurrent_jobs(queue: JobQueue) -> None:
    """Check and enqueue are one step: exactly ten of a hundred are accepted."""
    outcomes = await asyncio.gather(
        *(queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {}, limit=10) for _ in range(100)),
        return_exceptions=True,
    )

    assert sum(outcome is None for outcome in outcomes) == 10
    assert await queue.depth(QueueName.SCAN) == 10


async def test_reply_reaches_a_client_that_waits_before_or_after_it(queue: JobQueue) -> None:
    """A reply that comes first is kept."""
    await queue.reply("early", {"is": "there"})
    assert await queue.wait("early", seconds=1) == {"is": "there"}

    waiting = asyncio.create_task(queue.wait("late", seconds=5))
    await asyncio.sleep(0)
    await queue.reply("late", {"is": "there too"})
    assert await waiting == {"is": "there too"}


async def test_wait_times_out(queue: JobQueue) -> None:
    """There is no reply."""
    with pytest.raises(ConversionFailed):
        await queue.wait("never", seconds=0.2)


async def test_reply_without_a_waiter_expires(queue: JobQueue, resources: Resources) -> None:
    """It has a time to live."""
    job_id = uuid4().hex
    await queue.reply(job_id, {})

    assert 0 < await resources.redis.ttl(keys.reply(job_id)) <= 3600


async def test_process_is_live_until_its_heartbeat_is_too_old(queue: JobQueue, resources: Resources) -> None:
    """It is removed after some seconds without a heartbeat."""
    await queue.heartbeat("tester", "host:1", "digest of its formats")
    assert await queue.live_processes("tester") == {"host:1": "digest of its formats"}

    await resources.redis.zincrby(keys.live("tester"), -10, "host:1")
    assert await queue.live_processes("tester") == {}
    assert not await resources.redis.exists(keys.live_formats("tester"))


async def test_a_process_of_an_earlier_release_reports_no_formats(queue: JobQueue, resources: Resources) -> None:
    """It only records its heartbeat."""
    await resources.redis.zadd(keys.live("older"), {"host:1": int((await resources.redis.time())[0])})

    assert await queue.live_processes("older") == {"host:1": ""}


async def test_one_of_many_processes_claims_a_periodic_task(queue: JobQueue) -> None:
    """With any number of reporters."""
    name = uuid4().hex
    turns = await asyncio.gather(*(queue.try_claim_periodic(name, seconds=60) for _ in range(20)))

    assert turns.count(True) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACK_HOLE])
async def test_outage_of_redis_raises_in_time_and_ends(fragile: JobQueue, proxy: FaultProxy, mode: Mode) -> None:
    """Every method raises within five seconds, and works when Redis is back."""
    await fragile.heartbeat("tester", "host:2")
    proxy.fail(mode)
    began = time.monotonic()
    outcomes = await asyncio.gather(
        fragile.enqueue(QueueName.SCAN, "task", "lost", {}),
        fragile.reply("job", {}),
        fragile.wait("job", seconds=60),
        fragile.heartbeat("tester", "host:2"),
        fragile.live_processes("tester"),
        fragile.depth(QueueName.SCAN),
        fragile.refused(),
        fragile.try_claim_periodic("task", seconds=1),
        return_exceptions=True,
    )
    took = time.monotonic() - began
    proxy.fail(Mode.PASS)

    assert {type(outcome) for outcome in outcomes} == {QueueUnavailable}
    assert took < 5
    assert "host:2" in await fragile.live_processes("tester")


# --- flights ------------------------------------------------------------------------------------
async def test_clients_with_the_same_dedup_key_wait_for_one_job(queue: JobQueue) -> None:
    """Each of them gets the result once."""
    dedup_key = uuid4().hex
    ids = {await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}) for _ in range(5)}
    (job_id,) = ids
    waiting = [asyncio.create_task(queue.wait(job_id, seconds=10)) for _ in range(5)]
    await queue.publish_result(dedup_key, job_id, {"state": "made"})

    assert await asyncio.gather(*waiting) == [{"state": "made"}] * 5
    assert await queue.depth(QueueName.SCAN) == 1


async def test_request_after_the_result_starts_another_job(queue: JobQueue) -> None:
    """It does not get the outcome of the job before."""
    dedup_key = uuid4().hex
    first = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await queue.publish_result(dedup_key, first, {"number": 1})
    second = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await queue.publish_result(dedup_key, second, {"number": 2})

    assert first != second
    assert await queue.wait(second, seconds=5) == {"number": 2}
    assert await queue.wait(first, seconds=5) == {"number": 1}


async def test_deduplicated_job_that_was_lost_is_enqueued_again(queue: JobQueue, resources: Resources) -> None:
    """By the next request."""
    dedup_key = uuid4().hex
    lost = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await resources.redis.delete(keys.queue(QueueName.SCAN))

    assert await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}) != lost


async def test_full_queue_refuses_new_jobs_but_not_more_waiters(queue: JobQueue) -> None:
    """Joining a job costs nothing."""
    dedup_key = uuid4().hex
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}, limit=1)

    assert await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}, limit=1) == job_id
    with pytest.raises(QueueFull):
        await queue.enqueue_or_join(QueueName.SCAN, "task", uuid4().hex, {}, limit=1)


async def test_result_published_twice_is_delivered_once(queue: JobQueue, resources: Resources) -> None:
    """Jobs are delivered at least once."""
    dedup_key = uuid4().hex
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    for number in (1, 2):
        await queue.publish_result(dedup_key, job_id, {"number": number})

    assert await queue.wait(job_id, seconds=5) == {"number": 1}
    assert not await resources.redis.exists(keys.reply(job_id), keys.dedup_key(dedup_key), keys.waiters(job_id))


async def test_state_of_a_queue(queue: JobQueue, resources: Resources) -> None:
    """Jobs that wait and that run, and for how long the oldest waits, by the clock of Redis."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    assert await queue.state(QueueName.SCAN) == (0, 0, None)
    for job_id in ("first", "second", "third"):
        await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    await resources.redis.set(lease_key("first"), "token", px=5000)
    await resources.redis.zincrby(keys.queue(QueueName.SCAN), -60_000, "second")
    await resources.redis.zincrby(keys.queue(QueueName.SCAN), -900_000, "first")
    state = await queue.state(QueueName.SCAN)
    await resources.redis.delete(lease_key("first"))

    assert (state.jobs, state.running) == (3, 1)
    assert state.oldest_waits is not None
    assert 60 <= state.oldest_waits < 900
