"""A shop with its own stack: gateway, reporter and an empty store."""

import asyncio
import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import RedisSettings, ReportSettings, Settings
from services.gateway.app import create_app
from services.reporter.main import run as run_reporter
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, MakeSettings, storage_settings

Client = TestClient[Any, Any]

NORMAL, THUMBNAIL, LARGE = DIRECTORIES = ("products/normal", "products/thumbnail", "products/large")
"""The target directories of the formats for products."""


def shop_settings(make_settings: MakeSettings, servers: dict[str, str]) -> Settings:
    """Settings of a separate stack; every earlier report is old enough for a clean-up."""
    return make_settings(
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/2"),
        storage=storage_settings(servers, bucket="shop"),
        reports=ReportSettings(grace_days=0, max_share=0.5, max_catalog_mb=1),
    )


@asynccontextmanager
async def running_stack(settings: Settings) -> AsyncIterator[Resources]:
    """Run a reporter and a worker."""
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        stopping = asyncio.Event()
        running = [asyncio.create_task(run(settings, stopping)) for run in (run_reporter, run_worker)]
        async with asyncio.timeout(20):
            while not await resources.queue.live_processes("reporter"):
                await asyncio.sleep(0.05)
        try:
            yield resources
        finally:
            stopping.set()
            await asyncio.gather(*running)


@asynccontextmanager
async def empty_shop(settings: Settings, resources: Resources) -> AsyncIterator["Shop"]:
    """Run the gateway of a shop without images and catalogs, beside the stack with *resources*."""
    await resources.redis.delete(keys.SCAN, keys.queue(QueueName.SCAN))
    async for page in resources.store.list(""):
        await resources.store.delete(stored.key for stored in page)
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        yield Shop(client, resources)


class Response(NamedTuple):
    """A response of the gateway."""

    status: int
    body: Any


class Shop:
    """A client of the gateway, as a shop is."""

    def __init__(self, client: Client, resources: Resources) -> None:
        """Send requests with *client*; *resources* are those of its gateway."""
        self.client = client
        self.resources = resources

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        """Send a request below `/images`; a *body* other than bytes is sent as JSON."""
        text = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        data = None if text is None else io.BytesIO(text)
        async with self.client.request(method, f"/images{path}", data=data, headers={**ADMIN, **headers}) as response:
            return Response(response.status, await response.json())

    async def send(self, catalog: Mapping[str, list[str]], type_id: str = "products") -> Response:
        """Import a catalog of active entries: their images by id."""
        lines = [json.dumps({"id": each, "active": True, "images": images}) for each, images in catalog.items()]
        return await self.ask("PUT", f"/catalog/{type_id}", "\n".join(lines).encode())

    async def put(self, *paths: str, data: bytes = b"content") -> None:
        """Put files into the target tree."""
        for path in paths:
            await self.resources.store.put(f"target/{path}", data, content_type="image/jpeg")

    async def put_everywhere(self, name: str) -> None:
        """Put a file into the directories of all formats for products."""
        await self.put(*(f"{directory}/{name}" for directory in DIRECTORIES))

    async def report(self, type_id: str = "products") -> Any:
        """Create a report and return it."""
        assert (await self.ask("POST", "/report", {})) == (200, {})
        await self.scanned()
        return (await self.ask("GET", f"/report/{type_id}")).body

    async def scanned(self) -> Any:
        """Wait until no scan is running and return the status of the last one."""
        async with asyncio.timeout(30):
            while (status := (await self.ask("GET", "/report/status")).body)["running"]:
                await asyncio.sleep(0.02)
        return status
