"""Group E of the catalog: every invalid body is a 400, without delay."""

import asyncio
import base64
import json
import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.gateway.images_api.test_uploads import body, post
from tests.hostile.bodies import B64, BASE64, ODD, PNG, PROTOTYPES, VALUES, WHOLE
from tests.hostile.case import Case, names
from tests.hostile.wire import Wire

Client = TestClient[Any, Any]

CANCEL = "/images/convert/cancel"  # accepts any object, and does nothing
DOORS = [
    ("POST", "/images/upload"),
    ("POST", "/images/upload/convert"),
    ("POST", "/images/directories/source"),
    ("DELETE", "/images/directories/target"),
    ("DELETE", "/images/upload/products"),
    ("DELETE", "/images/upload/products/a.png"),
    ("POST", "/images/convert/start"),
    ("POST", CANCEL),
    ("POST", "/admin/api/v1/login"),
]


@pytest.mark.parametrize("case", WHOLE, ids=names(WHOLE))
async def test_a_body_that_is_not_an_object_is_rejected_by_all_operations(
    gateway: Client, case: Case[bytes, None]
) -> None:
    """400 in the API's error format, without quoting the body."""
    passed = []
    for method, path in DOORS:
        async with gateway.request(method, path, data=case.attack, headers=ADMIN) as response:
            assert response.content_type == "application/json"
            error = await response.json()
            if response.status != 400 or "type" in error:
                passed.append((path, response.status, error))

    assert not passed


@pytest.mark.parametrize("case", VALUES, ids=names(VALUES))
async def test_invalid_json_values_are_rejected_in_all_fields(gateway: Client, case: Case[bytes, None]) -> None:
    """Also in ignored fields."""
    status, response = await post(gateway, CANCEL, b'{"a":' + case.attack + b"}")

    assert (status, "type" in response) == (400, False)


@pytest.mark.parametrize("case", ODD, ids=names(ODD))
async def test_unusual_json_values_are_handled(gateway: Client, case: Case[bytes, None]) -> None:
    """Rejected if a string is expected; elsewhere it may be ignored."""
    assert (await post(gateway, CANCEL, b'{"a":' + case.attack + b"}"))[0] in (200, 400)
    for field in ("path", "name"):
        text = f'{{"name": "a", "{field}": '.encode() + case.attack + b"}"
        assert (await post(gateway, "/images/directories/source", text))[0] == 400
    status, _ = await post(gateway, "/images/upload", b'{"formats": [' + case.attack + b"]}")
    assert status == 400


@pytest.mark.parametrize("case", BASE64, ids=names(BASE64))
async def test_base64_is_decoded_strictly(gateway: Client, case: Case[object, int]) -> None:
    """Invalid base64 is rejected."""
    payload = {**body(), "imageData": case.attack}
    status, _ = await post(gateway, "/images/upload", payload)

    assert status == case.expected


async def test_189_spare_bits_of_base64_do_not_change_the_image(gateway: Client, resources: Resources) -> None:
    """Two encodings of one image are rejected or stored as the same file."""
    data = PNG + bytes(-len(PNG) % 3 + 1)  # so that there are four spare bits
    text = base64.b64encode(data).decode()
    other = text[:-3] + chr(ord(text[-3]) + 1) + "=="
    status, response = await post(gateway, "/images/upload", body(imageData=other))

    assert status in (200, 400)
    if status == 200:
        stored = await resources.store.get(f"source/{response['path']}/a.png")
        assert stored is not None
        assert bytes(stored.data) == data


@pytest.mark.parametrize("charset", ["nonsense", "utf-16", "idna", "../../etc/passwd", "\u00fc", "base64", ""])
async def test_178_a_declared_charset_is_ignored(gateway: Client, charset: str) -> None:
    """JSON is always UTF-8."""
    status, _ = await post(gateway, CANCEL, b"{}", **{"Content-Type": f"application/json; charset={charset}"})

    assert status == 200


@pytest.mark.parametrize(
    "number", ["1_000", "%d9%a1", "%2012%0a", "+1", "-1", "0x10", "1e3", "1.0", "9" * 5000, "true"]
)
async def test_172_numbers_in_urls_are_ascii_digits(wire: Wire, number: str) -> None:
    """Other notations that Python accepts are rejected."""
    response = await wire.get(f"/images/convert/results?cursor={number}")

    assert (response.status, response.json["type"]) == (400, "invalidValue")


@pytest.mark.parametrize(
    "quality", ["0", "101", "-1", "9223372036854775808", "null", "1e9", "%d9%a1", "9" * 5000, "NaN"]
)
async def test_173_an_invalid_quality_is_ignored(wire: Wire, quality: str) -> None:
    """No format is an error: the response is about the key."""
    response = await wire.get(f"/imageconverter/getImage/unknown/jpg:9x9@{quality}")

    assert (response.status, response.json["code"]) == (404, 4041)


MANY = {
    "as many keys as fit": b"{" + b",".join(b'"%d":1' % number for number in range(1_000_000)) + b"}",
    "keys of one hash": json.dumps({str(number * (2**61 - 1)): 0 for number in range(20_000)}).encode(),
    "very many wrong values": b'{"fileName":"a","imageData":"a","formats":[' + b"1," * 1_000_000 + b"1]}",
}


@pytest.mark.parametrize("what", MANY)
async def test_180_many_errors_are_reported_as_one(gateway: Client, what: str) -> None:
    """Quickly, without delaying other requests."""
    asking = asyncio.create_task(post(gateway, "/images/upload", MANY[what]))
    slowest = 0.0
    while not asking.done():
        began = time.monotonic()
        async with gateway.get("/health/live") as response:
            assert response.status == 200
        slowest = max(slowest, time.monotonic() - began)
        await asyncio.sleep(0.01)

    assert (await asking)[0] == 400
    assert slowest < 2


async def test_181_a_value_of_a_megabyte_is_not_quoted(gateway: Client) -> None:
    """As a format, a source or a type."""
    word = "x" * 1_000_000
    for path, payload in (
        ("/images/upload", body(formats=[word])),
        ("/images/convert/start", {"source": word[:900_000]}),
        ("/images/directories/source", {"name": word[:900_000]}),
    ):
        status, response = await post(gateway, path, payload)
        assert status == 400
        assert len(json.dumps(response)) < 1000


@pytest.mark.parametrize("payload", PROTOTYPES, ids=ascii)
async def test_182_prototype_names_are_ordinary_names(gateway: Client, payload: bytes) -> None:
    """As names of unknown fields."""
    status, response = await post(gateway, "/images/upload", payload)

    assert (status, response["type"]) == (400, "unknownDataField")


async def test_191_a_large_upload_is_rejected_unread(wire: Wire) -> None:
    """A hundred megabytes are rejected by the announced length."""
    head = f"POST /images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: {ADMIN['Authorization']}\r\n"
    (response,) = await wire.exchange(f"{head}Content-Length: {100 << 20}\r\n\r\n".encode() + B64.encode(), count=1)

    assert response.status == 413
