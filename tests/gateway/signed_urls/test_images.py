"""`GET /content/_/{signature}/{options}/{path}` by a real gateway and worker."""

import asyncio
import hashlib
import hmac
import io
import time
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image
from pydantic import SecretStr

from imageconverter import keys
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings, SignedUrlSettings
from imageconverter.storage.store import ObjectStore
from services.gateway import state
from services.gateway.app import create_app
from services.worker.sandbox.pool import SandboxPool
from tests.conftest import ADMIN, MakeSettings, storage_settings
from tests.testing import image_files

Client = TestClient[Any, Any]

KEY: Final = "5ec2e7" * 11

PREVIEWS: Final = PreviewSettings(convert_seconds=60)
MARKED: Final = """
[[format]]
id = "marked"
name = "marked"
type = "product"
targetDirectory = "marked"
maxWidth = 200
maxHeight = 200
output = "png"
watermark = "{watermark}"
"""

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture(scope="module")
async def client(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway with signed URLs."""
    settings = make_settings(signed_urls=SignedUrlSettings(keys=SecretStr(KEY), max_side=500), previews=PREVIEWS)
    app = create_app(settings, resources)
    async with TestClient(TestServer(app)) as client:
        yield client
        await app[state.PREVIEWS].clear()


@pytest.fixture(scope="module")
async def lasting(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway that remembers for a minute what it has looked up."""
    settings = make_settings(
        signed_urls=SignedUrlSettings(keys=SecretStr(KEY)),
        previews=PREVIEWS.model_copy(update={"hot_seconds": 60}),
    )
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        yield client


@pytest.fixture
async def source(resources: Resources) -> AsyncIterator[str]:
    """A source of 800 x 600 pixels, in a directory that no other test uses."""
    path = f"signed {uuid4().hex}/100% ä.jpg"
    await resources.store.put(keys.source(path), image_files.jpeg(size=(800, 600)), content_type="image/jpeg")
    yield path
    await resources.store.delete([keys.source(path)])


def url(options: str, path: str, *, key: str = KEY) -> str:
    """Return the signed URL, encoded for `TestClient`."""
    digest = hmac.new(bytes.fromhex(key), f"/{options}/{path}".encode(), hashlib.sha256).digest()
    return f"/content/_/{urlsafe_b64encode(digest).decode().rstrip('=')}/{options}/{quote(path)}"


async def get(client: Client, address: str, **headers: str) -> tuple[int, Any, bytes]:
    """Return status, headers and body."""
    async with client.get(address, headers=headers) as response:
        return response.status, response.headers, await response.read()


async def preview_keys(index: PreviewIndex) -> set[str]:
    """Return the keys of all groups of previews."""
    batches = index.keys()
    return {key async for batch in batches for key in batch}


def plain_png(color: str) -> bytes:
    """Return an image of one color."""
    Image.new("RGB", (20, 20), color).save(data := io.BytesIO(), "PNG")
    return data.getvalue()


def shown(body: bytes) -> tuple[str | None, tuple[int, int]]:
    """Return type and extents of an image."""
    image = Image.open(io.BytesIO(body))
    return image.format, image.size


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("rs:fit:300:200", ("JPEG", (267, 200))),
        ("rs:fill:300:300/f:png", ("PNG", (300, 300))),
        ("w:100/f:webp/q:50", ("WEBP", (100, 75))),
        ("rs:fit:100:100/ex:1/f:avif", ("AVIF", (100, 100))),
        ("f:jpg", ("JPEG", (500, 375))),
        ("pr:thumbnailProduct", ("JPEG", (200, 150))),
    ],
)
async def test_an_image_is_made_as_the_url_asks(
    client: Client, source: str, options: str, expected: tuple[str, tuple[int, int]]
) -> None:
    """It may be cached by everybody, and is the same the next time."""
    status, headers, body = await get(client, url(options, source))

    assert (status, shown(body)) == (200, expected)
    assert headers["Content-Type"] == f"image/{expected[0].lower()}"
    assert headers["Cache-Control"] == "public, max-age=3600"
    assert "Vary" not in headers
    assert (await get(client, url(options, source)))[2] == body
    assert (await get(client, url(options, source), **{"If-None-Match": headers["ETag"]}))[0] == 304


async def test_head_has_the_headers_of_get(client: Client, source: str) -> None:
    """Without the image."""
    async with client.head(url("w:50", source)) as response:
        assert (response.status, await response.read()) == (200, b"")
        assert response.headers["ETag"] == (await get(client, url("w:50", source)))[1]["ETag"]


async def test_the_type_follows_accept_if_the_url_says_so(client: Client, source: str) -> None:
    """Caches learn of it by `Vary`."""
    address = url("w:60/f:auto", source)
    types = {}
    for accept in ("image/avif,image/webp,*/*", "image/webp,*/*", "*/*", "image/avif;q=0"):
        status, headers, body = await get(client, address, Accept=accept)
        assert (status, headers["Vary"]) == (200, "Accept")
        types[accept] = shown(body)[0]

    assert list(types.values()) == ["AVIF", "WEBP", "JPEG", "JPEG"]


async def test_the_watermark_of_a_preset_is_laid_over_it(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path, source: str
) -> None:
    """Another one, as soon as that has replaced it; without it there is no image."""
    mark = f"{source}.png"
    file = tmp_path / "formats.toml"
    file.write_text(MARKED.format(watermark=mark))
    settings = make_settings(signed_urls=SignedUrlSettings(keys=SecretStr(KEY)), previews=PREVIEWS)
    app = create_app(settings, replace(resources, formats=CurrentFormats(file)))
    async with TestClient(TestServer(app)) as client:
        missing = await get(client, url("pr:marked", source))
        bodies = []
        for color in ("red", "blue"):
            await resources.store.put(keys.source(mark), plain_png(color), content_type="image/png")
            bodies.append((await get(client, url("pr:marked", source)))[2])
    await resources.store.delete([keys.source(mark)])

    assert (missing[0], b"does not exist" in missing[2]) == (400, True)
    middles = [Image.open(io.BytesIO(body)).convert("RGB").getpixel((100, 75)) for body in bodies]
    assert middles == [(255, 0, 0), (0, 0, 255)]


async def test_a_watermark_that_others_have_just_replaced_is_not_shown_as_the_one_before(
    make_settings: MakeSettings, resources: Resources, servers: dict[str, str], tmp_path: Path, source: str
) -> None:
    """What is made with it would be kept under the old name, which is right again if the old one comes back."""
    mark, other, file = f"{source}.png", f"{source}.jpg", tmp_path / "formats.toml"
    file.write_text(MARKED.format(watermark=mark))
    previews = PREVIEWS.model_copy(update={"hot_seconds": 60})
    settings = make_settings(signed_urls=SignedUrlSettings(keys=SecretStr(KEY)), previews=previews)
    own = replace(resources, formats=CurrentFormats(file), store=ObjectStore(storage_settings(servers)))
    await resources.store.put(keys.source(other), image_files.jpeg(size=(60, 40)), content_type="image/jpeg")
    await resources.store.put(keys.source(mark), plain_png("red"), content_type="image/png")
    async with TestClient(TestServer(create_app(settings, own))) as client:
        before = await get(client, url("pr:marked", source))
        await resources.store.put(keys.source(mark), plain_png("blue"), content_type="image/png")
        status, _, body = await get(client, url("pr:marked", other))
    await resources.store.delete([keys.source(mark), keys.source(other)])

    assert before[0] == 200
    assert (status, b"replaced a moment ago" in body) == (503, True)


async def test_a_replaced_source_is_converted_anew(client: Client, resources: Resources, source: str) -> None:
    """With another ETag."""
    _, before, _ = await get(client, url("w:40", source))
    await resources.store.put(keys.source(source), image_files.jpeg(size=(600, 800)), content_type="image/jpeg")
    status, after, body = await get(client, url("w:40", source), **{"If-None-Match": before["ETag"]})

    assert (status, shown(body)[1]) == (200, (40, 53))
    assert after["ETag"] != before["ETag"]


async def test_a_cached_image_needs_neither_redis_nor_the_store(
    lasting: Client, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within `hot_seconds`."""
    address = url("w:30", source)
    first = await get(lasting, address)

    async def fail(*_: object, **__: object) -> None:
        raise AssertionError

    for cls, name in ((ObjectStore, "head"), (ObjectStore, "get"), (PreviewIndex, "find"), (PreviewIndex, "totals")):
        monkeypatch.setattr(cls, name, fail)
    status, headers, body = await get(lasting, address)

    assert (status, headers["ETag"], body) == (first[0], first[1]["ETag"], first[2])


async def test_what_the_gateway_changes_is_noticed_at_once(lasting: Client, source: str) -> None:
    """A source that is replaced, deleted and restored by its own API."""
    address, own = url("w:31", source), f"/images/sources/{quote(source)}"
    assert shown((await get(lasting, address))[2])[1] == (31, 23)

    async with lasting.put(own, headers=ADMIN, data=image_files.jpeg(size=(600, 800))) as response:
        assert response.status == 200, await response.text()
    assert shown((await get(lasting, address))[2])[1] == (31, 41)

    async with lasting.delete(own, headers=ADMIN) as response:
        item = (await response.json())["trash"]
    assert (await get(lasting, address))[0] == 404

    body = {"items": [item]}
    async with lasting.post("/images/trash/sources/restore", headers=ADMIN, json=body) as response:
        assert response.status == 200, await response.text()
    assert shown((await get(lasting, address))[2])[1] == (31, 41)


async def test_what_others_change_is_noticed_in_time(
    make_settings: MakeSettings, resources: Resources, servers: dict[str, str], source: str
) -> None:
    """Another gateway, or another program; its source is never shown as that before."""
    settings = make_settings(
        signed_urls=SignedUrlSettings(keys=SecretStr(KEY)),
        previews=PREVIEWS.model_copy(update={"hot_seconds": 0.5}),
    )
    app = create_app(settings, replace(resources, store=ObjectStore(storage_settings(servers))))
    async with TestClient(TestServer(app)) as client:
        _, before, _ = await get(client, url("w:32", source))
        await resources.store.put(keys.source(source), image_files.jpeg(size=(600, 800)), content_type="image/jpeg")
        async with asyncio.timeout(20):
            while (found := await get(client, url("w:32", source)))[1]["ETag"] == before["ETag"]:
                await asyncio.sleep(0.02)

    assert (found[0], shown(found[2])[1]) == (200, (32, 43))


async def test_what_is_not_signed_is_refused_without_work(
    client: Client, resources: Resources, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store is not asked: not for a wrong signature, nor for an expired URL, nor for bad options."""

    async def fail(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(type(resources.store), "head", fail)
    right = url("w:300", source)
    expired = url(f"w:300/exp:{int(time.time())}", source)
    for address, expected, reason in (
        (url("w:300", source, key="ab" * 32), 403, "The signature of the URL is wrong."),
        (right.replace("w:300", "w:301"), 403, "The signature of the URL is wrong."),
        (right + "x", 403, "The signature of the URL is wrong."),
        (right.replace("/w:300", "/w:300/q:5"), 403, "The signature of the URL is wrong."),
        (f"/content/_/unsafe/w:300/{quote(source)}", 403, "The signature of the URL is wrong."),
        (expired, 403, "The URL has expired."),
        (url("w:501", source), 400, "The option w must be a whole number from 0 to 500."),
    ):
        status, _, body = await get(client, address)
        assert status == expected, address
        assert reason in body.decode()


async def test_an_expiring_image_is_not_cached_for_longer(client: Client, source: str) -> None:
    """Than its URL is valid."""
    _, headers, _ = await get(client, url(f"w:300/exp:{int(time.time()) + 600}", source))

    assert 500 < int(headers["Cache-Control"].removeprefix("public, max-age=")) <= 600


async def test_a_source_that_is_missing_is_404(client: Client, source: str) -> None:
    """Also a directory, and no path at all."""
    for path in (f"{source}.png", source.partition("/")[0]):
        assert (await get(client, url("w:300", path)))[0] == 404


async def test_what_is_no_image_is_an_error_of_the_request(client: Client, resources: Resources, source: str) -> None:
    """Nothing of it is kept."""
    await resources.store.put(keys.source(source), b"no image", content_type="image/jpeg")
    before = await preview_keys(resources.previews)
    status, _, body = await get(client, url("w:300", source))

    assert (status, b"invalidFileFormat" in body) == (400, True)
    assert await preview_keys(resources.previews) == before


async def test_requests_for_the_same_image_share_one_conversion(
    client: Client, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before images of runs."""
    converted = []
    convert = SandboxPool.convert_with_metadata

    async def counted(*args: Any, **options: Any) -> Any:
        converted.append(options["interactive"])
        return await convert(*args, **options)

    monkeypatch.setattr(SandboxPool, "convert_with_metadata", counted)
    found = await asyncio.gather(*(get(client, url("w:450/f:webp", source)) for _ in range(10)))

    assert {status for status, _, _ in found} == {200}
    assert len({body for _, _, body in found}) == 1
    assert converted == [True]


async def test_without_keys_the_url_is_that_of_an_image(gateway: Client, resources: Resources, source: str) -> None:
    """One of a directory `_` that an earlier release has made; nothing is converted."""
    path = f"_/{uuid4().hex}/w:300/a.png"
    data = image_files.png(size=(10, 10))
    await resources.store.put(keys.target(path), data, content_type="image/png")
    try:
        assert (await get(gateway, f"/content/{path}"))[2] == data
        assert (await get(gateway, url("w:300", source)))[0] == 404
    finally:
        await resources.store.delete([keys.target(path)])
