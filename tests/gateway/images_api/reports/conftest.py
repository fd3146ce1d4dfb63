"""The shop's stack."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings, ReportSettings, Settings
from services.gateway.app import create_app
from services.reporter.main import run as run_reporter
from services.worker.main import run as run_worker
from tests.conftest import MakeSettings, storage_settings
from tests.testing.shop_client import Shop


@pytest.fixture(scope="package")
def shop_settings(make_settings: MakeSettings, servers: dict[str, str]) -> Settings:
    """Settings of a separate stack; every earlier report is old enough for a clean-up."""
    return make_settings(
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/2"),
        storage=storage_settings(servers, bucket="shop"),
        reports=ReportSettings(grace_days=0, max_share=0.5, max_catalog_mb=1),
    )


@pytest.fixture(scope="package")
async def stack(shop_settings: Settings) -> AsyncIterator[Resources]:
    """Run a reporter and a worker."""
    async with open_resources(shop_settings, retry_timeout=4) as resources:
        await wait_for_bucket(resources.store)
        stopping = asyncio.Event()
        running = [asyncio.create_task(run(shop_settings, stopping)) for run in (run_reporter, run_worker)]
        async with asyncio.timeout(20):
            while not await resources.queue.live_processes("reporter"):
                await asyncio.sleep(0.05)
        try:
            yield resources
        finally:
            stopping.set()
            await asyncio.gather(*running)


@pytest.fixture
async def shop(shop_settings: Settings, stack: Resources) -> AsyncIterator[Shop]:
    """A shop without images and catalogs."""
    await stack.redis.delete(keys.SCAN, keys.queue(QueueName.SCAN))
    async for page in stack.store.list(""):
        await stack.store.delete(stored.key for stored in page)
    async with TestClient(TestServer(create_app(shop_settings, stack))) as client:
        yield Shop(client, stack)
