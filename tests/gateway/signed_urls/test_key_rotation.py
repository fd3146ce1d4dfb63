"""A signing key that is replaced while clients request images by URLs of the old one and of the new one."""

import asyncio
import hashlib
import hmac
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings, SignedUrlSettings
from services.gateway.app import create_app
from tests.conftest import MakeSettings
from tests.testing import image_files

Client = TestClient[Any, Any]

OLD, NEW = "0d" * 32, "3e" * 32
CLIENTS: Final = 3
WIDTHS: Final = range(20, 24)

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file with the keys, which gateways look at more often than usual."""
    monkeypatch.setattr("services.gateway.auth.watched_file._CHECK_SECONDS", 0.05)
    file = tmp_path / "keys"
    file.write_text(f"{OLD}\n")
    return file


@pytest.fixture
async def client(make_settings: MakeSettings, resources: Resources, file: Path) -> AsyncIterator[Client]:
    """A gateway that has its keys from *file*."""
    settings = make_settings(
        signed_urls=SignedUrlSettings(keys_file=file), previews=PreviewSettings(convert_seconds=60)
    )
    app = create_app(settings, resources)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def path(resources: Resources) -> AsyncIterator[str]:
    """A source."""
    path = f"rotated {uuid4().hex}.jpg"
    await resources.store.put(keys.source(path), image_files.jpeg(size=(80, 60)), content_type="image/jpeg")
    yield path
    await resources.store.delete([keys.source(path)])


class Shop:
    """Clients of URLs that a shop has signed, which count the statuses by key."""

    def __init__(self, client: Client, path: str) -> None:
        self._client = client
        self._path = path
        self.statuses: dict[str, Counter[int]] = {OLD: Counter(), NEW: Counter()}

    async def get(self, key: str, width: int = WIDTHS[0]) -> int:
        """Request an image; returns the status."""
        text = f"/w:{width}/{self._path}"
        digest = hmac.new(bytes.fromhex(key), text.encode(), hashlib.sha256).digest()
        signature = urlsafe_b64encode(digest).decode().rstrip("=")
        async with self._client.get(f"/content/_/{signature}{text.replace(' ', '%20')}") as response:
            await response.read()
            return response.status

    @asynccontextmanager
    async def visited(self, key: str) -> AsyncIterator[None]:
        """Have clients request images with *key* all the time."""
        stopping = asyncio.Event()

        async def visit(number: int) -> None:
            while not stopping.is_set():
                self.statuses[key][await self.get(key, WIDTHS[number % len(WIDTHS)])] += 1
                number += 1

        visitors = [asyncio.create_task(visit(number)) for number in range(CLIENTS)]
        try:
            yield
        finally:
            stopping.set()
            await asyncio.gather(*visitors)

    async def until(self, key: str, status: int) -> None:
        """Wait until requests with *key* have that *status*."""
        async with asyncio.timeout(20):
            while await self.get(key) != status:
                await asyncio.sleep(0.01)

    async def more(self, key: str, count: int = 10) -> None:
        """Wait for so many more requests with *key*."""
        enough = self.statuses[key].total() + count
        async with asyncio.timeout(60):
            while self.statuses[key].total() < enough:
                await asyncio.sleep(0.01)


async def test_no_request_fails_while_a_key_is_replaced(client: Client, path: str, file: Path) -> None:
    """As the documents say: the new key before the old one, then the old one away; also if a file is broken once."""
    shop = Shop(client, path)
    async with shop.visited(OLD):
        await shop.more(OLD)
        assert await shop.get(NEW) == 403
        file.write_text(f"{NEW}\n{OLD}\n")
        await shop.until(NEW, 200)
        async with shop.visited(NEW):
            await shop.more(NEW)
            await shop.more(OLD)
            file.write_text("")  # by mistake
            await shop.more(NEW, 100)
            await shop.more(OLD, 100)
    async with shop.visited(NEW):
        other = file.with_suffix(".new")
        other.write_text(f"{NEW}\n")
        other.replace(file)  # as Kubernetes replaces the files of a secret
        await shop.until(OLD, 403)
        await shop.more(NEW)

    assert {key: set(statuses) for key, statuses in shop.statuses.items()} == {OLD: {200}, NEW: {200}}
