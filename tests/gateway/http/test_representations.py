"""What is sent of a response: nothing if the client has it (RFC 9110, 13), and compressed if it is large (12.5.3)."""

import gzip
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from services.gateway.app import create_app
from services.gateway.http.compression import accepts_gzip
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing.runs import put_sources

Client = TestClient[Any, Any]

STATUS, SOURCES = "/images/convert/status", "/images/sources?recursive=true"
REVALIDATED = [
    STATUS, "/images/convert/runs", "/images/convert/results", "/images/report", "/images/report/categories",
    "/images/report/status", "/images/formats", "/images/directories/target", SOURCES,
]  # fmt: skip


@pytest.fixture
async def client(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A client that leaves bodies as they are sent."""
    server = TestServer(create_app(make_settings(), resources))
    async with TestClient(server, auto_decompress=False) as opened:
        yield opened


async def get(client: Client, path: str, method: str = "GET", **headers: str) -> tuple[int, Any, bytes]:
    """Return status, headers and body; by default nothing is accepted but the body as it is."""
    sent = {**ADMIN, "Accept-Encoding": "identity", **headers}
    async with client.request(
        method, path, headers={name.replace("_", "-"): sent[name] for name in sent}
    ) as response:
        return response.status, response.headers, await response.read()


@pytest.mark.parametrize("path", REVALIDATED)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_what_the_client_has_is_not_sent_again(client: Client, path: str, method: str) -> None:
    """By its weak ETag, in any list."""
    status, headers, _ = await get(client, path, method)
    tag = headers["ETag"]

    assert status == 200
    assert re.fullmatch(r'W/"[0-9a-f]{24}"', tag)
    assert headers["Cache-Control"] == "private, no-cache"
    for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        status, headers, body = await get(client, path, method, If_None_Match=known)
        assert (status, headers["ETag"], body) == (304, tag, b"")
    assert (await get(client, path, method, If_None_Match='W/"other"'))[0] == 200


async def test_a_changed_response_has_another_tag(client: Client, resources: Resources) -> None:
    """So that it is sent."""
    directory = await put_sources(resources, {"a.png": b"x"})
    path = f"{SOURCES}&directory={directory}"
    _, headers, _ = await get(client, path)
    await resources.store.put(f"source/{directory}/b.png", b"x", content_type="image/png")
    status, changed, _ = await get(client, path, If_None_Match=headers["ETag"])

    assert (status, changed["ETag"] == headers["ETag"]) == (200, False)


@pytest.mark.parametrize("path", ["/images/url/products?formatNodeId=x", "/images/convert/status?run=none"])
async def test_errors_have_no_tag(client: Client, path: str) -> None:
    """They are not stored by anyone."""
    status, headers, _ = await get(client, path, If_None_Match="*")

    assert (status // 100, headers.get("ETag"), headers["Cache-Control"]) == (4, None, "no-store")


@pytest.mark.parametrize("path", [SOURCES, "/images/directories/source"])
async def test_a_large_response_is_compressed(client: Client, resources: Resources, path: str) -> None:
    """If gzip is accepted; it has the same ETag, and caches are informed."""
    for _ in range(3):
        await put_sources(resources, {f"{number}/a.png": b"x" for number in range(30)})
    _, plain_headers, plain = await get(client, path)
    _, headers, body = await get(client, path, Accept_Encoding="br;q=1.0, gzip;q=0.8, *;q=0.1")

    assert headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain_headers
    assert headers["Vary"] == plain_headers["Vary"] == "Accept-Encoding"
    assert headers["ETag"] == plain_headers["ETag"]
    assert len(body) == int(headers["Content-Length"]) < len(plain) / 3
    assert json.loads(gzip.decompress(body)) == json.loads(plain)
    assert (await get(client, path, "HEAD", Accept_Encoding="gzip"))[1]["Content-Encoding"] == "gzip"


async def test_a_download_is_compressed(client: Client) -> None:
    """While it is streamed."""
    _, headers, body = await get(client, "/images/report/products?as=csv", Accept_Encoding="gzip")

    assert headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(body) == (await get(client, "/images/report/products?as=csv"))[2]


async def test_small_responses_and_tokens_are_not_compressed(client: Client) -> None:
    """Compressed beside the text of an attacker, a secret could be guessed from the size."""
    _, headers, _ = await get(client, STATUS, Accept_Encoding="gzip")
    async with client.post("/admin/api/v1/login", json={"apiKey": API_KEY, "email": "x"}) as response:
        assert "Content-Encoding" not in response.headers
        assert "ETag" not in response.headers

    assert "Content-Encoding" not in headers


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("deflate, gzip;q=1.0, *;q=0.5", True),
        ("*", True),
        ("gzip;q=0.001", True),
        ("", False),
        ("identity", False),
        ("deflate, br", False),
        ("gzip;q=0", False),
        ("*;q=1, gzip;q=0", False),
        ("*;q=0", False),
        ("gzip;q=x", False),
        ("not-gzip", False),
    ],
)
def test_accept_encoding_is_read_by_its_weights(header: str, *, is_accepted: bool) -> None:
    """A weight of 0 forbids."""
    assert accepts_gzip(header) == is_accepted
