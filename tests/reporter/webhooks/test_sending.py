"""Webhooks are delivered, and sent again after failures."""

import asyncio

import pytest

from imageconverter.resources import Resources
from tests.reporter.webhooks.conftest import Sending, deliveries, let_time_pass, settled
from tests.testing.audit_lines import RENDERERS, audit_to
from tests.testing.webhook_deliveries import happen
from tests.testing.webhook_receiver import receiving


async def test_an_event_is_delivered_with_a_signature(opened: Resources, sending: Sending) -> None:
    """The library of the specification verifies it; the log has its status, and no part of the URL but its origin."""
    async with receiving(200) as receiver, sending(receiver):
        await happen(opened)
        (request,) = await receiver.wait_for(1)
        (delivery,) = await settled(opened, "delivered")
        (log,) = await opened.outbox.logs()

    event = request.verified()
    assert event["type"] == "dead_letter.created"
    assert event["data"] == {"id": "job", "lane": "batch", "task": "task", "reason": "It failed.", "tries": 4}
    assert request.headers["content-type"] == "application/json"
    assert (delivery.id, delivery.response, delivery.error, delivery.next_at) == (request.id, 200, "", 0)
    assert log.endpoint.origin == receiver.url.removesuffix("/hooks?token=secret")
    assert (log.waiting, log.endpoint.disabled) == (0, "")


async def test_a_failed_attempt_is_repeated_with_the_same_id(opened: Resources, sending: Sending) -> None:
    """Signed anew; the delay grows, and the log says when."""
    async with receiving(500, 302, 200) as receiver, sending(receiver):
        await happen(opened)
        (first,) = await settled(opened, "waiting", attempts=1)
        await let_time_pass(opened)
        (second,) = await settled(opened, "waiting", attempts=2)
        await let_time_pass(opened)
        await settled(opened, "delivered", attempts=3)

    assert len({each.id for each in receiver.received}) == 1
    assert receiver.types() == ["dead_letter.created"] * 3
    assert (first.response, first.error) == (500, "The response has status 500.")
    assert (second.response, second.error) == (302, "The response has status 302.")
    assert 3 <= first.next_at - first.attempted_at <= 6
    assert 15 <= second.next_at - second.attempted_at <= 24


async def test_an_endpoint_without_a_server_is_tried_for_a_day(opened: Resources, sending: Sending) -> None:
    """Then the delivery has failed, until it is resent."""
    async with receiving() as receiver:
        pass
    async with sending(receiver):
        await happen(opened)
        for attempt in range(1, 11):
            await settled(opened, "waiting", attempts=attempt)
            await let_time_pass(opened)
        (failed,) = await settled(opened, "failed", attempts=11)
        assert failed.error == "The endpoint cannot be reached (ClientConnectorError)."
        assert await opened.outbox.resend(failed.id) == 1
        await settled(opened, "waiting", attempts=1)


async def test_an_endpoint_that_is_gone_gets_nothing_more(
    opened: Resources, sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After 410, until a reporter starts; the audit log says so."""
    lines = audit_to(RENDERERS["json"], monkeypatch)
    async with receiving(410, 200) as receiver:
        async with sending(receiver):
            await happen(opened, "first")
            await settled(opened, "failed")
            (log,) = await opened.outbox.logs()
            await happen(opened, "second")
            await asyncio.sleep(0.6)
            assert len(receiver.received) == 1
        async with sending(receiver):
            await happen(opened, "third")
            await receiver.wait_for(2)

    assert log.endpoint.disabled == "The endpoint has answered with status 410."
    (line,) = lines.take()
    assert (line["operation"], line["actor"]) == ("disable webhook", "task webhooks")
    assert (line["endpoint"], line["origin"]) == (log.endpoint.id, log.endpoint.origin)
    assert [each.verified()["data"]["id"] for each in receiver.received] == ["first", "third"]


async def test_a_slow_endpoint_does_not_hold_up_another(opened: Resources, sending: Sending) -> None:
    """It gets one request at a time, which fails after its timeout."""
    async with receiving() as slow, receiving() as fast, sending(slow, fast, timeout_seconds=0.5):
        slow.release = asyncio.Event()
        for number in range(3):
            await happen(opened, str(number))
        await fast.wait_for(3)
        found = await settled(opened, "waiting", count=3)

    assert {each.error for each in found} == {"The endpoint did not respond in time."}


async def test_an_endpoint_gets_one_request_at_a_time(opened: Resources, sending: Sending) -> None:
    """Although two reporters have several events for it; each of them is delivered once."""
    async with receiving() as receiver, sending(receiver), sending(receiver):
        receiver.release = asyncio.Event()
        for number in range(3):
            await happen(opened, str(number))
        await receiver.wait_for(1)
        await asyncio.sleep(0.6)
        assert len(receiver.received) == 1
        receiver.release.set()
        await settled(opened, "delivered", count=3)

    assert len(receiver.received) == 3


async def test_an_attempt_does_not_delay_the_stop_of_a_reporter(opened: Resources, sending: Sending) -> None:
    """It does not count, and the next reporter makes it at once."""
    async with receiving() as receiver:
        receiver.release = asyncio.Event()
        async with sending(receiver, timeout_seconds=30):
            await happen(opened)
            await receiver.wait_for(1)
        assert not receiver.release.is_set()
        (delivery,) = await deliveries(opened)
        assert (delivery.status, delivery.attempts) == ("waiting", 0)
        async with sending(receiver):
            await receiver.wait_for(2, seconds=15)


async def test_only_chosen_events_are_sent(opened: Resources, sending: Sending) -> None:
    """An endpoint that is removed from the settings leaves nothing, and without any no event is kept."""
    async with receiving() as receiver:
        async with sending(receiver, events="run.finished"):
            await happen(opened)
            while await opened.redis.zcard("ic:webhook:events"):
                await asyncio.sleep(0.01)
            assert await deliveries(opened) == []
        async with sending():
            while await opened.outbox.endpoints():
                await asyncio.sleep(0.01)
            await happen(opened)
            while await opened.redis.zcard("ic:webhook:events"):
                await asyncio.sleep(0.01)

    assert receiver.received == []
    assert [key async for key in opened.redis.scan_iter("ic:webhook:*")] == []


@pytest.mark.parametrize("subject", ["a.b", "x" * 300])
async def test_an_event_has_the_same_id_however_often_it_is_recorded(
    opened: Resources, sending: Sending, subject: str
) -> None:
    """Also after it was delivered; the id has no character that could be confused in what is signed."""
    async with receiving() as receiver, sending(receiver):
        await happen(opened, subject)
        await settled(opened, "delivered")
        await happen(opened, subject)
        while await opened.redis.zcard("ic:webhook:events"):
            await asyncio.sleep(0.01)
        (delivery,) = await deliveries(opened)

    assert len(receiver.received) == 1
    assert delivery.id.removeprefix("msg_").isalnum()
