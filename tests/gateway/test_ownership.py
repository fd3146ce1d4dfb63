"""A gateway of a stack that does not own the bucket."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import encode_basic_auth
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.routes import IMAGECONVERTER, IMAGECONVERTER_BASE, IMAGES, WITHOUT_BUCKET
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings, storage_settings

_PASSWORD = "a-password-for-tests"
_VALUES = {"typeId": "products", "imageKey": "key", "requestFormat": "auto:200x150"}
_ROUTES = [
    *(("/images", route) for route in IMAGES),
    *((IMAGECONVERTER_BASE, route) for route in IMAGECONVERTER),
]


@pytest.fixture(scope="module")
async def foreign(make_settings: MakeSettings, servers: dict[str, str]) -> AsyncIterator[TestClient[Any, Any]]:
    """A gateway whose bucket another stack owns."""
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, admin_password=_PASSWORD, token_secret=TOKEN_SECRET),
        storage=storage_settings(servers, bucket=f"foreign-{uuid4().hex[:12]}"),
    )
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        await resources.store.put(keys.OWNER, b"another-stack 1", content_type="text/plain")
        await resources.store.put(keys.target("products/a.png"), b"data", content_type="image/png")
        await resources.ownership.claim()
        async with TestClient(TestServer(create_app(settings, resources))) as client:
            yield client


async def test_both_apis_are_refused(foreign: TestClient[Any, Any]) -> None:
    """In the shape of each, with the reason, except where the bucket is not needed."""
    for base, route in _ROUTES:
        path = re.sub(r"\{(\w+)\}", lambda found: _VALUES.get(found[1], "a"), base + route.path)
        headers = ADMIN if base == "/images" else {"Authorization": encode_basic_auth("admin", _PASSWORD)}
        for method in route.methods:
            async with foreign.request(method, path, headers=headers) as response:
                if route.handler in WITHOUT_BUCKET:
                    assert response.status < 500
                    continue
                assert (method, path, response.status) == (method, path, 503)
                assert "Retry-After" in response.headers
                assert "Another stack owns the bucket" in await response.text()


async def test_readiness_names_the_problem(foreign: TestClient[Any, Any]) -> None:
    """And converted images, which belong to the other stack, are still served."""
    async with foreign.get("/health/ready") as response:
        body = await response.json()
        assert (response.status, body["store"], body["redis"]) == (503, "up", "up")
        assert any("Another stack owns the bucket" in each for each in body["problems"])
    async with foreign.get("/content/products/a.png") as response:
        assert (response.status, await response.read()) == (200, b"data")
