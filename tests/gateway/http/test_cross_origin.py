"""Requests of pages of other origins, and OPTIONS, as browsers send them by the Fetch standard."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import ValidationError

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.routes import routes
from tests.conftest import ADMIN, API_KEY, TOKEN_SECRET, MakeSettings

Client = TestClient[Any, Any]

SHOP, EVIL = "https://shop.example", "https://evil.example"
LOGIN = "/admin/api/v1/login"
PREFLIGHT = {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type,idempotency-key",
}


@pytest.fixture
async def sharing(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway that pages of the shop may call."""
    gateway = GatewaySettings(
        api_key=API_KEY, token_secret=TOKEN_SECRET, cors_origins=f"{SHOP}, http://localhost:8080"
    )
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        yield client


def cors(headers: Any) -> dict[str, str]:
    """Return the headers of CORS."""
    return {name: value for name, value in headers.items() if name.startswith("Access-Control-")}


@pytest.mark.parametrize("path", ["/images/upload", "/imageconverter/status", "/content/a.png", "/images/sources/a"])
@pytest.mark.parametrize("origin", [SHOP, "http://localhost:8080"])
async def test_a_preflight_of_an_allowed_origin_is_granted(sharing: Client, path: str, origin: str) -> None:
    """Without credentials; for the methods of the path and the headers that the API knows."""
    async with sharing.options(path, headers={"Origin": origin, **PREFLIGHT}) as response:
        found = cors(response.headers)

    assert response.status == 204
    assert found["Access-Control-Allow-Origin"] == origin
    assert found["Access-Control-Allow-Methods"] == response.headers["Allow"]
    assert {"authorization", "content-type", "idempotency-key"} <= set(
        found["Access-Control-Allow-Headers"].lower().split(", ")
    )
    assert "Access-Control-Allow-Credentials" not in found
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("path", ["/images/convert/status", "/nowhere", "/images/upload"])
async def test_a_response_can_be_read_by_an_allowed_origin(sharing: Client, path: str) -> None:
    """Errors too, with the headers of the API."""
    async with sharing.get(path, headers={**ADMIN, "Origin": SHOP}) as response:
        found = cors(response.headers)

    assert found["Access-Control-Allow-Origin"] == SHOP
    assert "X-Request-ID" in found["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in found


@pytest.mark.parametrize("origin", [EVIL, "null", "https://shop.example.evil.example", "HTTPS://SHOP.EXAMPLE", ""])
@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
async def test_other_origins_are_not_allowed(sharing: Client, method: str, origin: str) -> None:
    """Vary shows caches that it depends on the origin."""
    headers = {**ADMIN, "Origin": origin, **PREFLIGHT}
    async with sharing.request(method, "/images/convert/status", headers=headers) as response:
        assert cors(response.headers) == {}
        assert response.headers["Vary"] == "Origin"


async def test_without_the_setting_no_origin_is_allowed(gateway: Client) -> None:
    """Nor does a response depend on it."""
    async with gateway.options("/images/upload", headers={"Origin": SHOP, **PREFLIGHT}) as response:
        assert (response.status, cors(response.headers), response.headers.get("Vary")) == (204, {}, None)


async def test_cookies_of_an_allowed_origin_are_not_accepted(sharing: Client) -> None:
    """The guard against cross-site requests stays; with a key the request is carried out."""
    foreign = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}
    async with sharing.post(f"{LOGIN}?setCookie", json={"apiKey": API_KEY}) as response:
        tokens = await response.json()
    for headers, status in (({"Cookie": f"accessToken={tokens['accessToken']}"}, 401), (ADMIN, 200)):
        async with sharing.post("/images/report", data=b"{}", headers={**foreign, **headers}) as response:
            assert response.status == status
    async with sharing.post(LOGIN, data=json.dumps({"apiKey": API_KEY}), headers=foreign) as response:
        assert response.status == 401


async def test_options_lists_the_methods_of_every_path(gateway: Client) -> None:
    """HEAD wherever there is GET, except where GET deletes."""
    methods: dict[str, set[str]] = {}
    for route in routes():
        methods.setdefault(route.path, {"OPTIONS"}).add(route.method)
        if route.kwargs.get("allow_head"):
            methods[route.path].add("HEAD")
    for path in [each for each in methods if "{" not in each]:
        async with gateway.options(path) as response:
            allowed = set(response.headers["Allow"].split(", "))
            assert response.status == 204
            assert methods[path] <= allowed, path
            assert ("GET" not in allowed) or ("HEAD" in allowed) or ("DELETE" in allowed), path


@pytest.mark.parametrize(
    "invalid", ["*", "null", "shop.example", "https://shop.example/", "https://Shop.example", "ftp://shop.example"]
)
def test_a_setting_that_is_no_origin_is_refused(invalid: str) -> None:
    """It would never match what a browser sends, or match everything."""
    with pytest.raises(ValidationError, match="is not an origin such as https://shop\\.example"):
        GatewaySettings(cors_origins=f"https://a.example,{invalid}")
