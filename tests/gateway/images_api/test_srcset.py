"""`GET images/srcset/{typeId}`: the images of a set for a page."""

from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.images.test_format_sets import SET
from tests.images.test_formats_file import FORMAT
from tests.testing import image_files

Client = TestClient[Any, Any]

GALLERY = "content.imageFormat.gallery"
BASE = "//cdn.example/products/gallery"


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """A gateway with a set, a format of it, and keys of one type."""
    folder = tmp_path_factory.mktemp("shop")
    (folder / "formats.toml").write_text(SET + FORMAT)
    (folder / "keys.toml").write_text(
        key_entry("p", "products", ["products.read"]) + key_entry("c", "categories", ["categories.read"])
    )
    gateway = GatewaySettings(
        api_key=API_KEY, api_keys_file=folder / "keys.toml", content_host="cdn.example", wait_seconds=20
    )
    served = replace(resources, formats=CurrentFormats(folder / "formats.toml"))
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), served))) as client:
        yield client


async def srcset(client: Client, name: str, node: str = GALLERY) -> dict[str, Any]:
    """Return what there is of an image."""
    parameters = {"formatNodeId": node, "fileName": name}
    async with client.get("/images/srcset/products", params=parameters, headers=ADMIN) as response:
        assert response.status == 200
        return dict(await response.json())


@pytest.mark.usefixtures("worker")
async def test_a_source_is_listed_with_its_own_width_once(client: Client) -> None:
    """It is 500 pixels wide: wider boxes have the same image, and browsers need its true width."""
    image = b64encode(image_files.png((500, 200))).decode()
    upload = {"fileName": "a chair, red.png", "formats": [GALLERY], "imageData": image}
    async with client.post("/images/upload/convert", json=upload, headers=ADMIN) as response:
        items = (await response.json())["items"]
    assert [each["output"] for each in items] == [
        f"products/gallery/{width}w/a chair, red.webp" for width in (320, 640, 1280)
    ]

    urls = [f"{BASE}/{width}w/a%20chair%2C%20red.webp" for width in (320, 640, 1280)]
    assert await srcset(client, "a chair, red.png") == {
        "srcset": f"{urls[0]} 320w, {urls[1]} 500w",
        "candidates": [
            {"url": url, "width": width, "exists": True} for url, width in zip(urls, (320, 500, 500), strict=True)
        ],
    }


async def test_only_images_that_exist_are_in_the_srcset(client: Client, resources: Resources) -> None:
    """One that an earlier release has stored has the width of its format."""
    await resources.store.put(keys.target("products/gallery/640w/old.webp"), b"image", content_type="image/webp")

    assert await srcset(client, "old.jpg") == {
        "srcset": f"{BASE}/640w/old.webp 640w",
        "candidates": [
            {"url": f"{BASE}/{width}w/old.webp", "width": width, "exists": width == 640} for width in (320, 640, 1280)
        ],
    }
    assert (await srcset(client, "nothing.jpg"))["srcset"] == ""


async def test_a_format_alone_is_one_candidate(client: Client) -> None:
    """One of a set, or any other."""
    found = await srcset(client, "none.tiff", "content.imageFormat.small")

    assert found["candidates"] == [{"url": "//cdn.example/small/none.png", "width": 100, "exists": False}]
    assert len((await srcset(client, "none.jpg", f"{GALLERY}-320w"))["candidates"]) == 1


@pytest.mark.parametrize(
    ("path", "code", "field"),
    [
        (f"/srcset/nosuch?formatNodeId={GALLERY}&fileName=a.jpg", "invalidValue", "typeId"),
        (f"/srcset/products?formatNodeId={GALLERY}", "missing", "fileName"),
        ("/srcset/products?fileName=a.jpg", "missing", "formatNodeId"),
        (f"/srcset/products?formatNodeId={GALLERY}x&fileName=a.jpg", "invalidValue", "formatNodeId"),
        (f"/srcset/categories?formatNodeId={GALLERY}&fileName=a.jpg", "invalidValue", "formatNodeId"),
        (f"/srcset/products?formatNodeId={GALLERY}&fileName=..%2Fa.jpg", "invalidValue", "fileName"),
        (f"/srcset/products?formatNodeId={GALLERY}&fileName=a.jpg&subshopId=b", "invalidValue", "subshopId"),
        (f"/url/products?formatNodeId={GALLERY}", "invalidValue", "formatNodeId"),
    ],
)
async def test_each_invalid_request_has_its_error(client: Client, path: str, code: str, field: str) -> None:
    """As for the URL of a format."""
    async with client.get(f"/images{path}", headers=ADMIN) as response:
        body = await response.json()

    assert (response.status, body["type"], body["field"]) == (400, code, field)


@pytest.mark.parametrize(("key", "status"), [("products", 200), ("categories", 401)])
async def test_reading_needs_the_permission_for_the_type(client: Client, key: str, status: int) -> None:
    """That of the path."""
    path = f"/images/srcset/products?formatNodeId={GALLERY}&fileName=a.jpg"
    async with client.get(path, headers={"Authorization": f"Bearer {key}"}) as response:
        assert response.status == status
