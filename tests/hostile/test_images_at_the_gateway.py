"""Groups A to C of the catalog, sent to both APIs with a real worker."""

import asyncio
import io
import struct
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient
from PIL import Image

from imageconverter.engine import Limits, Target
from imageconverter.engine.pipeline import convert
from imageconverter.errors import ImageError, Undecodable
from tests.gateway.images_api.test_uploads import b64, body, post
from tests.hostile.broken import BROKEN
from tests.hostile.case import Case, Outcome, names
from tests.hostile.formats import FOREIGN, HTML, TWOFOLD
from tests.testing import image_files
from tests.testing.bombs import BOMBS

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("worker")

_SLOW = {3, 4, 34, 35, 41}
"""What takes seconds of a decoder was sent to it already."""
_LARGE = 1 << 20  # bytes
_AT_ONCE = 8

Entry = Case[Callable[[], bytes], Any]


async def ask(client: Client, entry: Entry) -> str:
    """Send an image to both APIs; returns what is wrong with the responses, or ""."""
    data = await asyncio.to_thread(entry.attack)  # some take seconds to generate
    if len(data) > _LARGE:
        return ""
    status, response = await post(client, "/images/upload/convert", body(fileName="a.png", imageData=b64(data)))
    refused = (status, response.get("type")) in (
        (400, "invalidFileFormat"),
        (400, "invalidValue"),
        (503, "internalError"),
    )
    if not (refused or status == 200) or (status == 200 and entry.expected is Outcome.REJECTED):
        return f"{entry.number} {entry.what}: {status} {response}"
    form = FormData()
    form.add_field("sourceImage", io.BytesIO(data), filename="a.png", content_type="image/png")
    path = f"/imageconverter/cacheAndGetImage/hostile-{entry.number}-{abs(hash(entry.what))}/auto:20x20"
    async with client.post(path, data=form) as answered:
        if answered.status not in (200, 400, 415) or (answered.status == 200) != (status == 200):
            return f"{entry.number} {entry.what}: {status}, but {answered.status} {await answered.text()}"
        if answered.status == 200 and not answered.content_type.startswith("image/"):
            return f"{entry.number} {entry.what}: {answered.content_type}"
    return ""


@pytest.mark.slow
async def test_both_apis_agree_on_every_small_file(gateway: Client) -> None:
    """An output, or an error with a reason; the gateway keeps running."""
    every: list[Entry] = [*BOMBS, *BROKEN, *FOREIGN, *TWOFOLD]
    waiting = iter([each for each in every if each.number not in _SLOW])
    faults: list[str] = []

    async def send() -> None:
        faults.extend([await ask(gateway, entry) for entry in waiting])

    await asyncio.gather(*(send() for _ in range(_AT_ONCE)))

    assert len(faults) > 150
    assert not [fault for fault in faults if fault]


@pytest.mark.parametrize("case", FOREIGN, ids=names(FOREIGN))
async def test_a_foreign_file_type_is_rejected_before_it_is_stored(gateway: Client, case: Entry) -> None:
    """By the gateway itself, independent of its name."""
    status, response = await post(gateway, "/images/upload", body(fileName="a.png", imageData=b64(case.attack())))

    assert (status, response["type"], response["field"]) == (400, "invalidFileFormat", "imageData")


KINDS: list[Case[tuple[str, bytes], str]] = [
    Case(82, "JPEG called PNG", ("a.png", image_files.jpeg((40, 30))), "image/jpeg"),
    Case(82, "PNG called JPEG", ("a.jpg", image_files.png((40, 30))), "image/png"),
    Case(82, "GIF called WebP", ("a.webp", image_files.gif((40, 30))), "image/gif"),
    Case(224, "GIF called a page", ("a.html", image_files.gif((40, 30))), "image/gif"),
    Case(224, "PNG called a drawing", ("a.svg", image_files.png((40, 30))), "image/png"),
    Case(224, "JPEG called a script", ("a.js", image_files.jpeg((40, 30))), "image/jpeg"),
    Case(224, "BMP called a program", ("a.exe", image_files.bmp((40, 30))), "image/png"),
    Case(224, "JPEG called nothing", (".htaccess", image_files.jpeg((40, 30))), "image/jpeg"),
]


@pytest.mark.parametrize("case", KINDS, ids=names(KINDS))
async def test_the_file_type_is_detected_by_content(gateway: Client, case: Case[tuple[str, bytes], str]) -> None:
    """It is served with that type and an extension of it, and never as a page."""
    name, data = case.attack
    status, response = await post(gateway, "/images/upload/convert", body(fileName=name, imageData=b64(data)))
    assert status == 200
    output = response["items"][0]["output"]
    async with gateway.get(f"/content/{output}") as served:
        content = await served.read()
        assert served.headers["Content-Type"] == case.expected
        assert served.headers["X-Content-Type-Options"] == "nosniff"
        assert served.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    kind = case.expected.removeprefix("image/")
    assert Image.open(io.BytesIO(content)).format == kind.upper()
    assert output.endswith((f".{kind}", ".jpg" if kind == "jpeg" else f".{kind}"))


@pytest.mark.parametrize(
    "declared", ["text/html", "application/x-php", "image/svg+xml", "nonsense", "image/png; charset=\u00fc"]
)
async def test_83_a_declared_content_type_is_ignored(gateway: Client, declared: str) -> None:
    """Including that of a form part."""
    form = FormData()
    form.add_field("sourceImage", image_files.jpeg((40, 30)), filename="a.html", content_type=declared)
    async with gateway.post("/imageconverter/cacheAndGetImage/declared/auto:20x20", data=form) as response:
        assert response.status == 200
        assert response.content_type == "image/jpeg"


@pytest.mark.parametrize("text", [b"hello", HTML, b"\xef\xbb\xbftext", b"a,b\n1,2\n", b" " * 5000])
async def test_84_a_text_file_with_an_image_name_is_rejected(gateway: Client, text: bytes) -> None:
    """Whatever it is."""
    status, response = await post(gateway, "/images/upload", body(fileName="a.png", imageData=b64(text)))

    assert (status, response["type"]) == (400, "invalidFileFormat")


SIZES: list[Case[str, None]] = [
    *(Case(47, f"enlarged to {size}", f"auto:{size}~expand", None) for size in ("65535x65535", "1000000x1000000",
         "99999999999x1")),
    *(Case(48, f"resized to {size}", f"auto:{size}", None)
      for size in ("0x0", "-1x-1", "1x100000", "100000x1", "0x1", "1.5x2", "NaNxNaN", "1e9x1e9", "x",
      "9" * 500 + "x1")),
    *(Case(48, f"cut to {size}", f"png:{size}~coverandcrop~expand@100", None) for size in ("1x100000", "100000x1",
         "65535x65535")),
    *(Case(48, f"{kind} of {size}", f"{kind}:{size}~expand", None) for kind in ("gif", "webp", "avif",
         "jpg") for size in ("20000x1", "70000x70000")),
]  # fmt: skip


@pytest.mark.parametrize("case", SIZES, ids=names(SIZES))
async def test_no_requested_size_is_a_bomb(gateway: Client, case: Case[str, None]) -> None:
    """The response is the closest preview, of a bounded size, or an error."""
    form = FormData()
    form.add_field("sourceImage", image_files.png((3, 2)), filename="a.png")
    async with gateway.post(f"/imageconverter/cacheAndGetImage/sizes/{case.attack}", data=form) as response:
        assert response.status in (200, 415)
        if response.status == 200:
            width, height = Image.open(io.BytesIO(await response.read())).size
            assert width * height <= Limits().pixels


async def test_49_many_large_images_at_once_are_queued(gateway: Client) -> None:
    """All of 32 images of 24 megapixels are converted."""
    large = body(fileName="a.jpg", imageData=b64(image_files.jpeg(image=Image.new("RGB", (6000, 4000)))))
    responses = await asyncio.gather(*(post(gateway, "/images/upload/convert", large) for _ in range(32)))

    assert {status for status, _ in responses} == {200}


ODD_ERRORS = (
    SyntaxError, TypeError, struct.error, ValueError, NotImplementedError, EOFError, IndexError, KeyError,
    ZeroDivisionError,
    SystemError, RecursionError, OverflowError, AttributeError, OSError, MemoryError, zlib.error,
)  # fmt: skip


@pytest.mark.parametrize("error", ODD_ERRORS, ids=str)
def test_108_all_decoder_exceptions_become_image_errors(
    error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that cannot be converted, never an internal error."""

    def fail(*_args: Any, **_options: Any) -> None:
        raise error

    data = image_files.jpeg((40, 30))
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises(ImageError) as caught:
        convert(io.BytesIO(data), [Target(max_width=9, max_height=9)])
    assert isinstance(caught.value, Undecodable) or error is MemoryError
