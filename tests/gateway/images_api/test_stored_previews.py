"""The previews of the ImageConverter API, for their administrator."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.previews.test_index import SMALL, key_of, put
from tests.testing.runs import Client, get

PATH = "/images/previews"


@pytest.fixture
async def index(resources: Resources) -> AsyncIterator[PreviewIndex]:
    """Three keys: two of the context `mail`, one of `docs`."""
    found = [name async for name in resources.redis.scan_iter("ic:preview*", count=1000)]
    if found:
        await resources.redis.delete(*found)
    index = PreviewIndex(resources.redis, retry_timeout=20)
    for number, context in enumerate(("mail", "mail", "docs")):
        await put(index, key_of(number), context=context, source=100, small=20)
    yield index
    for number in range(3):
        await index.remove(key_of(number))


async def delete(client: Client, path: str) -> tuple[int, object]:
    """Delete *path*; returns status and body."""
    async with client.delete(path, headers=ADMIN) as response:
        return response.status, await response.json()


@pytest.mark.usefixtures("index")
async def test_keys_are_listed_with_what_is_stored_of_them(gateway: Client) -> None:
    """In pages, with totals."""
    status, first = await get(gateway, f"{PATH}?limit=2")
    _, last = await get(gateway, f"{PATH}?limit=2&cursor={first['cursor']}")

    assert status == 200
    assert [each["key"] for each in first["items"] + last["items"]] == [key_of(2), key_of(1), key_of(0)]
    assert "cursor" not in last
    assert first["totals"] == {"keys": 3, "size": 360}
    assert first["items"][0]["contexts"] == ["docs"]
    assert first["items"][0]["size"] == 120
    assert first["items"][0]["previews"] == [
        {"format": SMALL, "type": "image/jpeg", "width": 200, "height": 150, "size": 20}
    ]


@pytest.mark.usefixtures("index")
async def test_keys_are_found_by_text_and_context(gateway: Client) -> None:
    """And contexts are listed with the number of their keys."""
    _, by_text = await get(gateway, f"{PATH}?search={key_of(1)[:20]}")
    _, by_context = await get(gateway, f"{PATH}?context=mail")
    _, contexts = await get(gateway, f"{PATH}/contexts")

    assert [each["key"] for each in by_text["items"]] == [key_of(1)]
    assert {each["key"] for each in by_context["items"]} == {key_of(0), key_of(1)}
    assert contexts["items"] == [{"context": "mail", "keys": 2}, {"context": "docs", "keys": 1}]


async def test_one_key_a_context_or_all_are_removed(gateway: Client, index: PreviewIndex) -> None:
    """But never all by mistake."""
    assert await delete(gateway, f"{PATH}/{key_of(0)}") == (200, {})
    assert (await delete(gateway, f"{PATH}/{key_of(0)}"))[0] == 404
    assert await delete(gateway, f"{PATH}?context=mail") == (200, {"keys": 1})
    for query in ("", "?all=false", "?context=", "?context=mail&all=null"):
        assert (await delete(gateway, PATH + query))[0] == 400
    assert await index.count() == 1
    assert await delete(gateway, f"{PATH}?all=true") == (200, {"keys": 1})
    assert await index.count() == 0


@pytest.mark.parametrize("cursor", ["-1", "x", "1" * 30, str(2**64), "²"])
async def test_a_cursor_that_is_none_is_refused(gateway: Client, cursor: str) -> None:
    """As a parameter."""
    for more in ("", "&search=a"):
        status, response = await get(gateway, f"{PATH}?cursor={cursor}{more}")
        assert (status, response["field"]) == (400, "cursor")


async def test_the_admin_permission_is_needed(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """Keys give access to the images of others."""
    rights = ["images.read", "images.publish", "images.delete"]
    (tmp_path / "keys.toml").write_text(key_entry("shop", "a key of a shop", rights))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml"))
    shop = {"Authorization": "Bearer a key of a shop"}
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for method, path in (("GET", ""), ("GET", "/contexts"), ("DELETE", "?all=true"), ("DELETE", "/a")):
            async with client.request(method, PATH + path, headers=shop) as response:
                assert response.status == 401
