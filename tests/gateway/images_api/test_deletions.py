"""`DELETE images/upload/{typeId}` and `…/{filename}`."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, MakeSettings

Client = TestClient[Any, Any]

PATH = "/images/upload"
PLACES = ["products/normal", "products/thumbnail", "products/large", "categories/normal", "app"]
PRODUCT, THUMBNAIL = "content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct"


async def delete(client: Client, path: str, body: Any = None) -> tuple[int, Any]:
    """Send a deletion; returns status and body."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    async with client.delete(path, data=data, headers=ADMIN) as response:
        return response.status, await response.json()


@pytest.fixture
async def name(resources: Resources) -> str:
    """An image that was converted to every format, and its source."""
    name = f"{uuid4().hex} ü#%.png"
    for place in PLACES:
        await resources.store.put(f"target/{place}/{name}", b"x", content_type="image/png")
    await resources.store.put(f"source/{name}", b"x", content_type="image/png")
    return name


async def left(resources: Resources, name: str) -> list[str]:
    """Return the paths at which the image still exists."""
    return [place for place in PLACES if await resources.store.head(f"target/{place}/{name}")]


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_without_formats_all_of_the_type_are_deleted(
    gateway: Client, resources: Resources, name: str, base: str, slash: str
) -> None:
    """Neither those of other types nor the source."""
    assert await delete(gateway, f"{base}/upload/products{slash}", {"fileName": name}) == (200, {})
    assert await left(resources, name) == ["categories/normal", "app"]
    assert await resources.store.head(f"source/{name}") is not None


async def test_with_formats_only_these_are_deleted(gateway: Client, resources: Resources, name: str) -> None:
    """Several names in one request; a missing image is ignored."""
    body = {"fileName": [name, "does not exist.png"], "formats": [THUMBNAIL]}

    assert await delete(gateway, f"{PATH}/products", body) == (200, {})
    assert await left(resources, name) == ["products/normal", "products/large", "categories/normal", "app"]


@pytest.mark.parametrize("body", [None, {"formats": [PRODUCT]}])
async def test_the_name_may_be_in_the_path(gateway: Client, resources: Resources, name: str, body: Any) -> None:
    """Percent-encoded, without a body."""
    assert await delete(gateway, f"{PATH}/products/{quote(name)}", body) == (200, {})
    assert "products/normal" not in await left(resources, name)
    assert ("products/large" in await left(resources, name)) == (body is not None)


FAULTS: list[tuple[str, Any, int, str]] = [
    ("product", {"fileName": "a.png"}, 400, "invalidValue"),
    ("products", b"", 400, "missing"),
    ("products", b"{", 400, ""),
    ("products", b"[]", 400, ""),
    ("products", {}, 400, "missing"),
    ("products", {"formats": [PRODUCT]}, 400, "missing"),
    ("products", {"fileName": 1}, 400, "invalidFormat"),
    ("products", {"fileName": [1]}, 400, "invalidFormat"),
    ("products", {"fileName": "a.png", "formats": PRODUCT}, 400, "invalidFormat"),
    ("products", {"fileName": "a.png", "formats": None}, 400, "invalidFormat"),
    ("products/a.png", {"formats": None}, 400, "invalidFormat"),
    ("products", {"fileName": "a.png", "formats": [1]}, 400, "invalidFormat"),
    ("products", {"fileName": "a.png", "extra": 1}, 400, "unknownDataField"),
    ("products", {"fileName": []}, 400, "invalidValue"),
    ("products", {"fileName": ""}, 400, "invalidValue"),
    ("products", {"fileName": "../a.png"}, 400, "invalidValue"),
    ("products", {"fileName": "a/b.png"}, 400, "invalidValue"),
    ("products", {"fileName": ["a.png", "a\0.png"]}, 400, "invalidValue"),
    ("products", {"fileName": "a.png", "formats": []}, 400, "invalidValue"),
    ("products", {"fileName": "a.png", "formats": ["unknown"]}, 400, "invalidValue"),
    ("products", {"fileName": "a.png", "formats": ["content.imageFormat.app"]}, 400, "invalidValue"),
    ("products", {"fileName": "does not exist.png"}, 404, ""),
    ("appImages", {"fileName": ["does not exist.png", "neither.png"]}, 404, ""),
    ("products/does not exist.png", None, 404, ""),
    ("products/a%2fb.png", None, 400, "invalidValue"),
    ("products/a%5cb.png", None, 400, "invalidValue"),
    ("products/a.png", {"fileName": "a.png"}, 400, "unknownDataField"),
    ("nonsense/a.png", None, 400, "invalidValue"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), FAULTS, ids=range(len(FAULTS)))
async def test_each_error_has_its_type(gateway: Client, path: str, body: Any, status: int, code: str) -> None:
    """As in the error table of the API."""
    answered, response = await delete(gateway, f"{PATH}/{path}", body)

    assert (answered, response.get("type", "")) == (status, code)
    assert response["reason"].endswith(".")


async def test_one_unsafe_name_prevents_all_deletions(gateway: Client, resources: Resources, name: str) -> None:
    """All names are validated first."""
    await delete(gateway, f"{PATH}/products", {"fileName": [name, "../x"]})

    assert await left(resources, name) == PLACES


async def test_deleting_needs_the_permission_for_the_type(
    make_settings: MakeSettings, resources: Resources, name: str, tmp_path: Path
) -> None:
    """A key for products cannot delete categories."""
    file = tmp_path / "keys.toml"
    file.write_text(
        key_entry("p", "products", ["images.delete.products"]) + key_entry("r", "reader", ["images.read"])
    )
    settings = make_settings(gateway=GatewaySettings(api_keys_file=file))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for key, type_id, expected_status in (
            ("reader", "products", 401),
            ("products", "categories", 401),
            ("products", "products", 200),
        ):
            headers = {"Authorization": f"Bearer {key}"}
            path = f"{PATH}/{type_id}/{quote(name)}"
            async with client.delete(path, headers=headers) as response:
                assert (key, type_id, response.status) == (key, type_id, expected_status)
