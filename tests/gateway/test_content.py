"""`GET /content/<path>`, as browsers and proxies use it."""

import unicodedata
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.resources import Resources

Client = TestClient[Any, Any]

DATA = bytes(range(200))


@pytest.fixture
async def path(resources: Resources) -> str:
    """A stored image."""
    name = f"products/normal/{uuid4().hex} ü.png"
    await resources.store.put(f"target/{name}", DATA, content_type="image/png")
    return f"/content/{name}"


async def test_an_image_is_public_and_safe(gateway: Client, path: str) -> None:
    """No key is required; it has the stored type and security headers."""
    async with gateway.get(path) as response:
        assert await response.read() == DATA
        assert response.status == 200
        assert response.content_type == "image/png"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        assert response.headers["Accept-Ranges"] == "bytes"
        assert response.headers["Server"] == "imageconverter"
        assert response.headers["ETag"].startswith('"')
        assert "Last-Modified" in response.headers


async def test_a_name_in_either_normal_form_is_found(gateway: Client, resources: Resources) -> None:
    """Some programs store names in form D, which reports count as present."""
    name = f"{uuid4().hex} {unicodedata.normalize('NFD', 'ü')}.png"
    await resources.store.put(f"target/products/normal/{name}", DATA, content_type="image/png")
    for form in ("NFC", "NFD"):
        async with gateway.get(f"/content/products/normal/{unicodedata.normalize(form, name)}") as response:
            assert (response.status, await response.read()) == (200, DATA)


async def test_head_has_the_headers_of_get(gateway: Client, path: str) -> None:
    """Content-Length, Content-Type and ETag."""
    async with gateway.head(path) as response:
        assert await response.read() == b""
        assert response.headers["Content-Length"] == "200"
        assert response.content_type == "image/png"


async def test_an_unchanged_image_is_not_modified(gateway: Client, path: str) -> None:
    """By ETag, weak ETag, `*` or date; a stale ETag gets the image."""
    async with gateway.get(path) as response:
        tag, date = response.headers["ETag"], response.headers["Last-Modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": date},
    ):
        async with gateway.get(path, headers=headers) as response:
            assert (response.status, await response.read()) == (304, b"")
            assert response.headers["ETag"] == tag
    for headers in ({"If-None-Match": '"other"'}, {"If-None-Match": '"other"', "If-Modified-Since": date}):
        async with gateway.get(path, headers=headers) as response:
            assert (response.status, await response.read()) == (200, DATA)


async def test_a_precondition_may_fail(gateway: Client, path: str) -> None:
    """By strong ETag or date; the tag counts if there are both (RFC 9110, 13.1.1 and 13.1.4)."""
    async with gateway.get(path) as response:
        tag, date = response.headers["ETag"], response.headers["Last-Modified"]
    past = "Mon, 01 Jan 2024 00:00:00 GMT"
    for method in (gateway.get, gateway.head):
        for headers, status in (
            ({"If-Match": tag}, 200),
            ({"If-Match": f'"other", {tag}'}, 200),
            ({"If-Match": "*"}, 200),
            ({"If-Match": tag, "If-Unmodified-Since": past}, 200),
            ({"If-Match": tag, "Range": "bytes=0-9"}, 206),
            ({"If-Match": tag, "If-None-Match": tag}, 304),
            ({"If-Unmodified-Since": date}, 200),
            ({"If-Unmodified-Since": "not a date"}, 200),
            ({"If-Match": '"other"'}, 412),
            ({"If-Match": f"W/{tag}"}, 412),
            ({"If-Match": '"other"', "If-Unmodified-Since": date}, 412),
            ({"If-Match": '"other"', "If-None-Match": tag}, 412),
            ({"If-Match": '"other"', "Range": "bytes=0-9"}, 412),
            ({"If-Unmodified-Since": past}, 412),
        ):
            async with method(path, headers=headers) as response:
                assert response.status == status, headers
    async with gateway.get("/content/products/none.png", headers={"If-Match": "*"}) as response:
        assert response.status == 404


@pytest.mark.parametrize(
    ("requested", "first", "after"),
    [
        ("0-0", 0, 1),
        ("10-19", 10, 20),
        ("190-", 190, 200),
        ("-5", 195, 200),
        ("100-9999", 100, 200),
        ("-999", 0, 200),
    ],
)
async def test_a_range_is_partial_content(gateway: Client, path: str, requested: str, first: int, after: int) -> None:
    """206 with Content-Range."""
    async with gateway.get(path, headers={"Range": f"bytes={requested}"}) as response:
        assert response.status == 206
        assert response.headers["Content-Range"] == f"bytes {first}-{after - 1}/200"
        assert await response.read() == DATA[first:after]


@pytest.mark.parametrize("requested", ["200-", "-0", "-00"])
async def test_a_range_without_a_byte_is_not_satisfiable(gateway: Client, path: str, requested: str) -> None:
    """416, with the size of the image (RFC 9110, 14.1.2)."""
    async with gateway.get(path, headers={"Range": f"bytes={requested}"}) as response:
        assert response.status == 416
        assert response.headers["Content-Range"] == "bytes */200"


@pytest.mark.parametrize("requested", ["bytes=0-1,5-6", "bytes=5-1", "bytes=abc", "lines=1-2", "bytes="])
async def test_an_invalid_range_gets_the_whole_image_or_416(gateway: Client, path: str, requested: str) -> None:
    """It is never a server error."""
    async with gateway.get(path, headers={"Range": requested}) as response:
        assert response.status in (200, 416)
        if response.status == 200:
            assert await response.read() == DATA


async def test_a_range_of_a_changed_image_gets_the_whole_image(gateway: Client, path: str) -> None:
    """If-Range protects a resumed download from mixing two versions."""
    async with gateway.get(path) as response:
        tag = response.headers["ETag"]
    async with gateway.get(path, headers={"Range": "bytes=0-9", "If-Range": '"other"'}) as response:
        assert (response.status, await response.read()) == (200, DATA)
    async with gateway.get(path, headers={"Range": "bytes=0-9", "If-Range": tag}) as response:
        assert (response.status, await response.read()) == (206, DATA[:10])


@pytest.mark.parametrize(
    "path",
    [
        "/content/products/normal/none.png",
        "/content/products",
        "/content/../source/upload",
        "/content/%2e%2e/source/upload",
        "/content/products/%2e%2e/%2e%2e/source/x",
        "/content/a%5cb",
        "/content/a//b",
        "/content/a%00b",
        "/content//etc/passwd",
        "/content/" + "a" * 2000,
    ],
)
async def test_an_unknown_content_path_is_not_found(gateway: Client, path: str) -> None:
    """Unsafe paths are not found, and the response does not quote them."""
    async with gateway.get(path) as response:
        body = await response.json()

    assert response.status == 404
    assert set(body) == {"error", "reason"}


async def test_sources_are_not_public(gateway: Client, resources: Resources) -> None:
    """Only the target tree is served."""
    await resources.store.put("source/secret.png", DATA, content_type="image/png")
    for path in ("/content/secret.png", "/content/source/secret.png", "/source/secret.png"):
        async with gateway.get(path) as response:
            assert response.status == 404
