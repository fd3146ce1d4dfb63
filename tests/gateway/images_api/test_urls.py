"""`GET images/url/{typeId}`: every row of its error table, under both base paths."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings

NORMAL = "content.imageFormat.normal"


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_documented_url_example(gateway: TestClient[Any, Any], base: str, slash: str) -> None:
    """Products, the format `normal`, no subshop; with and without a trailing slash."""
    async with gateway.get(f"{base}/url/products{slash}?formatNodeId={NORMAL}", headers=ADMIN) as response:
        assert response.status == 200
        assert await response.json() == {"url": "//127.0.0.1:8005/content/products/normal"}


@pytest.mark.parametrize(
    ("type_id", "node", "directory"),
    [
        ("products", "thumbnailProduct", "products/thumbnail"),
        ("categories", "normalCategory", "categories/normal"),
        ("appImages", "app", "app"),
    ],
)
async def test_each_type_has_its_directory(
    gateway: TestClient[Any, Any], type_id: str, node: str, directory: str
) -> None:
    """The URL is that of the format's target directory."""
    path = f"/images/url/{type_id}?formatNodeId=content.imageFormat.{node}&subshopId=default"
    async with gateway.get(path, headers=ADMIN) as response:
        assert (await response.json())["url"] == f"//127.0.0.1:8005/content/{directory}"


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        (f"/url/product?formatNodeId={NORMAL}", "invalidValue", "typeId"),
        (f"/url/Products?formatNodeId={NORMAL}", "invalidValue", "typeId"),
        ("/url/products", "missing", "formatNodeId"),
        ("/url/products?formatNodeId=", "missing", "formatNodeId"),
        ("/url/products?formatNodeId=content.imageFormat.unknown", "invalidValue", "formatNodeId"),
        (f"/url/categories?formatNodeId={NORMAL}", "invalidValue", "formatNodeId"),
        (f"/url/products?formatNodeId={NORMAL}&subshopId=other", "invalidValue", "subshopId"),
        (f"/url/products?formatNodeId={NORMAL}&subshopId=", "invalidValue", "subshopId"),
    ],
)
async def test_each_invalid_request_has_its_error_type(
    gateway: TestClient[Any, Any], path: str, code: str, field: str
) -> None:
    """With type, reason and field of the error table's row."""
    async with gateway.get(f"/images{path}", headers=ADMIN) as response:
        body = await response.json()

    assert response.status == 400
    assert body.pop("reason").endswith(".")
    assert body == {"error": "Bad Request", "type": code, "field": field}


async def test_the_subshop_is_required_without_a_default(make_settings: MakeSettings, resources: Resources) -> None:
    """`subshopId` is required then."""
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, subshops=""))
    formats = CurrentFormats(None, subshop_ids=settings.gateway.subshop_ids)
    async with (
        TestClient(TestServer(create_app(settings, replace(resources, formats=formats)))) as client,
        client.get(f"/images/url/products?formatNodeId={NORMAL}", headers=ADMIN) as response,
    ):
        assert response.status == 400
        assert (await response.json())["type"] == "missing"


async def test_reading_needs_the_permission_for_the_type(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """A key for products cannot read categories."""
    keys = tmp_path / "keys.toml"
    keys.write_text(key_entry("products", "products-only", ["products.read"]))
    settings = make_settings(gateway=GatewaySettings(api_keys_file=keys, content_host="https://cdn.example/"))
    headers = {"Authorization": "Bearer products-only"}
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        async with client.get(f"/images/url/products?formatNodeId={NORMAL}", headers=headers) as response:
            assert await response.json() == {"url": "//cdn.example/products/normal"}
        path = "/images/url/categories?formatNodeId=content.imageFormat.normalCategory"
        async with client.get(path, headers=headers) as response:
            assert response.status == 401
