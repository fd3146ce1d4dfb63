"""Uploads while Redis or the object store is unavailable."""

import time
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import open_resources
from imageconverter.settings import RedisSettings
from services.gateway.app import create_app
from tests.conftest import MakeSettings, storage_settings
from tests.gateway.images_api.test_uploads import Client, body, post
from tests.testing.faults import FaultProxy, Mode, fault_proxy

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def proxies(servers: dict[str, str]) -> AsyncIterator[dict[str, FaultProxy]]:
    """A fault proxy for each server."""
    s3, redis = (urlsplit(servers[f"IMAGECONVERTER_{name}"]).port for name in ("S3_ENDPOINT", "REDIS_URL"))
    assert s3 is not None
    assert redis is not None
    async with fault_proxy(s3) as before_s3, fault_proxy(redis) as before_redis:
        yield {"s3": before_s3, "redis": before_redis}


@pytest.fixture
async def fragile(
    servers: dict[str, str], make_settings: MakeSettings, proxies: dict[str, FaultProxy]
) -> AsyncIterator[Client]:
    """A gateway that connects to its servers through the fault proxies."""
    port = str(urlsplit(servers["IMAGECONVERTER_REDIS_URL"]).port)
    settings = make_settings(
        storage=storage_settings(servers, endpoint=f"http://127.0.0.1:{proxies['s3'].port}", timeout_seconds=4),
        redis=RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"].replace(port, str(proxies["redis"].port))),
    )
    async with (
        open_resources(settings, retry_timeout=4) as resources,
        TestClient(TestServer(create_app(settings, resources))) as client,
    ):
        yield client


@pytest.mark.slow
@pytest.mark.parametrize("server", ["s3", "redis"])
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACK_HOLE])
async def test_an_outage_is_unavailable_in_time_and_recovers(
    fragile: Client, proxies: dict[str, FaultProxy], server: str, mode: Mode
) -> None:
    """`internalError` within five seconds; the next request succeeds when the server is back."""
    assert (await post(fragile, "/images/upload/convert", body()))[0] == 200
    proxies[server].fail(mode)
    began = time.monotonic()
    status, response = await post(fragile, "/images/upload/convert", body())
    took = time.monotonic() - began
    proxies[server].fail(Mode.PASS)

    assert (status, response["type"]) == (503, "internalError")
    assert took < 5
    assert (await post(fragile, "/images/upload/convert", body()))[0] == 200
