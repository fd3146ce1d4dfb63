"""Requests of the tests of the ImageConverter API, and parsers of the responses."""

from email.message import Message
from email.parser import BytesParser
from typing import Any

from aiohttp import ClientResponse, FormData, encode_basic_auth
from aiohttp.test_utils import TestClient

from tests.testing import image_files

Client = TestClient[Any, Any]

BASE = "/imageconverter"
KEY = "0123456789abcdef" * 4
FORMAT = "auto:200x150~cover~autorotate~shrinkonly@75"
PASSWORD = "pässword: with a colon"
ADMIN = {"Authorization": encode_basic_auth("admin", PASSWORD, "utf-8")}
IMAGE = image_files.png()


def form(data: bytes = IMAGE, *, name: str = "sourceImage") -> FormData:
    """Return a form with one file."""
    body = FormData()
    body.add_field(name, data, filename="grün.png", content_type="application/octet-stream")
    return body


async def put(client: Client, key: str = KEY, *, context: str = "", data: bytes = IMAGE) -> None:
    """Cache an image under *key*."""
    async with client.post(f"{BASE}/cacheImage/{key}", params={"context": context}, data=form(data)) as response:
        assert await code(response) == (200, 0)


async def code(response: ClientResponse) -> tuple[int, int]:
    """Return status and code of a response with a JSON body."""
    body = await response.json()
    assert set(body) == {"code", "message"}
    return response.status, body["code"]


async def parts(response: ClientResponse) -> list[tuple[str, str, bytes]]:
    """Return name, type and content of the parts of a form, as parsed by the standard library."""
    head = f"Content-Type: {response.headers['Content-Type']}\r\n\r\n".encode()
    message: Message = BytesParser().parsebytes(head + await response.read())
    found = []
    for part in message.get_payload():
        assert isinstance(part, Message)
        name = part.get_param("name", header="Content-Disposition")
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found.append((str(name), part.get_content_type(), content))
    return found
