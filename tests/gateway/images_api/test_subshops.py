"""Operations for subshops with formats, a prefix and a content host of their own."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.images.test_format_sets import SET
from tests.images.test_formats_file import FORMAT
from tests.images.test_subshops_file import SUBSHOPS

Client = TestClient[Any, Any]

SMALL, CARD, GALLERY = (f"content.imageFormat.{name}" for name in ("small", "card", "gallery"))
URLS = (f"/url/products?formatNodeId={SMALL}", f"/srcset/products?formatNodeId={SMALL}&fileName=a")


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Client]:
    """A gateway with the subshops main, outdoor and sale."""
    folder = tmp_path_factory.mktemp("shops")
    (folder / "formats.toml").write_text(FORMAT + SET)
    (folder / "subshops.toml").write_text(SUBSHOPS)
    gateway = GatewaySettings(api_key=API_KEY, content_host="cdn.example", wait_seconds=20)
    formats = CurrentFormats(folder / "formats.toml", folder / "subshops.toml")
    app = create_app(make_settings(gateway=gateway), replace(resources, formats=formats))
    async with TestClient(TestServer(app)) as client:
        yield client


async def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    """Return the body of a response with that *status*."""
    async with client.get(f"/images{path}", headers=ADMIN) as response:
        body: dict[str, Any] = await response.json()
    assert response.status == status, body
    return body


@pytest.mark.parametrize(
    ("subshop", "node_id", "url"),
    [
        ("", SMALL, "//cdn.example/small"),
        ("&subshopId=main", SMALL, "//cdn.example/small"),
        ("&subshopId=outdoor", SMALL, "//content.outdoor.example/small"),
        ("&subshopId=sale", CARD, "//cdn.example/shops/sale/cards"),
    ],
)
async def test_a_url_has_the_content_host_or_the_prefix_of_the_subshop(
    client: Client, subshop: str, node_id: str, url: str
) -> None:
    """Its own host serves its part of the tree; without one, the prefix is in the path."""
    assert await get(client, f"/url/products?formatNodeId={node_id}{subshop}") == {"url": url}


@pytest.mark.parametrize(("subshop", "base"), [("main", "cdn.example"), ("outdoor", "content.outdoor.example")])
async def test_a_srcset_has_the_urls_of_the_subshop(client: Client, subshop: str, base: str) -> None:
    """Also of images that are not there."""
    found = await get(client, f"/srcset/products?formatNodeId={GALLERY}&fileName=nowhere.jpg&subshopId={subshop}")

    assert [each["url"] for each in found["candidates"]] == [
        f"//{base}/products/gallery/{width}w/nowhere.webp" for width in (320, 640, 1280)
    ]


@pytest.mark.parametrize(
    "path", [f"/url/products?formatNodeId={SMALL}", f"/srcset/products?formatNodeId={SMALL}&fileName=a"]
)
async def test_a_format_that_the_subshop_does_not_have_is_invalid(client: Client, path: str) -> None:
    """The reason names those that it has."""
    body = await get(client, f"{path}&subshopId=sale", 400)

    assert (body["type"], body["field"]) == ("invalidValue", "formatNodeId")
    assert body["reason"] == f'The image format "{SMALL}" is not one of products; there are: {CARD}.'


@pytest.mark.parametrize("subshop", ["other", "Outdoor", "", "outdoor%00", "../outdoor", "%3Cscript%3E", "a" * 2000])
@pytest.mark.parametrize(
    "path", [f"/url/products?formatNodeId={SMALL}", f"/srcset/products?formatNodeId={SMALL}&fileName=a"]
)
async def test_an_unknown_subshop_is_invalid(client: Client, path: str, subshop: str) -> None:
    """With the field, and nothing of the id that a page could interpret."""
    body = await get(client, f"{path}&subshopId={subshop}", 400)

    assert (body["type"], body["field"]) == ("invalidValue", "subshopId")
    assert body["reason"].startswith("There is no subshop ")
    assert not {"<", "\0"} & set(body["reason"])
    assert len(body["reason"]) < 100
