"""Uploads as the web sends them: forms and raw bodies, stored while they arrive."""

import asyncio
import base64
import hashlib
import io
import random
import re
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientError, FormData
from aiohttp.test_utils import TestClient
from PIL import Image

from imageconverter.images.incoming import WHOLE_BYTES
from imageconverter.resources import Resources
from imageconverter.storage.bucket import create_client
from tests.conftest import ADMIN, MakeSettings
from tests.testing import image_files

Client = TestClient[Any, Any]
PRODUCT, THUMBNAIL = "content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct"


def form(*files: tuple[str, bytes], **fields: str) -> FormData:
    """Return a form with *files* by name and *fields*."""
    data = FormData(quote_fields=False, default_to_multipart=True)
    for name, content in files:
        data.add_field("file", io.BytesIO(content), filename=name, content_type="application/octet-stream")
    for name, value in fields.items():
        data.add_field(name, value)
    return data


async def send(client: Client, path: str, data: Any, **headers: str) -> tuple[int, Any]:
    """Send *data*; returns status and body."""
    data = io.BytesIO(data) if isinstance(data, bytes) else data
    async with client.post(f"/images{path}", data=data, headers={**ADMIN, **headers}) as response:
        return response.status, await response.json()


def large_jpeg() -> bytes:
    """Return an image that is stored in several parts."""
    filling = random.Random(1).randbytes(3 * WHOLE_BYTES)  # noqa: S311 - any bytes, after the image's end
    return image_files.jpeg() + filling


def large_tiff() -> bytes:
    """Return an image of several parts whose directory is at its end."""
    file = io.BytesIO()
    Image.effect_noise((3000, 3000), 50).convert("RGB").save(file, "TIFF", compression="packbits")
    tiff = file.getvalue()
    assert int.from_bytes(tiff[4:8], "little") > WHOLE_BYTES
    return tiff


async def stored(resources: Resources, path: str) -> bytes:
    """Return the source at *path*."""
    found = await resources.store.get(f"source/{path}")
    assert found is not None
    return bytes(found.data)


async def test_a_form_of_several_images_is_stored_unchanged(gateway: Client, resources: Resources) -> None:
    """Under their names, in one directory."""
    files = {"a b.png": image_files.png(), "zwei ü.jpg": image_files.jpeg(), "large.jpg": large_jpeg()}
    status, answer = await send(gateway, "/upload", form(*files.items(), formats=PRODUCT))

    assert (status, answer["size"]) == (200, 3)
    for name, data in files.items():
        assert await stored(resources, f"{answer['path']}/{name}") == data


@pytest.mark.parametrize("make", [image_files.png, large_jpeg, large_tiff])
async def test_a_raw_body_is_stored_unchanged(gateway: Client, resources: Resources, make: Any) -> None:
    """Its name is in the query, and its length need not be known."""
    data = make()

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(data), 100_000):
            yield data[start : start + 100_000]

    status, answer = await send(gateway, "/upload?fileName=x.bin", pieces())

    assert (status, answer["size"]) == (200, 1)
    assert await stored(resources, f"{answer['path']}/x.bin") == data


async def test_the_type_of_a_source_is_that_of_its_bytes(gateway: Client, resources: Resources) -> None:
    """And its SHA-256 is kept."""
    data = image_files.png()
    _, answer = await send(gateway, "/upload?fileName=x.jpg", data)
    opened = await resources.store.open(f"source/{answer['path']}/x.jpg")

    assert opened is not None
    assert opened.content_type == "image/png"
    assert opened.stored.metadata == {"sha256": hashlib.sha256(data).hexdigest()}


@pytest.mark.usefixtures("worker")
async def test_an_image_is_converted(gateway: Client) -> None:
    """As with JSON: a row for each format, in the order of the request."""
    data = image_files.jpeg(size=(1200, 900))
    query = f"fileName=photo%20raw.jpg&formats={THUMBNAIL}&formats={PRODUCT}"
    for answer in (
        await send(gateway, "/upload/convert", form(("photo.jpg", data), formats=f"{THUMBNAIL}, {PRODUCT}")),
        await send(gateway, f"/upload/convert?{query}", data),
    ):
        assert answer[0] == 200
        assert [(row["status"], row["formatId"]) for row in answer[1]["items"]] == [
            ("success", THUMBNAIL),
            ("success", PRODUCT),
        ]


@pytest.mark.parametrize(
    ("body", "reason", "field"),
    [
        (form(("a.png", image_files.png()), ("b.txt", b"no image")), "b.txt: ", "imageData"),
        (form(("a.png", image_files.png()), ("a.png", image_files.png())), "a.png", "fileName"),
        (form(("a.png", image_files.png()), ("../b.png", image_files.png())), "path separator", "fileName"),
        (form(("a.png", image_files.png()), tint="red"), "tint", "tint"),
        (form(("a.png", image_files.png()), formats="content.imageFormat.none"), "none", "formats"),
        (form(("a.png", image_files.png()), ("b.png", b"")), "b.png: ", "imageData"),
        (form(formats=PRODUCT), "no file", "imageData"),
    ],
)
async def test_a_bad_form_is_rejected_and_leaves_nothing(
    gateway: Client, resources: Resources, body: FormData, reason: str, field: str
) -> None:
    """The reason names the culprit."""
    _, earlier = await send(gateway, "/upload?fileName=first.png", image_files.png())
    status, answer = await send(gateway, f"/upload?directory={earlier['path']}", body)
    left = [each.key async for page in resources.store.list(f"source/{earlier['path']}/") for each in page]

    assert (status, answer["field"]) == (400, field)
    assert reason in answer["reason"]
    assert left == [f"source/{earlier['path']}/first.png"]


@pytest.mark.parametrize(
    "data",
    [
        b"not a form at all",
        b"--x\r\nContent-Disposition: form-data; name=file; filename=a.png\r\n\r\n" + image_files.png(),
        b'--x\r\nContent-Disposition: form-data; name=file; filename="\xff.png"\r\n\r\na\r\n--x--',
        b"--x\r\n" + b"A: b\r\n" * 1000 + b"\r\n\r\n--x--",
        b"--x\r\nContent-Disposition: form-data" + b"; a=" * 2_000_000,
        b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n" * 2000 + b"--x--\r\n",
    ],
)
async def test_a_malformed_form_is_a_400(gateway: Client, data: bytes) -> None:
    """At once, whatever is wrong with it, and without words of a library."""
    async with asyncio.timeout(10):
        status, answer = await send(gateway, "/upload", data, **{"Content-Type": "multipart/form-data; boundary=x"})

    assert status == 400
    assert not re.search("parser|Error|decode|Unexpected", answer["reason"])


async def test_a_large_image_that_is_cut_off_leaves_nothing(
    gateway: Client, resources: Resources, make_settings: MakeSettings
) -> None:
    """Neither an object nor parts of one."""
    storage = make_settings().storage
    client = create_client(storage)
    _, earlier = await send(gateway, "/upload?fileName=first.png", image_files.png())

    async def pieces() -> AsyncIterator[bytes]:
        yield large_jpeg()
        raise ConnectionError

    with pytest.raises(ClientError):
        await send(gateway, f"/upload?fileName=cut.jpg&directory={earlier['path']}", pieces())

    async with asyncio.timeout(20):
        while (await asyncio.to_thread(client.list_multipart_uploads, Bucket=storage.bucket)).get("Uploads"):
            await asyncio.sleep(0.1)
    assert await resources.store.head(f"source/{earlier['path']}/cut.jpg") is None


async def test_an_image_that_differs_from_its_digest_is_rejected(gateway: Client) -> None:
    """RFC 9530; a header without SHA-256 is rejected as well."""

    def digest(data: bytes) -> str:
        return base64.b64encode(hashlib.sha256(data).digest()).decode()

    async def answer(data: bytes, header: str) -> tuple[int, Any]:
        status, response = await send(gateway, "/upload?fileName=a.jpg", data, **{"Repr-Digest": header})
        return status, response.get("field")

    for data in (image_files.jpeg(), large_jpeg()):
        assert await answer(data, f"sha-256=:{digest(data)}:") == (200, None)
        assert await answer(data, f"sha-256=:{digest(b'other')}:") == (400, "imageData")
    assert await answer(data, f"md5=:{zlib.crc32(b'')}:") == (400, "Repr-Digest")


async def test_too_many_pixels_are_rejected_before_the_rest_has_arrived(gateway: Client) -> None:
    """By the first bytes."""
    sent = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b"P5 99999 99999 255\n"
        while sent < 60_000_000:
            yield bytes(100_000)
            sent += 100_000

    status, answer = await send(gateway, "/upload?fileName=bomb.pgm", pieces())

    assert (status, answer["type"]) == (400, "invalidValue")


async def test_an_image_over_the_limit_is_a_413(gateway: Client) -> None:
    """In a form it is the image that counts."""
    data = image_files.jpeg() + bytes(65 * 1024 * 1024)

    assert (await send(gateway, "/upload?fileName=a.jpg", data))[0] == 413
    assert (await send(gateway, "/upload", form(("a.jpg", data))))[0] == 413
