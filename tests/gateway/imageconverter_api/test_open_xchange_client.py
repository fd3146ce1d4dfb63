"""The API as an Open-Xchange middleware uses it: its call flow, its keys and formats, real photographs."""

import asyncio
import hashlib
import io
import os
import signal
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import skimage
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from PIL import Image

from imageconverter.jobs import lease_key
from imageconverter.resources import Resources
from tests.testing import image_files

Client = TestClient[Any, Any]

SERVER_ID = "57c6b91f-563b-4885-946d-0cc5799e2fdf"
PHOTOGRAPHS = ("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg")
# As the middleware writes them: always with the type `auto`.
FORMATS = (
    "auto:200x150~cover~autorotate~shrinkonly@75",
    "auto:800x800~contain@75",
    "auto:200x150~auto~autorotate@75",
    "auto:-1x-1~contain~autorotate@75",
)


class Middleware:
    """The requests of the middleware's client."""

    def __init__(self, server: Client, *, encodes: bool) -> None:
        """Connect to *server*; a client that *encodes* percent-encodes formats."""
        self._server = server
        self._encodes = encodes

    async def is_connected(self) -> bool:
        """Whether a converter responds at the configured address."""
        async with self._server.get("/imageconverter") as response:
            return response.status == 200 and SERVER_ID in await response.text()

    async def scaled(self, source: bytes, format_: str, context: str) -> Image.Image | None:
        """Return the preview of *source*, None if the middleware would have to scale it itself."""
        key = hashlib.sha256(source).hexdigest()
        found = await self._image("GET", "getImage", key, format_, context)
        if found is None:
            form = FormData()
            file = io.BytesIO(source)
            form.add_field("sourceImage", file, filename="image", content_type="application/octet-stream")
            found = await self._image("POST", "cacheAndGetImage", key, format_, context, data=form)
        return None if found is None else Image.open(io.BytesIO(found))

    async def _image(
        self, method: str, operation: str, key: str, format_: str, context: str, **options: Any
    ) -> bytes | None:
        text = quote(format_, safe="") if self._encodes else format_
        path = f"/imageconverter/{operation}/{key}/{text}?context={context}"
        async with self._server.request(method, path, **options) as response:
            data: bytes = await response.read()
            return data if response.status == 200 else None


@pytest.mark.usefixtures("worker")
@pytest.mark.parametrize("encodes", [False, True])
@pytest.mark.parametrize("name", PHOTOGRAPHS)
async def test_photos_are_scaled(gateway: Client, name: str, encodes: bool) -> None:  # noqa: FBT001
    """First with cacheAndGetImage, then with getImage."""
    middleware = Middleware(gateway, encodes=encodes)
    source = (Path(skimage.__file__).parent / "data" / name).read_bytes()
    context = uuid4().hex[:8]
    assert await middleware.is_connected()
    for format_ in FORMATS:
        scaled = await middleware.scaled(source, format_, context)

        assert scaled is not None
        assert scaled.format == "JPEG"
        original = Image.open(io.BytesIO(source))
        ratio = scaled.width / scaled.height * original.height / original.width
        assert 0.98 < ratio < 1.02
        assert scaled.width <= original.width
    async with gateway.get(f"/imageconverter/getKeyCount?context={context}") as response:
        assert await response.json() == {"count": 1}


@pytest.mark.usefixtures("worker")
async def test_a_file_that_is_not_an_image_is_an_error(gateway: Client) -> None:
    """With any status but 200 the middleware scales the image itself."""
    assert await Middleware(gateway, encodes=False).scaled(b"no image" * 10, FORMATS[0], "1") is None


@pytest.mark.slow
async def test_clients_survive_the_death_of_their_worker(
    gateway: Client, resources: Resources, servers: dict[str, str]
) -> None:
    """Another worker takes over the job, and all clients get their preview."""
    middleware = Middleware(gateway, encodes=False)
    scaled: list[Image.Image | None] = []
    while not scaled:  # again if a job was done before it was seen running
        # Few bytes, because fifty uploads at once are stored, and much work.
        source = image_files.png(image=Image.new("L", (8000, 8000))) + uuid4().bytes
        async with running_worker(resources, servers) as worker:
            asking = [asyncio.create_task(middleware.scaled(source, FORMATS[1], "1")) for _ in range(50)]
            if not await is_seen_running(resources, asking):
                continue
            os.killpg(worker, signal.SIGKILL)
            async with running_worker(resources, servers):
                scaled = await asyncio.gather(*asking)

    assert {None if each is None else each.size for each in scaled} == {(800, 800)}


async def is_seen_running(resources: Resources, asking: Sequence[asyncio.Task[Any]]) -> bool:
    """Wait for a lease; returns False if all who were *asking* have their reply before."""
    async with asyncio.timeout(60):
        while not all(each.done() for each in asking):
            if [key async for key in resources.redis.scan_iter(match=lease_key("*"), count=100_000)]:
                return True
            await asyncio.sleep(0.01)
    return False


@asynccontextmanager
async def running_worker(resources: Resources, servers: dict[str, str]) -> AsyncIterator[int]:
    """Run a worker in its own process group; yields its id."""
    environment = {**os.environ, **servers, "IMAGECONVERTER_S3_BUCKET": "tests", "IMAGECONVERTER_LOG_LEVEL": "error"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli.main", "worker", env=environment, start_new_session=True
    )
    try:
        async with asyncio.timeout(20):
            while not any(str(process.pid) in each for each in await resources.queue.live_processes("worker")):
                await asyncio.sleep(0.05)
        yield process.pid
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
