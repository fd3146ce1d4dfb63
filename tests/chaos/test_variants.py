"""Workers that are killed between the variants of an output and the output itself."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import aiohttp
import pytest

from imageconverter import keys
from imageconverter.images.variants import belongs_to, variant_keys
from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.testing import drawings, image_files
from tests.testing.faults import FaultProxy, fault_proxy
from tests.testing.processes import Part, Stack, stack_on

FORMATS: Final = """
[[format]]
id = "varied"
name = "varied"
type = "product"
targetDirectory = "varied"
maxWidth = 200
maxHeight = 200
output = "jpeg"
variants = ["avif", "webp"]
"""
PATH: Final = "varied/a.jpg"
BEFORE: Final = [b"/variants/webp/", b"/target/varied/"]
"""What is not stored any more: one of the variants, or the output itself."""


class Killing:
    """Kills a worker that begins to store an object, before the store sees it."""

    def __init__(self, proxy: FaultProxy) -> None:
        self._words = b""
        self._worker: Part | None = None
        self.killed = asyncio.Event()
        proxy.before_passing = self._look

    def arm(self, worker: Part, words: bytes) -> None:
        """Kill *worker* at a PUT whose path contains *words*."""
        self._worker, self._words = worker, words
        self.killed.clear()

    async def _look(self, data: bytes) -> None:
        if self._worker is None or not data.startswith(b"PUT ") or self._words not in data.partition(b"\r\n")[0]:
            return
        worker, self._worker = self._worker, None
        await worker.kill()
        self.killed.set()
        raise ConnectionResetError


@asynccontextmanager
async def varied_stack(
    on_servers: Mapping[str, str], folder: Path
) -> AsyncIterator[tuple[Stack, Resources, Killing]]:
    """Run a gateway, and a proxy through which workers reach the store."""
    file = folder / "formats.toml"
    file.write_text(FORMATS)
    port = urlsplit(on_servers["IMAGECONVERTER_S3_ENDPOINT"]).port
    assert port is not None
    async with fault_proxy(port) as proxy:
        of_worker = {"IMAGECONVERTER_S3_ENDPOINT": f"http://127.0.0.1:{proxy.port}"}
        async with stack_on(
            on_servers,
            folder,
            gateways=1,
            workers=0,
            of_roles={"worker": of_worker},
            IMAGECONVERTER_FORMATS_FILE=str(file),
            IMAGECONVERTER_WAIT_SECONDS="60",
        ) as (stack, resources):
            yield stack, resources, Killing(proxy)


@pytest.mark.timeout(300)
async def test_variants_of_a_killed_worker_are_not_half_known(on_servers: Mapping[str, str], tmp_path: Path) -> None:
    """The output before is served as it was; the next worker completes the set."""
    async with varied_stack(on_servers, tmp_path) as (stack, resources, killing), aiohttp.ClientSession() as session:
        shop = _Shop(session, stack.addresses[0])
        worker = stack.role("worker")
        stack.workers.append(worker)
        await worker.start()
        await shop.convert(0)
        for number, words in enumerate(BEFORE, 1):
            known = await shop.served()
            killing.arm(worker, words)
            converting = asyncio.create_task(shop.convert(number))
            async with asyncio.timeout(60):
                await killing.killed.wait()

            served = await shop.served()
            assert served["*/*"] == known["*/*"]
            for accept, body in served.items():
                assert body in (known[accept], known["*/*"])

            worker = stack.role("worker")
            stack.workers.append(worker)
            await worker.start()
            await converting
            stored = await _stored(resources)
            assert stored["*/*"] != known["*/*"]
            async with asyncio.timeout(20):
                while await shop.served() != stored:  # the gateway still knows the metadata of the output before
                    await asyncio.sleep(0.05)

    assert stack.internal_errors == []


class _Shop:
    """Converts photographs under one name, and shows the image to browsers."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address

    async def convert(self, number: int) -> None:
        """Convert another photograph; retries until the gateway has started."""
        query = {"fileName": "a.jpg", "formats": "content.imageFormat.varied"}
        data = image_files.jpeg(image=drawings.photo((320, 240), seed=number))
        headers = {**ADMIN, "Content-Type": "application/octet-stream"}
        async with asyncio.timeout(120):
            while True:
                try:
                    async with self._session.post(
                        f"{self._address}/images/upload/convert", params=query, data=data, headers=headers
                    ) as response:
                        if response.status == 200:
                            return
                        assert response.status == 503, await response.text()
                except aiohttp.ClientConnectorError:
                    pass
                await asyncio.sleep(0.1)

    async def served(self) -> dict[str, bytes]:
        """Return what clients get, by what they accept."""
        bodies = {}
        for accept in ("*/*", "image/avif", "image/webp"):
            async with self._session.get(f"{self._address}/content/{PATH}", headers={"Accept": accept}) as response:
                assert response.status == 200
                bodies[accept] = await response.read()
        return bodies


async def _stored(resources: Resources) -> dict[str, bytes]:
    """Return what is stored, all of which belongs together."""
    output = await resources.store.get(keys.target(PATH))
    assert output is not None
    bodies = {"*/*": bytes(output.data)}
    for kind, key in variant_keys(output.stored).items():
        variant = await resources.store.get(key)
        assert variant is not None
        assert belongs_to(variant.stored, output.stored)
        bodies[f"image/{kind}"] = bytes(variant.data)
    assert len(bodies) == 3
    return bodies
