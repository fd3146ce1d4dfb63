"""Webhooks are delivered although reporters and Redis are killed."""

import asyncio
from pathlib import Path

import pytest

from imageconverter.resources import Resources
from tests.testing.processes import own_servers, stack_on
from tests.testing.webhook_deliveries import happen
from tests.testing.webhook_receiver import SECRET, receiving


async def _registered(resources: Resources) -> None:
    """Wait until the reporter has registered its endpoint."""
    async with asyncio.timeout(30):
        while not await resources.outbox.endpoints():
            await asyncio.sleep(0.05)


async def _delivered(resources: Resources, count: int) -> set[str]:
    """Wait until *count* events are delivered, and return their ids."""
    async with asyncio.timeout(90):
        while True:
            (log,) = await resources.outbox.logs()
            if len(found := [each.id for each in log.deliveries if each.status == "delivered"]) == count:
                return set(found)
            await asyncio.sleep(0.1)


@pytest.mark.timeout(240)
async def test_webhooks_survive_kills_of_the_reporter_and_of_redis(tmp_path: Path) -> None:
    """The reporter is killed during an attempt and between attempts, Redis while events are recorded.

    Each event arrives, with one id however often it is sent.
    """
    async with receiving(500, 500, 204) as receiver, own_servers(tmp_path) as (servers, parts):
        environment = {
            "IMAGECONVERTER_WEBHOOK_URLS": receiver.url,
            "IMAGECONVERTER_WEBHOOK_SECRET": SECRET,
            "IMAGECONVERTER_WEBHOOK_PRIVATE_HOSTS": "127.0.0.1",
            "IMAGECONVERTER_WEBHOOK_TIMEOUT_SECONDS": "2",
        }
        async with stack_on(
            servers, tmp_path / "roles", gateways=0, workers=0, reporters=1, of_roles={"reporter": environment}
        ) as (stack, resources):
            (reporter,) = stack.reporters
            await _registered(resources)
            receiver.release = asyncio.Event()
            await happen(resources, "first")
            await receiver.wait_for(1)
            await reporter.kill()
            receiver.release.set()
            receiver.release = None
            await reporter.start()
            await receiver.wait_for(2, seconds=90)  # when the lease has expired
            await reporter.kill()
            for number in range(5):
                await happen(resources, str(number))
            await asyncio.sleep(1.1)  # Redis writes its log to the disk once a second
            await parts["redis"].kill()
            await parts["redis"].start()
            await reporter.start()
            delivered = await _delivered(resources, 6)

            assert stack.internal_errors == []
    assert {each.id for each in receiver.received} == delivered
    assert {each.verified()["data"]["id"] for each in receiver.received} == {"first", *map(str, range(5))}
