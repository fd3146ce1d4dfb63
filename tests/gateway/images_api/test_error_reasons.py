"""Errors name the culprit: the field, the image of several, the format, and what there is instead."""

import base64
import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.images.formats_file import load_formats
from tests.conftest import ADMIN
from tests.testing import image_files

Client = TestClient[Any, Any]

APP, PRODUCT = "content.imageFormat.app", "content.imageFormat.normalProduct"
VALID = base64.b64encode(image_files.png()).decode()
PRODUCTS = ", ".join(node_id for node_id, each in load_formats(None).items() if each.type == "product")


async def reason(client: Client, method: str, path: str, payload: Any = None) -> str:
    """Return the reason of the 400 for a request."""
    data = None if payload is None else json.dumps(payload)
    async with client.request(method, f"/images{path}", data=data, headers=ADMIN) as response:
        assert response.status == 400
        return str((await response.json())["reason"])


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"x" * 99: 1},
            f'The body has an unknown field "{"x" * 59}…"; the fields are: fileName, imageData, formats.',
        ),
        (
            {"n\u202eme<b>": 1},
            "The body has an unknown field with special characters; the fields are: fileName, imageData, formats.",
        ),
        (
            {"fileName": ["a.png", "b.png"], "imageData": [VALID, "no base64!"]},
            "b.png: imageData is not base64.",
        ),
        (
            {"fileName": ["a.png", "b.png", "a.png"], "imageData": [VALID] * 3},
            'The file name "a.png" is there twice.',
        ),
        (
            {"fileName": ["a.png", "b/c.png"], "imageData": [VALID] * 2},
            'The name "b/c.png" has a path separator or a control character.',
        ),
        (
            {"fileName": ["a.png", "b.png"], "imageData": [VALID]},
            "fileName and imageData must have the same number of elements; they have 2 and 1.",
        ),
    ],
)
async def test_an_upload(gateway: Client, change: dict[str, Any], expected: str) -> None:
    """A name is cut, and not repeated if a page or a terminal could interpret it."""
    payload = {"fileName": "a.png", "formats": [PRODUCT], "imageData": VALID, **change}

    assert await reason(gateway, "POST", "/upload", payload) == expected


@pytest.mark.parametrize(
    ("method", "path", "payload", "expected"),
    [
        (
            "GET",
            f"/url/products?formatNodeId={APP}",
            None,
            f'The image format "{APP}" is not one of products; there are: {PRODUCTS}.',
        ),
        ("GET", "/url/products?formatNodeId=x&subshopId=y", None, 'There is no subshop "y".'),
        (
            "DELETE",
            "/upload/products",
            {"fileName": "a.png", "formats": [PRODUCT, APP]},
            f"The image format {APP} is not one of products.",
        ),
        (
            "DELETE",
            "/upload/products",
            {"fileName": ["a.png", "../b.png"]},
            'The name "../b.png" has a path separator or a control character.',
        ),
        (
            "POST",
            "/sources/move",
            {"from": "a.png", "target": "b.png"},
            'The body has an unknown field "target"; the fields are: from, to, overwrite.',
        ),
    ],
)
async def test_a_request(gateway: Client, method: str, path: str, payload: Any, expected: str) -> None:
    """Also where a field is not called as in the code, and a format is of another type."""
    assert await reason(gateway, method, path, payload) == expected
