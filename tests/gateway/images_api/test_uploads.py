"""`POST images/upload` and `POST images/upload/convert`: every row of their error tables, with the real stack."""

import asyncio
import base64
import io
import json
import time
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from imageconverter.resources import Resources
from imageconverter.settings import ConversionSettings, GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, MakeSettings
from tests.testing import broken_files, image_files

Client = TestClient[Any, Any]

PRODUCT, THUMBNAIL = "content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct"
CATEGORY = "content.imageFormat.normalCategory"
PATHS = ["/upload", "/upload/convert"]

pytestmark = pytest.mark.usefixtures("worker")


def b64(data: bytes) -> str:
    """Return *data* in base64."""
    return base64.b64encode(data).decode()


def body(**changes: Any) -> dict[str, Any]:
    """Return a valid body with *changes*; None removes a field."""
    valid = {"fileName": "a.png", "formats": [PRODUCT], "imageData": b64(image_files.png())}
    return {name: value for name, value in {**valid, **changes}.items() if value is not None}


async def post(client: Client, path: str, payload: Any, **headers: str) -> tuple[int, Any]:
    """Post *payload* (bytes as they are, anything else as JSON); returns status and body."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    async with client.post(path, data=io.BytesIO(data), headers={**ADMIN, **headers}) as response:
        assert response.content_type == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        return response.status, await response.json()


async def test_a_byte_order_mark_before_the_body_is_ignored(gateway: Client) -> None:
    """As some programs on Windows write it."""
    text = b"\xef\xbb\xbf" + json.dumps(body()).encode()

    for path in PATHS:
        assert (await post(gateway, f"/images{path}", text))[0] == 200
    assert (await post(gateway, "/images/upload", b"\xef\xbb\xbf" + text))[0] == 400


async def test_a_name_without_room_for_its_new_extension_is_refused(gateway: Client) -> None:
    """Cut, two of them would be one name."""
    for path in PATHS:
        status, response = await post(gateway, f"/images{path}", body(fileName="x" * 255))
        assert (status, response["type"], response["field"]) == (400, "invalidValue", "fileName")
        assert "too long for the extension .png" in response["reason"]
    assert (await post(gateway, "/images/upload", body(fileName="x" * 251)))[0] == 200


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_an_upload_is_stored_unchanged(gateway: Client, resources: Resources, base: str, slash: str) -> None:
    """The response has the directory, in which the image is stored unchanged."""
    image = image_files.png()
    status, response = await post(
        gateway, f"{base}/upload{slash}", body(fileName=["a b.png"], imageData=[b64(image)])
    )
    stored = await resources.store.get(f"source/{response['path']}/a b.png")

    assert status == 200
    assert set(response) == {"path", "size"}
    assert response["size"] == 1
    assert stored is not None
    assert bytes(stored.data) == image


@pytest.mark.parametrize("bad", [b64(b"no image"), "no base64!", b64(b"P5 99999 99999 255\n")])
async def test_one_bad_image_of_several_is_named(gateway: Client, bad: str) -> None:
    """So that the client knows which one to leave out."""
    names, data = ["a.png", "b.pgm"], [b64(image_files.png()), bad]
    status, response = await post(gateway, "/images/upload", body(fileName=names, imageData=data))

    assert (status, response["field"]) == (400, "imageData")
    assert response["reason"].startswith("b.pgm: ")


async def test_an_upload_may_have_several_images(gateway: Client, resources: Resources) -> None:
    """`size` is the number of images."""
    sent = {"one.jpg": image_files.jpeg(), "zwei ü.png": image_files.png(), "three.PNG": image_files.png()}
    status, response = await post(
        gateway,
        "/images/upload",
        body(fileName=list(sent), imageData=[b64(each) for each in sent.values()]),
    )

    assert (status, response["size"]) == (200, 3)
    for name, data in sent.items():
        stored = await resources.store.get(f"source/{response['path']}/{name}")
        assert stored is not None
        assert bytes(stored.data) == data


async def test_a_photo_is_converted_to_each_format(gateway: Client) -> None:
    """Checks every key of every row, and the converted images."""
    name = f"photo {uuid4().hex}.jpg"
    sent = body(fileName=name, formats=[PRODUCT, THUMBNAIL], imageData=b64(image_files.jpeg(size=(1200, 900))))
    status, response = await post(gateway, "/images/upload/convert", sent)

    assert status == 200
    assert list(response) == ["items"]
    rows = response["items"]
    assert [row["formatId"] for row in rows] == [PRODUCT, THUMBNAIL]
    source = rows[0]["source"]
    for row, directory, display, size in zip(
        rows,
        ["products/normal", "products/thumbnail"],
        ["normal product", "thumbnail product"],
        [(800, 600), (200, 150)],
        strict=True,
    ):
        async with gateway.get(f"/content/{row['output']}") as content:
            data = await content.read()
        assert Image.open(io.BytesIO(data)).size == size
        assert content.content_type == "image/jpeg"
        assert row == {
            "duration": row["duration"],
            "fileSize": f"{max(1, round(len(data) / 1024))} KB",
            "format": display,
            "formatId": row["formatId"],
            "message": "success",
            "output": f"{directory}/{name}",
            "outputFilename": name,
            "source": source,
            "sourceFilename": name,
            "status": "success",
        }
        assert isinstance(row["duration"], int)
    assert source.startswith("upload/")
    assert source.endswith(f"/{name}")


async def test_an_array_of_one_image_is_accepted(gateway: Client) -> None:
    """Clients send either a string or an array."""
    status, response = await post(
        gateway, "/images/upload/convert", body(fileName=["a.png"], imageData=[body()["imageData"]])
    )

    assert (status, len(response["items"])) == (200, 1)


async def test_an_output_has_the_extension_of_its_file_type(gateway: Client) -> None:
    """BMP becomes PNG, and the source keeps its name."""
    name = f"{uuid4().hex}.bmp"
    _, response = await post(gateway, "/images/upload/convert", body(fileName=name, imageData=b64(image_files.bmp())))
    (row,) = response["items"]

    assert row["sourceFilename"] == name
    assert row["outputFilename"] == name.replace(".bmp", ".png")


async def test_a_truncated_animation_is_a_warning(gateway: Client) -> None:
    """The complete frames are converted, with a warning in the row."""
    data = broken_files.truncated(image_files.animated_gif())
    _, response = await post(gateway, "/images/upload/convert", body(fileName="a.gif", imageData=b64(data)))

    assert response["items"][0]["status"] == "warning"
    assert "is broken" in response["items"][0]["message"]


MALFORMED = [b"", b"{", b"null", b"[]", b'"text"', b"\xff\xfe", b'{"fileName": "a\xff"}', b"{}{}", b"[" * 100_000]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("payload", MALFORMED, ids=range(len(MALFORMED)))
async def test_a_body_that_cannot_be_loaded_is_a_400_without_type(gateway: Client, path: str, payload: bytes) -> None:
    """Not JSON, not UTF-8, or not an object."""
    status, response = await post(gateway, f"/images{path}", payload)

    assert status == 400
    assert "type" not in response


FAULTS: list[tuple[dict[str, Any], str, str]] = [
    ({"formats": None}, "missing", "formats"),
    ({"fileName": None}, "missing", "fileName"),
    ({"imageData": None}, "missing", "imageData"),
    ({"extra": 1}, "unknownDataField", "extra"),
    ({"FileName": "a.png", "fileName": None}, "unknownDataField", "FileName"),
    ({"formats": PRODUCT}, "invalidFormat", "formats"),
    ({"formats": [1]}, "invalidFormat", "formats"),
    ({"formats": {}}, "invalidFormat", "formats"),
    ({"formats": [PRODUCT, True]}, "invalidFormat", "formats"),
    ({"fileName": 1}, "invalidFormat", "fileName"),
    ({"fileName": ["a.png", 1]}, "invalidFormat", "fileName"),
    ({"fileName": {"a": "b"}}, "invalidFormat", "fileName"),
    ({"imageData": 1}, "invalidFormat", "imageData"),
    ({"imageData": [None]}, "invalidFormat", "imageData"),
    ({"formats": []}, "invalidValue", "formats"),
    ({"formats": ["content.imageFormat.unknown"]}, "invalidValue", "formats"),
    ({"formats": [PRODUCT, ""]}, "invalidValue", "formats"),
    ({"imageData": ""}, "invalidValue", "imageData"),
    ({"imageData": "no base64!"}, "invalidValue", "imageData"),
    ({"imageData": "iVBORw0KGgo"}, "invalidValue", "imageData"),
    ({"imageData": "data:image/png;base64,iVBORw0KGgo="}, "invalidValue", "imageData"),
    ({"imageData": "-_-_"}, "invalidValue", "imageData"),
    ({"imageData": "iVBORw0KGgo=ünïcode"}, "invalidValue", "imageData"),
    ({"fileName": "", "imageData": "iVBO"}, "invalidValue", "fileName"),
    ({"fileName": []}, "invalidValue", "fileName"),
    ({"fileName": ["a.png", "b.png"]}, "invalidValue", "fileName"),
    ({"fileName": "../a.png"}, "invalidValue", "fileName"),
    ({"fileName": "a/b.png"}, "invalidValue", "fileName"),
    ({"fileName": "a\\b.png"}, "invalidValue", "fileName"),
    ({"fileName": "a\0.png"}, "invalidValue", "fileName"),
    ({"fileName": "a\r\nX: y.png"}, "invalidValue", "fileName"),
    ({"fileName": "\ud800.png"}, "", ""),
    ({"fileName": "x" * 252 + ".png"}, "invalidValue", "fileName"),
    ({"imageData": b64(b"This is no image, whatever it is called.")}, "invalidFileFormat", "imageData"),
    ({"imageData": b64(b"\x89PNX\r\n\x1a\n" + bytes(40))}, "invalidFileFormat", "imageData"),
    ({"imageData": b64(b"<svg xmlns='http://www.w3.org/2000/svg'/>")}, "invalidFileFormat", "imageData"),
    ({"imageData": b64(b"%!PS-Adobe-3.0 EPSF-3.0")}, "invalidFileFormat", "imageData"),
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(("change", "code", "field"), FAULTS, ids=range(len(FAULTS)))
async def test_each_invalid_request_has_its_error_type(
    gateway: Client, path: str, change: dict[str, Any], code: str, field: str
) -> None:
    """With type, reason and field of the error table's row; nothing is stored."""
    status, response = await post(gateway, f"/images{path}", body(**change))

    assert status == 400
    assert response.pop("reason").endswith(".")
    assert response == {
        name: value for name, value in (("error", "Bad Request"), ("type", code), ("field", field)) if value
    }


@pytest.mark.parametrize("path", PATHS)
async def test_the_first_of_several_errors_is_reported(gateway: Client, path: str) -> None:
    """Unknown field before missing before wrong type before wrong value before wrong file."""
    payload: dict[str, Any] = {"extra": 1, "fileName": 1, "imageData": b64(b"no image, not at all")}
    order = []
    for fix in ({"extra": None}, {"formats": ["unknown"]}, {"fileName": "a.png"}, {"formats": [PRODUCT]}, {}):
        _, response = await post(gateway, f"/images{path}", payload)
        order.append(response["type"])
        payload = {name: value for name, value in {**payload, **fix}.items() if value is not None}

    assert order == ["unknownDataField", "missing", "invalidFormat", "invalidValue", "invalidFileFormat"]


async def test_line_breaks_in_base64_are_accepted(gateway: Client) -> None:
    """MIME encoders wrap lines."""
    wrapped = base64.encodebytes(image_files.png()).decode().replace("\n", "\r\n")

    assert (await post(gateway, "/images/upload", body(imageData=wrapped)))[0] == 200


async def test_one_invalid_image_rejects_the_whole_upload(gateway: Client, resources: Resources) -> None:
    """Nothing is stored."""
    name = f"{uuid4().hex}.png"
    status, response = await post(
        gateway,
        "/images/upload",
        body(fileName=[name, "bad.png"], imageData=[b64(image_files.png()), b64(b"no image, not at all")]),
    )
    stored = [each.key async for page in resources.store.list("source/upload/") for each in page]

    assert (status, response["type"]) == (400, "invalidFileFormat")
    assert not any(key.endswith(name) for key in stored)


async def test_a_duplicate_name_is_rejected(gateway: Client) -> None:
    """One of the images would be lost."""
    image = b64(image_files.png())
    status, response = await post(
        gateway, "/images/upload", body(fileName=["u\u0308.png", "\u00fc.png"], imageData=[image, image])
    )

    assert (status, response["type"]) == (400, "invalidValue")


async def test_upload_convert_accepts_one_image_only(gateway: Client) -> None:
    """As in section 4.7 of the API."""
    image = b64(image_files.png())
    status, response = await post(
        gateway, "/images/upload/convert", body(fileName=["a.png", "b.png"], imageData=[image, image])
    )

    assert (status, response["type"]) == (400, "invalidValue")


async def test_too_many_pixels_are_an_invalid_value(make_settings: MakeSettings, resources: Resources) -> None:
    """The header is checked before anything is stored."""
    settings = make_settings(conversion=ConversionSettings(max_megapixels=1))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for path in PATHS:
            status, response = await post(
                client, f"/images{path}", body(imageData=b64(image_files.png(size=(1001, 1000))))
            )
            assert (status, response["type"], response["field"]) == (400, "invalidValue", "imageData")


async def test_an_image_that_cannot_be_decoded_is_accepted_but_not_converted(gateway: Client) -> None:
    """The leading bytes are valid; the conversion fails later."""
    broken = body(imageData=b64(image_files.png()[:60]))

    assert (await post(gateway, "/images/upload", broken))[0] == 200
    status, response = await post(gateway, "/images/upload/convert", broken)
    assert (status, response["type"]) == (503, "internalError")
    assert "broken" in response["reason"]
    async with gateway.post("/images/upload/convert", json=broken, headers=ADMIN) as refused:
        assert "Retry-After" not in refused.headers, "a retry would fail again"


async def test_publishing_needs_the_permission_for_each_type(
    make_settings: MakeSettings, resources: Resources, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The key needs the permission for the types of all requested formats."""
    keys = tmp_path_factory.mktemp("keys") / "keys.toml"
    keys.write_text(
        key_entry("products", "products", ["images.publish.products"])
        + key_entry("all", "all", ["images.publish"])
        + key_entry("reader", "reader", ["images.read", "products.read"])
    )
    settings = make_settings(gateway=GatewaySettings(api_keys_file=keys))
    expected = {
        ("products", PRODUCT): 200,
        ("products", CATEGORY): 401,
        ("all", CATEGORY): 200,
        ("reader", PRODUCT): 401,
    }
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for (key, format_id), expected_status in expected.items():
            sent = body(formats=[PRODUCT, format_id])
            status, _ = await post(client, "/images/upload/convert", sent, Authorization=f"Bearer {key}")
            assert (key, format_id, status) == (key, format_id, expected_status)
        assert (await post(client, "/images/upload", body(), Authorization="Bearer reader"))[0] == 401


async def test_a_full_queue_is_unavailable_at_once(make_settings: MakeSettings, resources: Resources) -> None:
    """503 without waiting, counted in the metrics; it recovers afterwards."""
    settings = make_settings(conversion=ConversionSettings(max_interactive_queue=1))
    slow = body(imageData=b64(image_files.png(size=(3000, 2000))))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        responses = await asyncio.gather(*(post(client, "/images/upload/convert", slow) for _ in range(6)))
        refused = [response for status, response in responses if status == 503]
        async with client.get("/metrics") as metrics:
            text = await metrics.text()
        again = await post(client, "/images/upload/convert", slow)

    assert {status for status, _ in responses} == {200, 503}
    assert all(response["type"] == "internalError" for response in refused)
    assert f'imageconverter_queue_refused_total{{lane="interactive"}} {len(refused)}.0' in text
    assert again[0] == 200


@pytest.mark.slow
async def test_large_uploads_do_not_block_other_requests(gateway: Client) -> None:
    """During ten uploads of 20 MB, /health/live responds without delay."""
    large = json.dumps(body(imageData=b64(image_files.jpeg() + bytes(20_000_000)))).encode()
    uploading = [asyncio.create_task(post(gateway, "/images/upload", large)) for _ in range(10)]
    slowest, count = 0.0, 0
    while not all(each.done() for each in uploading):
        began = time.monotonic()
        async with gateway.get("/health/live") as response:
            assert response.status == 200
        slowest, count = max(slowest, time.monotonic() - began), count + 1
        await asyncio.sleep(0.01)

    assert [status for status, _ in await asyncio.gather(*uploading)] == [200] * 10
    assert count > 5
    # The client shares process and cores; blocking the event loop for one upload would take longer.
    assert slowest < 2
