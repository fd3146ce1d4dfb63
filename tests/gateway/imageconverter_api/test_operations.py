"""Successful responses of each operation."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from imageconverter.previews import PreviewFormat, parse
from tests.testing import image_files
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import ADMIN, BASE, FORMAT, IMAGE, KEY, Client, code, form, parts, put


async def test_an_image_in_the_request_is_returned_as_a_preview(client: Client) -> None:
    """The request as the middleware sends it."""
    path = f"{BASE}/cacheAndGetImage/{KEY}/{FORMAT}?context=1"
    async with client.post(path, data=form()) as response:
        assert response.status == 200
        assert response.content_type == "image/png"
        assert await response.read() == IMAGE


async def test_the_image_of_a_known_key_is_ignored(client: Client) -> None:
    """The preview is that of the stored image."""
    await put(client)
    async with client.post(f"{BASE}/cacheAndGetImage/{KEY}/{FORMAT}", data=form(b"something else")) as response:
        assert await response.read() == IMAGE


async def test_a_stored_image_is_served_by_its_key(client: Client) -> None:
    """With its real type, as private, and with security headers."""
    await put(client)
    async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}?context=1") as response:
        assert (response.status, await response.read()) == (200, IMAGE)
        assert response.content_type == "image/png"
        assert response.headers["Cache-Control"] == "private, no-cache"
        assert response.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_image_belongs_to_its_context_at_the_address_of_the_client(client: Client, cache: StandIn) -> None:
    """The sandbox keeps the images of different owners apart."""
    await put(client)
    for context in ("1", "2"):
        async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}?context={context}") as response:
            assert response.status == 200

    assert cache.owners[-2:] == ["context 1 at 127.0.0.1", "context 2 at 127.0.0.1"]


async def test_storing_again_replaces_the_image(client: Client) -> None:
    """CacheImage overwrites the image of the key."""
    other = image_files.png((9, 9))
    await put(client)
    await put(client, data=other)
    async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}") as response:
        assert await response.read() == other


@pytest.mark.parametrize(
    ("quoted", "status"), [("{}", 304), ('"other", {}', 304), ("W/{}", 304), ("*", 304), ('"other"', 200)]
)
async def test_an_unchanged_preview_is_not_modified(client: Client, quoted: str, status: int) -> None:
    """304 by its ETag."""
    await put(client)
    path = f"{BASE}/getImage/{KEY}/{FORMAT}"
    async with client.get(path) as response:
        etag = response.headers["ETag"]
    async with client.get(path, headers={"If-None-Match": quoted.format(etag)}) as response:
        assert response.status == status
        assert response.headers["ETag"] == etag
        assert (await response.read() == b"") == (status == 304)


async def test_another_image_has_another_etag(client: Client) -> None:
    """Otherwise clients would keep the old image."""
    path, tags = f"{BASE}/getImage/{KEY}/{FORMAT}", []
    for data in (IMAGE, image_files.png((9, 9))):
        await put(client, data=data)
        async with client.get(path) as response:
            tags.append(response.headers["ETag"])

    async with client.get(path, headers={"If-None-Match": tags[0]}) as response:
        assert response.status == 200
    assert len(set(tags)) == 2


@pytest.mark.parametrize("operation", ["cacheAndGetImageAndMetadata", "getImageAndMetadata"])
async def test_image_and_metadata_are_parts_of_a_form(client: Client, operation: str) -> None:
    """The image first, then its metadata."""
    await put(client)
    method, body = ("POST", form()) if operation.startswith("cache") else ("GET", None)
    async with client.request(method, f"{BASE}/{operation}/{KEY}/{FORMAT}", data=body) as response:
        assert response.content_type == "multipart/form-data"
        image, metadata = await parts(response)

    assert image == ("image", "image/png", IMAGE)
    assert metadata[:2] == ("metadata", "application/json")
    assert json.loads(metadata[2])["Header"]["Header Pixel Width"]["value"] == 640


async def test_metadata_is_available_alone(client: Client) -> None:
    """As JSON."""
    await put(client)
    async with client.get(f"{BASE}/getMetadata/{KEY}?context=1") as response:
        assert response.status == 200
        assert (await response.json())["File"]["File Size"]["value"] == len(IMAGE)


async def test_keys_are_counted_and_listed_by_context(client: Client) -> None:
    """A key belongs to every context that has requested it."""
    await put(client, "a", context="1")
    await put(client, "b", context="2")
    async with client.get(f"{BASE}/getImage/a/{FORMAT}?context=2"):
        pass
    for context, expected in [("", ["a", "b"]), ("1", ["a"]), ("2", ["a", "b"]), ("3", [])]:
        async with client.get(f"{BASE}/getKeyCount", params={"context": context}) as response:
            assert await response.json() == {"count": len(expected)}
        async with client.get(f"{BASE}/getKeys", params={"context": context}, headers=ADMIN) as response:
            assert await response.json() == {"keys": expected}


@pytest.mark.parametrize("count", [0, 1, 999, 1000, 1001, 25_000])
async def test_a_long_list_of_keys_is_valid_json(client: Client, cache: StandIn, count: int) -> None:
    """The response is streamed in batches."""
    cache.sources = {f"key-{number}": b"" for number in range(count)}
    async with client.get(f"{BASE}/getKeys", headers=ADMIN) as response:
        assert response.content_type == "application/json"
        assert (await response.json())["keys"] == list(cache.sources)


async def test_an_empty_batch_does_not_break_the_list(
    client: Client, cache: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A SCAN of the index can return empty batches."""

    async def batches(_context: str) -> AsyncIterator[list[str]]:
        for batch in ([], ["a"], [], ["b", "c"], []):
            yield batch

    monkeypatch.setattr(cache, "keys", batches)
    async with client.get(f"{BASE}/getKeys", headers=ADMIN) as response:
        assert await response.json() == {"keys": ["a", "b", "c"]}


@pytest.mark.parametrize("method", ["DELETE", "POST", "GET"])
async def test_images_are_cleared_by_each_method(client: Client, cache: StandIn, method: str) -> None:
    """It is not known which one the original accepts."""
    await put(client, "a", context="1")
    await put(client, "b", context="2")
    await put(client, "c", context="2")
    async with client.request(method, f"{BASE}/clearImagesByKey/c", headers=ADMIN) as response:
        assert await code(response) == (200, 0)
    assert set(cache.sources) == {"a", "b"}
    async with client.request(method, f"{BASE}/clearImages?context=1", headers=ADMIN) as response:
        assert await code(response) == (200, 0)
    assert set(cache.sources) == {"b"}
    async with client.request(method, f"{BASE}/clearImages", headers=ADMIN) as response:
        assert await response.json() == {"code": 0, "message": "ok"}
    assert not cache.sources


@pytest.mark.parametrize(
    "operation",
    [
        f"getImage/{KEY}/{FORMAT}",
        f"getImageAndMetadata/{KEY}/{FORMAT}",
        f"getMetadata/{KEY}",
        "getKeyCount",
        "getKeys",
        "status",
        "",
    ],
)
async def test_head_is_supported(client: Client, operation: str) -> None:
    """HEAD returns the headers of GET without a body; the connection can be reused."""
    await put(client)
    seen = []
    for method in ("GET", "HEAD"):
        async with client.request(method, f"{BASE}/{operation}", headers=ADMIN) as response:
            seen.append((response.status, response.content_type))
            assert (await response.read() == b"") == (method == "HEAD")

    assert seen[0] == seen[1]


@pytest.mark.parametrize("operation", ["clearImages", f"clearImagesByKey/{KEY}"])
async def test_head_clears_nothing(client: Client, cache: StandIn, operation: str) -> None:
    """Although GET does."""
    await put(client)
    async with client.head(f"{BASE}/{operation}", headers=ADMIN) as response:
        assert response.status == 405
    assert cache.sources


@pytest.mark.parametrize(
    ("segment", "expected"),
    [
        (FORMAT, parse(FORMAT)),
        ("auto%3A200x150%7Ecover%7Eautorotate%7Eshrinkonly%4075", parse(FORMAT)),
        ("auto%253A200x150%257Ecover%257Eautorotate%257Eshrinkonly%254075", parse(FORMAT)),
        (FORMAT + "/", parse(FORMAT)),
        ("png:9x9@50", PreviewFormat("png", 9, 9, quality=50)),
        ("", PreviewFormat(auto_rotate=False, shrink_only=False)),
        ("a/b/c", PreviewFormat()),
        ("a%2Fb%2Fc", PreviewFormat()),
        ("..%2F..%2Fetc", PreviewFormat()),
        ("%", PreviewFormat()),
        ("%00%0A%ff%zz", PreviewFormat()),
        ("%F0%9F%96%BC", PreviewFormat()),
        ('{}[]"<>|', PreviewFormat()),
        ("x" * 6000, PreviewFormat()),
        ("~" * 3000 + "@" * 3000, PreviewFormat()),
        ("jpg:" + "9" * 4000 + "x" + "9" * 2000, PreviewFormat()),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else "",
)
async def test_no_format_is_an_error(client: Client, cache: StandIn, segment: str, expected: PreviewFormat) -> None:
    """Literal or encoded, with slashes or invalid UTF-8: invalid parts are ignored."""
    await put(client)
    status, _ = await raw(client, f"GET {BASE}/getImage/{KEY}/{segment} HTTP/1.1")

    assert status == 200
    assert cache.asked[-1] == (KEY, expected)


async def raw(client: Client, line: str) -> tuple[int, bytes]:
    """Send an unmodified request line; returns status and body. HTTP clients normalize the path."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(f"{line}\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    async with asyncio.timeout(20):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split(b" ", 2)[1]), body


@pytest.mark.parametrize("key", ["a", "A" * 256, "..", ".", "-", "_", "SHA-256.of_it"])
async def test_every_valid_key_is_accepted(client: Client, key: str) -> None:
    """From one to 256 characters, also dots only, because keys are not file names."""
    await put(client, "there")
    status, _ = await raw(client, f"GET {BASE}/getImage/{key}/{FORMAT} HTTP/1.1")

    assert status == 404


async def test_a_trailing_slash_is_accepted(client: Client) -> None:
    """By all operations."""
    async with client.post(f"{BASE}/cacheImage/{KEY}/", data=form()) as response:
        assert await code(response) == (200, 0)
    for path in (
        f"getMetadata/{KEY}/",
        "getKeyCount/",
        "getKeys/",
        "status/",
        f"clearImagesByKey/{KEY}/",
        "clearImages/",
    ):
        async with client.get(f"{BASE}/{path}", headers=ADMIN) as response:
            assert response.status == 200
