"""Webhooks that are sent to receivers on loopback."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.settings import WebhookSettings
from imageconverter.webhooks import Delivery
from services.reporter.webhooks import send_webhooks, webhook_endpoints
from tests.testing.webhook_receiver import SECRET, Receiver

Sending = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def sending(opened: Resources, monkeypatch: pytest.MonkeyPatch) -> Sending:
    """Run what a reporter does for the given receivers, and settings; it looks for work ten times a second."""
    monkeypatch.setattr("services.reporter.webhooks.sending._POLL_SECONDS", 0.1)

    @asynccontextmanager
    async def send(*receivers: Receiver, private_hosts: str = "127.0.0.1", **more: Any) -> AsyncIterator[None]:
        urls = ",".join(each.url for each in receivers)
        settings = WebhookSettings.model_validate(
            {"urls": urls, "secret": SECRET, "private_hosts": private_hosts, **more}
        )
        stopping = asyncio.Event()
        endpoints = webhook_endpoints(settings)
        running = asyncio.create_task(send_webhooks(endpoints, settings, opened, stopping))
        async with asyncio.timeout(10):
            while any([await opened.outbox.is_disabled(each.record.id) for each in endpoints]):
                await asyncio.sleep(0.01)
        try:
            yield
        finally:
            stopping.set()
            await asyncio.wait_for(running, 15)

    return send


async def deliveries(resources: Resources) -> list[Delivery]:
    """Return the deliveries to all endpoints, the newest first."""
    return [each for log in await resources.outbox.logs() for each in log.deliveries]


async def settled(resources: Resources, status: str, *, attempts: int = 1, count: int = 1) -> list[Delivery]:
    """Wait until *count* deliveries have that *status* after *attempts*, and return them."""
    async with asyncio.timeout(30):
        while True:
            found = [
                each for each in await deliveries(resources) if (each.status, each.attempts) == (status, attempts)
            ]
            if len(found) >= count:
                return found
            await asyncio.sleep(0.02)


async def let_time_pass(resources: Resources) -> None:
    """Make all deliveries due that wait for their next attempts."""
    for endpoint in await resources.outbox.endpoints():
        due = keys.webhook_due(endpoint.id)
        for each in await resources.redis.zrange(due, 0, -1):
            await resources.redis.zadd(due, {each: 0}, xx=True)
