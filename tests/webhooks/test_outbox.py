"""The outbox is bounded, and loses nothing that it has taken."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.webhooks import outbox as outbox_module
from tests.testing.webhook_deliveries import FIRST, SECOND, forget_all, happen, record, settle


@pytest.fixture(autouse=True)
async def endpoints(resources: Resources) -> AsyncIterator[None]:
    """Two endpoints."""
    await forget_all(resources)
    await resources.outbox.register([FIRST, SECOND])
    yield
    await forget_all(resources)


async def test_each_endpoint_gets_each_event_once(resources: Resources) -> None:
    """Although several distribute them at once."""
    for number in range(20):
        await happen(resources, str(number))
    await asyncio.gather(*(resources.outbox.distribute() for _ in range(4)))

    assert [(log.waiting, len(log.deliveries)) for log in await resources.outbox.logs()] == [(20, 20), (20, 20)]
    assert await resources.redis.exists(keys.WEBHOOK_EVENTS) == 0


async def test_a_delivery_in_progress_keeps_others_of_its_endpoint_waiting(resources: Resources) -> None:
    """Until it is settled, or its lease has expired; who has lost the lease changes nothing."""
    await record(resources, "one")
    await record(resources, "two")
    taken = await resources.outbox.take(FIRST.id, "killed", lease_seconds=60)
    assert taken is not None
    assert await resources.outbox.take(FIRST.id, "other", lease_seconds=60) is None
    assert await resources.outbox.take(SECOND.id, "other", lease_seconds=60) is not None

    await resources.redis.delete(keys.webhook_lease(FIRST.id))  # as after a minute
    again = await resources.outbox.take(FIRST.id, "other", lease_seconds=60)
    assert again == taken
    delivered = taken.model_copy(update={"status": "delivered"})
    await resources.outbox.settle(FIRST.id, "killed", delivered, delay_seconds=0)
    (log, _) = await resources.outbox.logs()
    assert log.waiting == 2


async def test_the_log_keeps_the_last_hundred_of_seven_days(resources: Resources) -> None:
    """Of each endpoint; what waits does not count."""
    for number in range(103):
        await record(resources, str(number))
        await settle(resources, FIRST, status="delivered")
    (log, other) = await resources.outbox.logs()
    assert (len(log.deliveries), log.waiting) == (100, 0)
    assert other.waiting == 103

    for each in await resources.redis.zrange(keys.webhook_log(FIRST.id), 0, -1):
        await resources.redis.zincrby(keys.webhook_log(FIRST.id), -7 * 24 * 3600 * 1000, each)
    await record(resources, "a week later")
    await settle(resources, FIRST, status="failed")
    (log, _) = await resources.outbox.logs()
    assert len(log.deliveries) == 1
    assert await resources.redis.hlen(keys.webhook_deliveries(FIRST.id)) == 1  # type: ignore[misc]


async def test_too_many_deliveries_are_dropped(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those for the endpoint at which too many wait, and their number is known."""
    monkeypatch.setattr(outbox_module, "_MAX_WAITING", 2)
    for number in range(2):
        await record(resources, str(number))
        await settle(resources, FIRST, status="delivered")
    await happen(resources, "one more")
    distributed = await resources.outbox.distribute()

    assert distributed == (1, 1)
    assert [log.waiting for log in await resources.outbox.logs()] == [1, 2]


async def test_events_without_a_reporter_are_bounded(resources: Resources) -> None:
    """The newest thousand are kept."""
    await resources.redis.zadd(keys.WEBHOOK_EVENTS, {str(number): number for number in range(1000)})
    await happen(resources, "new")

    assert await resources.redis.zcard(keys.WEBHOOK_EVENTS) == 1000
    assert await resources.redis.zscore(keys.WEBHOOK_EVENTS, "0") is None


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"\xff", b'{"type": "run.finished", "at": 1, "subject": "", "data": []}']
)
async def test_an_event_that_is_unreadable_does_not_stop_the_others(resources: Resources, text: bytes) -> None:
    """It is logged and removed."""
    await resources.redis.zadd(keys.WEBHOOK_EVENTS, {text: 0})
    await record(resources, "job")

    assert [log.waiting for log in await resources.outbox.logs()] == [1, 1]
    assert await resources.redis.exists(keys.WEBHOOK_EVENTS) == 0


async def test_an_endpoint_that_is_removed_leaves_nothing(resources: Resources) -> None:
    """Not even if an attempt at it was in progress; the other keeps what waits."""
    await record(resources, "job")
    taken = await resources.outbox.take(FIRST.id, "token", lease_seconds=60)
    assert taken is not None
    await resources.outbox.register([SECOND])
    await resources.outbox.settle(FIRST.id, "token", taken, delay_seconds=1)

    assert [key async for key in resources.redis.scan_iter(f"ic:webhook:*:{FIRST.id}")] == []
    assert [(log.endpoint, log.waiting) for log in await resources.outbox.logs()] == [(SECOND, 1)]
