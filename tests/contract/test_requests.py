"""A thousand requests that schemathesis makes of the document: the gateway answers each of them as it says."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import Gateway, Redis
from services.gateway.app import create_app
from services.worker.main import run as run_worker
from tests import pictures
from tests.conftest import ADMIN, API_KEY, MakeSettings, storage_settings
from tests.contract.document import FILE, document

CONFIG = Path(__file__).with_name("schemathesis.toml")


@pytest.fixture
async def address(make_settings: MakeSettings, servers: dict[str, str]) -> AsyncIterator[str]:
    """A stack with a bucket and a database of its own, which hold what the document's examples speak of."""
    settings = make_settings(
        gateway=Gateway(api_key=API_KEY, start_seconds=0),
        redis=Redis(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/1"),
        storage=storage_settings(servers, bucket="contract"),
    )
    start = _example("/images/convert/start", "post")
    async with open_resources(settings, patience=4) as resources:
        await wait_for_bucket(resources.store)
        for key in (f"source/{start['directory']}/myPicture.png", "target/products/normal/myPicture.png"):
            await resources.store.put(key, pictures.png(), content_type="image/png")
        stopping = asyncio.Event()
        worker = asyncio.create_task(run_worker(settings, stopping))
        try:
            async with TestClient(TestServer(create_app(settings, resources))) as client:
                async with client.post("/images/convert/start", json=start, headers=ADMIN) as answer:
                    assert answer.status == 200
                yield str(client.make_url("/"))
        finally:
            stopping.set()
            await worker


async def test_every_request_is_answered_as_the_document_says(address: str, tmp_path: Path) -> None:
    """Examples, limits, random bodies and sequences; no 500, no other status, type or shape."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", CONFIG, "run", FILE),
        *("--url", address, "--header", f"Authorization:{ADMIN['Authorization']}", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    assert process.returncode == 0, output.decode()


def _example(path: str, method: str) -> dict[str, str]:
    return dict(document()["paths"][path][method]["requestBody"]["content"]["application/json"]["example"])
