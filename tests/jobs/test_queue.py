"""Handing over jobs and waiting for their outcome, on a real Redis."""

import asyncio
import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import ConversionFailed, QueueFull, QueueUnavailable
from imageconverter.jobs import JobQueue, QueueName, open_redis
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


async def test_a_job_accepted_twice_is_queued_once(queue: JobQueue) -> None:
    """A client that heard no answer may ask again."""
    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})

    assert await queue.depth(QueueName.SCAN) == 1


async def test_a_full_lane_refuses_at_once_and_counts_it(queue: JobQueue) -> None:
    """Two fit, the third does not; one that is in already still does."""
    refused = (await queue.refused()).get("scan", 0)
    for job_id in ("one", "two"):
        await queue.enqueue(QueueName.SCAN, "task", job_id, {}, limit=2)

    with pytest.raises(QueueFull):
        await queue.enqueue(QueueName.SCAN, "task", "three", {}, limit=2)
    await queue.enqueue(QueueName.SCAN, "task", "one", {}, limit=2)

    assert await queue.depth(QueueName.SCAN) == 2
    assert (await queue.refused())["scan"] == refused + 1


async def test_the_limit_holds_for_a_hundred_at_once(queue: JobQueue) -> None:
    """Looking and queueing are one step: exactly ten of a hundred get in."""
    outcomes = await asyncio.gather(
        *(queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {}, limit=10) for _ in range(100)),
        return_exceptions=True,
    )

    assert sum(outcome is None for outcome in outcomes) == 10
    assert await queue.depth(QueueName.SCAN) == 10


async def test_an_outcome_reaches_who_waits_before_or_after(queue: JobQueue) -> None:
    """The reply may come first: it is kept."""
    await queue.reply("early", {"is": "there"})
    assert await queue.wait("early", seconds=1) == {"is": "there"}

    waiting = asyncio.create_task(queue.wait("late", seconds=5))
    await asyncio.sleep(0)
    await queue.reply("late", {"is": "there too"})
    assert await waiting == {"is": "there too"}


async def test_a_wait_ends_after_its_time(queue: JobQueue) -> None:
    """Nobody replies."""
    with pytest.raises(ConversionFailed):
        await queue.wait("never", seconds=0.2)


async def test_a_reply_that_nobody_fetches_does_not_stay(queue: JobQueue, resources: Resources) -> None:
    """It has a time to live."""
    job_id = uuid4().hex
    await queue.reply(job_id, {})

    assert 0 < await resources.redis.ttl(keys.reply(job_id)) <= 3600


async def test_a_process_is_known_as_alive_until_it_is_silent(queue: JobQueue, resources: Resources) -> None:
    """Some seconds without a beat, and it is forgotten."""
    await queue.heartbeat("tester", "host:1")
    assert await queue.live_processes("tester") == ["host:1"]

    await resources.redis.zincrby(keys.live("tester"), -10, "host:1")
    assert await queue.live_processes("tester") == []


async def test_one_of_many_has_the_turn(queue: JobQueue) -> None:
    """However many reporters ask."""
    name = uuid4().hex
    turns = await asyncio.gather(*(queue.try_claim_periodic(name, seconds=60) for _ in range(20)))

    assert turns.count(True) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACK_HOLE])
async def test_trouble_with_redis_is_told_in_time_and_passes(
    fragile: JobQueue, proxy: FaultProxy, mode: Mode
) -> None:
    """Every method fails within five seconds, and works when Redis is back."""
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
async def test_all_who_ask_for_the_same_wait_for_one_job(queue: JobQueue) -> None:
    """Each of them is told once."""
    dedup_key = uuid4().hex
    ids = {await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}) for _ in range(5)}
    (job_id,) = ids
    waiting = [asyncio.create_task(queue.wait(job_id, seconds=10)) for _ in range(5)]
    await queue.publish_result(dedup_key, job_id, {"state": "made"})

    assert await asyncio.gather(*waiting) == [{"state": "made"}] * 5
    assert await queue.depth(QueueName.SCAN) == 1


async def test_who_asks_when_it_has_landed_starts_another(queue: JobQueue) -> None:
    """And gets no outcome that was meant for somebody before."""
    dedup_key = uuid4().hex
    first = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await queue.publish_result(dedup_key, first, {"number": 1})
    second = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await queue.publish_result(dedup_key, second, {"number": 2})

    assert first != second
    assert await queue.wait(second, seconds=5) == {"number": 2}
    assert await queue.wait(first, seconds=5) == {"number": 1}


async def test_a_flight_whose_job_is_lost_is_started_again(queue: JobQueue, resources: Resources) -> None:
    """By the next who asks for it."""
    dedup_key = uuid4().hex
    lost = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    await resources.redis.delete(keys.queue(QueueName.SCAN))

    assert await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}) != lost


async def test_a_full_lane_takes_no_new_flight_but_more_passengers(queue: JobQueue) -> None:
    """Who joins one that is under way costs nothing."""
    dedup_key = uuid4().hex
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}, limit=1)

    assert await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {}, limit=1) == job_id
    with pytest.raises(QueueFull):
        await queue.enqueue_or_join(QueueName.SCAN, "task", uuid4().hex, {}, limit=1)


async def test_a_job_that_lands_twice_tells_everybody_once(queue: JobQueue, resources: Resources) -> None:
    """Jobs are delivered at least once."""
    dedup_key = uuid4().hex
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", dedup_key, {})
    for number in (1, 2):
        await queue.publish_result(dedup_key, job_id, {"number": number})

    assert await queue.wait(job_id, seconds=5) == {"number": 1}
    assert not await resources.redis.exists(keys.reply(job_id), keys.dedup_key(dedup_key), keys.waiters(job_id))
