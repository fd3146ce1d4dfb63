"""Thousands of requests that schemathesis generates from the documents; the responses conform to them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import GatewaySettings, RedisSettings
from services.gateway.app import create_app
from services.gateway.routes import IMAGECONVERTER_BASE
from services.reporter.main import run as run_reporter
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings, storage_settings
from tests.testing import image_files
from tests.testing.openapi_document import IMAGECONVERTER, IMAGES, Contract

PASSWORD = "a-password-for-tests"


@pytest.fixture
async def client(make_settings: MakeSettings, servers: dict[str, str]) -> AsyncIterator[TestClient[Any, Any]]:
    """A complete stack with its own bucket and database, which contain the objects of the documents' examples."""
    settings = make_settings(
        gateway=GatewaySettings(
            api_key=API_KEY, admin_password=PASSWORD, token_secret=TOKEN_SECRET, start_seconds=0, login_failures=1000
        ),
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/1"),
        storage=storage_settings(servers, bucket="contract"),
    )
    start = _example("/images/convert/start", "post")
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        for key in (f"source/{start['directory']}/myPicture.png", "target/products/normal/myPicture.png"):
            await resources.store.put(key, image_files.png(), content_type="image/png")
        stopping = asyncio.Event()
        running = [asyncio.create_task(run(settings, stopping)) for run in (run_worker, run_reporter)]
        try:
            async with TestClient(TestServer(create_app(settings, resources))) as client:
                async with client.post("/images/convert/start", json=start, headers=ADMIN) as response:
                    assert response.status == 200
                yield client
        finally:
            stopping.set()
            await asyncio.gather(*running)


@pytest.mark.slow
async def test_the_images_api_conforms_to_its_document(
    client: TestClient[Any, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Examples, limits, random bodies and sequences; no 500, no other status, type or shape."""
    await _fuzz(client, IMAGES, ADMIN["Authorization"], tmp_path, thorough=request.config.getoption("thorough"))


@pytest.mark.slow
async def test_the_imageconverter_api_conforms_to_its_document(
    client: TestClient[Any, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """With an image under the key of the examples."""
    key = IMAGECONVERTER.document["components"]["parameters"]["ImageKey"]["example"]
    body = FormData()
    body.add_field("sourceImage", image_files.png(), filename="a.png")
    async with client.post(f"{IMAGECONVERTER_BASE}/cacheImage/{key}", data=body) as response:
        assert response.status == 200
    credentials = encode_basic_auth("admin", PASSWORD)
    await _fuzz(client, IMAGECONVERTER, credentials, tmp_path, thorough=request.config.getoption("thorough"))


async def _fuzz(
    client: TestClient[Any, Any], contract: Contract, credentials: str, folder: Path, *, thorough: bool
) -> None:
    config = Path(__file__).with_name(f"{contract.file.stem}.toml")
    document = folder / f"{contract.file.stem}.json"
    document.write_text(json.dumps(contract.strict))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", config, "run", document),
        *(("--max-examples", "300") if thorough else ()),
        *("--url", str(client.make_url("/")), "--header", f"Authorization:{credentials}", "--no-color"),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()

    text = output.decode()
    print(*(line for line in text.splitlines() if "generated" in line))  # noqa: T201 - how many requests there were
    assert process.returncode == 0, text


def _example(path: str, method: str) -> dict[str, str]:
    return dict(IMAGES.document["paths"][path][method]["requestBody"]["content"]["application/json"]["example"])
