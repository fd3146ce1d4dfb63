"""Group F of the catalog: hostile connections get a response or are closed, soon, without affecting others."""

import asyncio
import json
import time
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE
from services.gateway.routes import routes
from tests.conftest import ADMIN
from tests.gateway.images_api.test_uploads import body
from tests.hostile.case import Case, names
from tests.hostile.exchanges import CHUNKED, EXCHANGES, KEY, LAST, LIVE, cancel
from tests.hostile.test_names import stored
from tests.hostile.wire import SECONDS, Wire
from tests.testing.preview_requests import FORMAT

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("worker")


async def is_well(wire: Wire) -> bool:
    """Whether the gateway responds quickly."""
    began = time.monotonic()
    return (await wire.get("/health/live")).status == 200 and time.monotonic() - began < SECONDS / 3


@pytest.mark.parametrize("case", EXCHANGES, ids=names(EXCHANGES))
async def test_an_invalid_request_is_rejected(wire: Wire, case: Case[bytes, set[int]]) -> None:
    """Or handled like any other if it is valid; never an internal error."""
    *before, response = await wire.exchange(case.attack)

    assert response.status in case.expected, response
    assert [each.status for each in before] in ([], [100])
    assert b"Traceback" not in response.body


UNREADABLE: list[Case[bytes, None]] = [
    Case(195, "an encoding that is not installed", cancel(b"x", "Content-Encoding: br"), None),
    Case(199, "a length of script", LIVE + b"Content-Length: <script>alert(1)</script>\r\n" + LAST, None),
    Case(200, "a chunk of script", CHUNKED + b"<script>alert(1)</script>\r\n\r\n", None),
    Case(203, "no HTTP", b"<script>alert(1)</script>\r\n\r\n", None),
    Case(203, "a header of script", LIVE + b"<script>alert(1)</script>\r\n" + LAST, None),
    Case(203, "an address of script", b"GET <script>alert(1)</script> HTTP/1.1\r\nHost: x\r\n\r\n", None),
    Case(203, "a version of script", b"GET / <script>alert(1)</script>\r\nHost: x\r\n\r\n", None),
    Case(203, "too long a line of script", LIVE + b"X: " + b"<script>" * 2000 + b"\r\n" + LAST, None),
]


@pytest.mark.parametrize("case", UNREADABLE, ids=names(UNREADABLE))
async def test_unparsable_requests_get_json_errors(wire: Wire, case: Case[bytes, None]) -> None:
    """JSON without a part of the request and without a version, although no handler is reached."""
    (response,) = await wire.exchange(case.attack)

    assert response.status == 400
    assert b"<script" not in response.body
    assert response.headers["server"] == "imageconverter"
    assert response.headers["content-type"].startswith("application/json")
    assert set(response.json) == {"error", "reason"}


async def test_214_an_unsupported_expect_header_is_a_json_error(wire: Wire) -> None:
    """Although it is rejected before any handler."""
    (response,) = await wire.exchange(cancel(b"{}", "Expect: nonsense"))

    assert (response.status, response.json) == (417, {"error": "Expectation Failed", "reason": "Expectation Failed."})
    assert response.headers["server"] == "imageconverter"


async def test_201_a_large_chunk_extension_is_rejected_or_ignored(wire: Wire) -> None:
    """It is rejected or read to its end."""
    (response,) = await wire.exchange(CHUNKED + b"2;" + b"x" * 10_000_000 + b"\r\n{}\r\n0\r\n\r\n")

    assert response.status in (0, 200, 400)
    assert await is_well(wire)


async def test_198_json_bodies_have_a_small_limit(wire: Wire) -> None:
    """With Content-Length or chunked."""
    (announced,) = await wire.exchange(cancel(b" " * (MEGABYTE + 1)))
    chunked = b"".join(b"10000\r\n" + b" " * 65_536 + b"\r\n" for _ in range(17))
    (counted,) = await wire.exchange(CHUNKED + chunked + b"0\r\n\r\n")

    assert (announced.status, counted.status) == (413, 413)


FORM = (
    "POST /imageconverter/cacheImage/hostile HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\n"
)
FORMS: list[Case[bytes, int]] = [
    Case(206, "a form in a form", b'--b\r\nContent-Disposition: form-data; name="sourceImage"\r\n'
         b"Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n", 415),
    Case(206, "a part without a name", b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n", 400),
    Case(206, "a head of a megabyte", b"--b\r\nX: " + b"y" * MEGABYTE + b"\r\n\r\nx\r\n--b--\r\n", 400),
    Case(206, "a part with a wrong length", b'--b\r\nContent-Disposition: form-data; name="sourceImage"\r\n'
         b"Content-Length: 999999999\r\n\r\nx\r\n--b--\r\n", 415),
    *(Case(207, f"two names, {second!r}",
         b'--b\r\nContent-Disposition: form-data; name="sourceImage"; filename="a.png"; ' + second
           + b"\r\n\r\nx\r\n--b--\r\n", 415)
      for second in (b"filename*=UTF-8''b.exe", b'filename="../../b"', b"filename*0=a; filename*1=b",
      b"filename*=x'y'%zz", b'filename="\xff\0"')),
    *(Case(207, f"two parts, {second!r}",
         b'--b\r\nContent-Disposition: form-data; name="a"; ' + second + b"\r\n\r\nx\r\n--b--\r\n", 400)
      for second in (b"name*=UTF-8''sourceImage", b"name*0=source; name*1=Image", b"name*=x'y'%zz")),
]  # fmt: skip


@pytest.mark.parametrize("case", FORMS, ids=names(FORMS))
async def test_an_unusual_form_is_rejected(wire: Wire, case: Case[bytes, int]) -> None:
    """As malformed, without its part, or without an image in it."""
    head = FORM.encode() + b"Content-Length: %d\r\n" % len(case.attack) + LAST
    (response,) = await wire.exchange(head + case.attack)

    assert response.status == case.expected
    assert set(response.json) == {"code", "message"}


async def test_208_incomplete_request_heads_do_not_block_others(wire: Wire) -> None:
    """Five hundred of them; other requests are served meanwhile."""
    slow = [await asyncio.open_connection(wire.host, wire.port) for _ in range(500)]
    for _, writer in slow:
        writer.write(LIVE)
    assert await is_well(wire)
    for _, writer in slow:
        writer.transport.abort()
    assert await is_well(wire)


async def test_210_idle_connections_do_not_block_others(wire: Wire) -> None:
    """Nor do connections that are opened and closed."""
    silent = [await asyncio.open_connection(wire.host, wire.port) for _ in range(300)]
    assert await is_well(wire)
    for _, writer in silent:
        writer.transport.abort()
    assert await is_well(wire)


async def test_211_slow_readers_do_not_block_others(wire: Wire, resources: Resources) -> None:
    """Twenty stalled downloads are not kept in memory."""
    await resources.store.put("target/hostile/large.png", bytes(40 * MEGABYTE), content_type="image/png")
    before = _memory()
    standing = []
    for _ in range(20):
        reader, writer = await asyncio.open_connection(wire.host, wire.port, limit=1024)
        writer.write(b"GET /content/hostile/large.png HTTP/1.1\r\nHost: x\r\n\r\n")
        standing.append((reader, writer))
    for reader, _ in standing:
        assert b" 200 " in await asyncio.wait_for(reader.readline(), SECONDS)
    assert await is_well(wire)
    assert _memory() - before < 400 * MEGABYTE  # of the 800 that were requested
    for _, writer in standing:
        writer.transport.abort()
    assert await is_well(wire)


def _memory() -> int:
    """Return the current memory of this process, which includes the gateway, in bytes."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - not a path of the project
        return int(file.read().split()[1]) * 4096


async def test_212_disconnected_clients_leave_nothing_behind(wire: Wire, resources: Resources) -> None:
    """At twenty positions of a body: no file, no job."""
    text = json.dumps(body()).encode()
    before = await stored(resources, "source/upload/")
    for path in ("/images/upload", "/images/upload/convert"):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(text)}\r\n".encode() + KEY + b"\r\n"
        for part in range(20):
            _, writer = await asyncio.open_connection(wire.host, wire.port)
            writer.write(head + text[: len(text) * part // 20])
            await writer.drain()
            writer.transport.abort()

    assert await is_well(wire)
    assert await stored(resources, "source/upload/") == before
    assert await resources.queue.depth(QueueName.INTERACTIVE) == 0


async def test_213_data_after_a_body_is_the_next_request(wire: Wire) -> None:
    """If it is not a valid request, it is rejected."""
    request = cancel(b"{}").replace(b"Connection: close\r\n", b"")
    responses = await wire.exchange(request + b"smuggled nonsense\r\n\r\n")

    assert [each.status for each in responses] in ([200, 400], [400])


async def test_215_pipelined_requests_are_answered_in_order(wire: Wire) -> None:
    """On one connection, including errors."""
    wrong = cancel(b"[]").replace(b"Connection: close\r\n", b"")
    nowhere = LIVE.replace(b"/health/live", b"/nowhere") + b"\r\n"
    responses = await wire.exchange((LIVE + b"\r\n" + wrong + nowhere) * 50 + LIVE + LAST)

    assert [each.status for each in responses] == [200, 400, 404] * 50 + [200]


async def test_216_many_connections_are_all_served(wire: Wire) -> None:
    """1,500 concurrent connections."""
    responses = await asyncio.gather(*(wire.get("/health/live") for _ in range(1500)))

    assert {each.status for each in responses} == {200}


METHODS = ("HEAD", "OPTIONS", "TRACE", "PUT", "PATCH", "PROPFIND", "GET", "POST", "DELETE")


def addresses() -> list[str]:
    """Return a URL of every route, with names that do not exist."""
    every = {route.path for route in routes()}
    filled = {
        path.replace("{requestFormat:[\\s\\S]*}", FORMAT).replace(":[^/]*", "").replace(":.+", "") for path in every
    }
    return sorted("/".join("none" if part.startswith("{") else part for part in path.split("/")) for path in filled)


@pytest.mark.parametrize("method", METHODS)
async def test_217_every_method_of_every_route_has_a_response(gateway: Client, method: str) -> None:
    """405 with Allow, 401 without a key, or a regular response."""
    for path in addresses():
        if "events" in path and method == "GET":
            continue
        async with gateway.request(method, path) as response:
            assert response.status in (200, 204, 400, 401, 404, 405, 503), path
            assert (response.status == 204) == (method == "OPTIONS"), path
            assert response.status != 503 or path == "/health/ready", path
            assert ("Allow" in response.headers) == (response.status in (204, 405)), path
            assert method not in ("TRACE", "PATCH", "PROPFIND") or response.status in (404, 405), path


SPOOFED: list[Case[dict[str, str], None]] = [
    Case(221, "forwarded", {"Forwarded": "for=1.2.3.4;host=evil.example;proto=https"}, None),
    *(Case(221, name, {name: "evil.example"}, None) for name in (
        "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "X-Original-URL",
        "X-Rewrite-URL", "Referer", "Origin", "Via",
    )),
    Case(221, "another method", {"X-HTTP-Method-Override": "DELETE", "X-Method-Override": "DELETE"}, None),
    Case(222, "another host", {"Host": "evil.example"}, None),
    Case(222, "a host of script", {"Host": 'evil.example"><script>'}, None),
    Case(222, "a host with a path", {"Host": "evil.example/a?b#"}, None),
]  # fmt: skip


@pytest.mark.parametrize("case", SPOOFED, ids=names(SPOOFED))
async def test_headers_change_neither_urls_nor_routes(gateway: Client, case: Case[dict[str, str], None]) -> None:
    """No header changes a URL in a response or the operation that is called."""
    for path in (
        "/images/url/products?formatNodeId=content.imageFormat.normal",
        "/images/convert/status",
        "/nowhere",
    ):
        async with gateway.get(path, headers={**ADMIN, **case.attack}) as response:
            assert response.status == (404 if path == "/nowhere" else 200)
            assert "evil.example" not in await response.text() + str(response.headers)
