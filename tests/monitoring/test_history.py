"""What is counted in each process, and added up in Redis."""

import asyncio
from collections import Counter

import pytest

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.monitoring.counts import ConversionCount, Counts
from imageconverter.monitoring.history import MINUTES, HourHistory
from imageconverter.resources import Resources

BATCH = ConversionCount("image", QueueName.BATCH)


@pytest.fixture
async def history(resources: Resources) -> HourHistory:
    """An empty history; no other process records anything meanwhile."""
    async for key in resources.redis.scan_iter(keys.minute("*")):
        await resources.redis.delete(key)
    return resources.history


def total(minutes: list[tuple[int, dict[str, int]]]) -> Counter[str]:
    """Return the sum of all minutes."""
    return sum((Counter(counts) for _, counts in minutes), Counter())


async def test_counts_of_all_processes_are_added(history: HourHistory) -> None:
    """Each process records what it has counted since the last time."""
    one, other = Counts(), Counts()
    one.conversion(BATCH, "success", seconds=0.5)
    one.bytes(BATCH, read=1000, written=300)
    await history.record(one)
    one.conversion(BATCH, "success", seconds=0.25)
    other.conversion(BATCH, "error", seconds=1)
    await asyncio.gather(history.record(one), history.record(other))
    await history.record(one)

    assert total(await history.minutes()) == {  # type: ignore[arg-type]
        "image.batch.success": 2,
        "image.batch.error": 1,
        "image.batch.milliseconds": 1750,
        "image.batch.bytes_in": 1000,
        "image.batch.bytes_out": 300,
    }


async def test_history_is_an_hour_by_the_clock_of_redis(history: HourHistory, resources: Resources) -> None:
    """What is older is not returned, and expires."""
    seconds, _ = await resources.redis.time()
    counts = Counts()
    counts.request(200)
    await resources.redis.hset(keys.minute(str(seconds // 60 - MINUTES - 1)), "requests.2xx", "7")  # type: ignore[misc]
    await history.record(counts)
    minutes = await history.minutes()

    assert len(minutes) == MINUTES
    assert [each.at - minutes[0].at for each in minutes] == [60 * number for number in range(MINUTES)]
    assert 0 <= minutes[-1].at - seconds // 60 * 60 <= 60
    assert total(minutes) == {"requests.2xx": 1}  # type: ignore[arg-type]
    (key,) = [
        each async for each in resources.redis.scan_iter(keys.minute("*")) if await resources.redis.ttl(each) > 0
    ]
    assert 3600 < await resources.redis.ttl(key) <= 4500


async def test_what_was_not_recorded_is_recorded_later(history: HourHistory) -> None:
    """As after an outage of Redis."""
    counts = Counts()
    counts.request(503)
    counts.preview(from_cache=True)
    lost = counts.unrecorded()
    counts.request(503)
    await history.record(counts)

    assert lost == {"requests.5xx": 1, "previews.cached": 1}
    assert total(await history.minutes()) == {"requests.5xx": 2, "previews.cached": 1}  # type: ignore[arg-type]


async def test_nothing_to_record_sends_nothing(history: HourHistory, resources: Resources) -> None:
    """An idle process adds no command."""
    await history.record(Counts())

    assert [key async for key in resources.redis.scan_iter(keys.minute("*"))] == []


def test_an_unusual_status_is_counted_as_an_error() -> None:
    """So that clients and bugs cannot create names."""
    counts = Counts()
    counts.request(999)

    assert counts.unrecorded() == {"requests.5xx": 1}
