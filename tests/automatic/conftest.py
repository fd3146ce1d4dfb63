"""A shop with automatic formats: its gateway, and what its reporter does every second."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.runs import RunStatus
from imageconverter.storage.store import StoredObject
from services.gateway.app import create_app
from services.reporter.automatic_conversion import convert_pending
from tests.conftest import ADMIN, MakeSettings
from tests.testing.runs import Client

_STATE = (
    keys.AUTOMATIC,
    keys.AUTOMATIC_PENDING,
    keys.AUTOMATIC_SUBMITTED,
    keys.AUTOMATIC_LEASE,
    keys.AUTOMATIC_RUNS,
    keys.AUTOMATIC_SCAN,
    keys.ORPHANS,
)
_FORMAT = """
[[format]]
id = "{id}"
name = "{id}"
type = "product"
sourceDirectory = "{sources}"
targetDirectory = "{targets}"
automatic = {automatic}
follow = "{follow}"
maxWidth = {width}
maxHeight = {width}
"""


@dataclass
class Shop:
    """Its resources, its gateway and its directory of sources."""

    resources: Resources
    client: Client
    directory: str

    async def put(self, name: str, data: bytes) -> None:
        """Store a source through the API."""
        path = f"/images/sources/{self.directory}/{name}"
        async with self.client.put(path, data=data, headers=ADMIN) as response:
            assert response.status == 200, await response.text()

    async def put_behind(self, name: str, data: bytes) -> None:
        """Store a source as another program does."""
        await self.resources.store.put(f"source/{self.directory}/{name}", data, content_type="image/png")

    async def delete_behind(self, *names: str) -> None:
        """Delete sources as another program does."""
        await self.resources.store.delete(f"source/{self.directory}/{name}" for name in names)

    async def orphans(self) -> list[str]:
        """Return the orphaned outputs that the scans have found, by their paths in the target directory."""
        return [each.removeprefix(f"{self.directory}/") for each in await self.resources.scans.orphans()]

    async def output(self, name: str, format_id: str = "small") -> StoredObject | None:
        """Return an output, None if there is none."""
        return await self.resources.store.head(f"target/{self.directory}/{format_id}/{name}")

    async def runs(self) -> list[RunStatus]:
        """Return the automatic runs, the last one first."""
        ids = await self.resources.runs.history(automatic=True)
        found = [await self.resources.runs.status(each) for each in ids]
        return [each for each in found if each is not None]

    async def scan(self) -> None:
        """Request a scan, and do what is to be done until nothing is."""
        await self.resources.scans.request()
        await self.settle()

    async def settle(self) -> None:
        """Do what a reporter does, until nothing is pending and no run is running."""

        async def is_settled() -> bool:
            await convert_pending(self.resources, max_share=0.1)
            state = await self.resources.pending_sources.state()
            return state == (0, False, None) and not any(each.is_running for each in await self.runs())

        async with asyncio.timeout(60):
            while not await is_settled():
                await asyncio.sleep(0.05)


@pytest.fixture
def follow() -> str:
    """Return what becomes of the outputs of automatic formats if their source is deleted."""
    return "off"


@pytest.fixture
async def shop(resources: Resources, make_settings: MakeSettings, tmp_path: Path, follow: str) -> AsyncIterator[Shop]:
    """A shop with the automatic formats small and, of sources in `large`, large; and one that is not automatic."""
    directory = f"automatic-{uuid4().hex}"
    file = tmp_path / "formats.toml"
    described = (("small", "", "true", 16), ("large", "/large", "true", 32), ("manual", "", "false", 8))
    file.write_text(
        "".join(
            _FORMAT.format(
                id=name,
                sources=f"{directory}{below}",
                targets=f"{directory}/{name}",
                automatic=automatic,
                follow=follow if automatic == "true" else "off",
                width=width,
            )
            for name, below, automatic, width in described
        )
    )
    own = replace(resources, formats=CurrentFormats(file))
    await resources.redis.delete(*_STATE)
    async with TestClient(TestServer(create_app(make_settings(), own))) as client:
        yield Shop(own, client, directory)
    await resources.redis.delete(*_STATE)


@pytest.fixture(scope="session")
def image() -> Callable[[int], bytes]:
    """Make an image of its own for each number."""

    def make(number: int) -> bytes:
        out = BytesIO()
        Image.new("RGB", (64, 48), (number % 256, number // 256, 80)).save(out, "PNG")
        return out.getvalue()

    return make
