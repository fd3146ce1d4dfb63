"""Requests of the tests of runs."""

import asyncio
import json
from typing import Any
from uuid import uuid4

from aiohttp.test_utils import TestClient

from imageconverter.resources import Resources
from tests.conftest import ADMIN

Client = TestClient[Any, Any]

THUMBNAIL, PRODUCT = "content.imageFormat.thumbnailProduct", "content.imageFormat.normalProduct"


async def post(client: Client, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    """Post *body*; returns status and body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post(path, data=data, headers={**ADMIN, **headers}) as response:
        return response.status, await response.json()


async def get(client: Client, path: str) -> tuple[int, Any]:
    """Get *path*; returns status and body."""
    async with client.get(path, headers=ADMIN) as response:
        return response.status, await response.json()


async def put_sources(resources: Resources, files: dict[str, bytes]) -> str:
    """Store *files* in a new source directory and return its path."""
    directory = f"runs {uuid4().hex}"
    for name, data in files.items():
        await resources.store.put(f"source/{directory}/{name}", data, content_type="image/png")
    return directory


async def start(client: Client, directory: str, *formats: str) -> Any:
    """Start a run over *directory* and return the response, which must be a 200."""
    body = {"action": "manual", "source": "directory", "formatList": list(formats), "directory": directory}
    status, response = await post(client, "/images/convert/start", body)
    assert status == 200, response
    return response


async def finished(client: Client, *, seconds: float = 30) -> Any:
    """Wait until no run is active and return the status."""
    async with asyncio.timeout(seconds):
        while (status := (await get(client, "/images/convert/status"))[1])["running"]:
            await asyncio.sleep(0.02)
    return status


async def results(client: Client, path: str = "/images/convert/results") -> list[dict[str, Any]]:
    """Return the items of the results."""
    _, response = await get(client, path)
    return list(response["items"])
