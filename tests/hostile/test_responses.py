"""Group G of the catalog: responses and logs are safe to read."""

import asyncio
import io
import json
import subprocess
import sys
from typing import Any

import pytest
import structlog
from aiohttp.test_utils import TestClient

from services.gateway.http import middleware
from tests.conftest import ADMIN, API_KEY
from tests.gateway.images_api.test_uploads import b64, body
from tests.hostile.case import Case, names
from tests.hostile.exchanges import KEY
from tests.hostile.wire import SECONDS, Wire
from tests.testing import image_files

Client = TestClient[Any, Any]

CANARY = "canary<script>7357"

CRLF: list[Case[str, int]] = [
    Case(223, "in the address of an image", "/content/a%0d%0aSet-Cookie:%20a=b.png", 404),
    Case(223, "in a key", "/imageconverter/getImage/a%0d%0aSet-Cookie:%20a=b/auto", 400),
    Case(223, "in a format", "/imageconverter/getImage/unknown/a%0d%0aSet-Cookie:%20a=b", 404),
    Case(223, "in the id of a format", "/images/url/products?formatNodeId=a%0d%0aSet-Cookie:%20a=b", 400),
    Case(223, "in the id of a run", "/images/convert/status?run=a%0d%0aSet-Cookie:%20a=b", 404),
    Case(223, "in a path that leads nowhere", "/a%0d%0aSet-Cookie:%20a=b", 404),
    Case(223, "in a token", "/admin/api/v1/login/checkToken/a%0d%0aSet-Cookie:%20a=b", 400),
]


@pytest.mark.parametrize("case", CRLF, ids=names(CRLF))
async def test_line_breaks_cannot_inject_headers(wire: Wire, case: Case[str, int]) -> None:
    """In any part of a request."""
    response = await wire.get(case.attack)

    assert response.status == case.expected
    assert "set-cookie" not in response.headers
    assert b"Set-Cookie" not in response.body


REFLECTED: list[Case[tuple[str, str, bytes], None]] = [
    Case(227, "an unknown path", ("GET", "/{}", b""), None),
    Case(227, "an unknown image", ("GET", "/content/{}.png", b""), None),
    Case(227, "an unknown type", ("GET", "/images/url/{}", b""), None),
    Case(227, "an unknown format", ("GET", "/images/url/products?formatNodeId={}", b""), None),
    Case(227, "an unknown shop", ("GET", "/images/url/products?formatNodeId=a&subshopId={}", b""), None),
    Case(227, "an unknown tree", ("GET", "/images/directories/{}", b""), None),
    Case(227, "an unknown run", ("GET", "/images/convert/status?run={}", b""), None),
    Case(227, "a cursor", ("GET", "/images/convert/results?cursor={}", b""), None),
    Case(227, "a token", ("GET", "/admin/api/v1/login/checkToken/{}", b""), None),
    Case(227, "a key that is not allowed", ("GET", "/imageconverter/getImage/{}/auto", b""), None),
    Case(227, "a format that is not known", ("GET", "/imageconverter/getImage/unknown/{}", b""), None),
    Case(227, "a context that is not allowed", ("GET", "/imageconverter/getKeyCount?context={}", b""), None),
    Case(227, "an upload that is not there", ("POST", "/images/upload?directory={}", b"{}"), None),
    Case(227, "an image to delete", ("DELETE", "/images/upload/products/{}.png", b""), None),
    Case(227, "a field", ("POST", "/images/upload", b'{"{}": 1}'), None),
    Case(227, "a broken body", ("POST", "/images/upload", b'{"a": {}'), None),
    Case(227, "a name", ("DELETE", "/images/upload/products", b'{"fileName": "{}/"}'), None),
    Case(227, "a format in a body", ("DELETE", "/images/upload/products", b'{"fileName": "a", "formats": ["{}"]}'),
         None),
    Case(227, "a source", ("POST", "/images/convert/start", b'{"source": "{}"}'), None),
    Case(227, "a directory", ("POST", "/images/convert/start", b'{"source": "directory", "directory": "{}"}'), None),
    Case(227, "a directory to make", ("POST", "/images/directories/source", b'{"name": "../{}"}'), None),
    Case(227, "a password", ("POST", "/admin/api/v1/login", b'{"email": "{}", "password": "{}"}'), None),
]  # fmt: skip


@pytest.mark.parametrize("case", REFLECTED, ids=names(REFLECTED))
async def test_errors_disclose_nothing(wire: Wire, case: Case[tuple[str, str, bytes], None]) -> None:
    """Nothing of the request or of the program, as JSON that no browser renders."""
    method, target, content = case.attack
    encoded = CANARY.replace("<", "%3C").replace(">", "%3E")
    response = await wire.send(
        method,
        target.replace("{}", encoded),
        body=content.replace(b"{}", CANARY.encode()) if content != b"{}" else content,
    )

    assert 400 <= response.status < 500
    assert b"canary" not in response.body.lower()
    for word in (b"Traceback", b'File "', b"/work", b"site-packages", b"pydantic", b"Exception", b"aiohttp", b"0x"):
        assert word not in response.body
    assert response.headers["content-type"].startswith("application/json")
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["server"] == "imageconverter"
    assert not {"x-powered-by", "access-control-allow-origin", "set-cookie"} & set(response.headers)


@pytest.mark.usefixtures("worker")
async def test_227_names_in_responses_are_escaped(gateway: Client) -> None:
    """Results contain names as JSON, with a content type that browsers do not render."""
    name = "<img src=x onerror=alert(1)>'\"&.png"
    sent = json.dumps(body(fileName=name, imageData=b64(image_files.png((9, 9))))).encode()
    async with gateway.post("/images/upload/convert", data=sent, headers=ADMIN) as response:
        assert response.content_type == "application/json"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert (await response.json())["items"][0]["sourceFilename"] == name


LINES: list[Case[str, None]] = [
    Case(229, "a line break", "/none%0d%0a2026-01-01%20[info]%20admin%20logged%20in", None),
    Case(229, "a color", "/none%1b[31mred", None),
    Case(229, "a bell and a zero", "/none%07%00", None),
    Case(229, "letters from right to left", "/none%e2%80%ae", None),
    Case(229, "a separator of lines", "/none%e2%80%a8", None),
    Case(229, "a format string", "/none%25s%25n{0}", None),
    Case(229, "an address of its own", "/none?x=%0a", None),
]  # fmt: skip


RENDERERS: dict[str, Any] = {
    "for machines": structlog.processors.JSONRenderer(),
    "for people": structlog.dev.ConsoleRenderer(colors=False),
}


def log_to(renderer: Any, monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """Log requests with *renderer* to the returned file."""
    written = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(written),
        processors=[structlog.stdlib.add_log_level, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(0),
    )
    monkeypatch.setattr(middleware, "_log", logger)
    return written


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("case", LINES, ids=names(LINES))
async def test_requests_cannot_inject_log_lines(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, case: Case[str, None], renderer: str
) -> None:
    """Whatever is in it."""
    written = log_to(RENDERERS[renderer], monkeypatch)
    await wire.get(case.attack)

    assert written.getvalue().removesuffix("\n").isprintable()
    assert "/none" in written.getvalue()


async def test_238_credentials_are_not_in_the_log(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither those in headers and bodies nor those in URLs."""
    written = log_to(RENDERERS["for machines"], monkeypatch)
    content = json.dumps({"apiKey": API_KEY}).encode()
    token = (await wire.send("POST", "/admin/api/v1/login", body=content)).json["accessToken"]
    for path in (
        "login/checkToken/",
        "login/check%54oken/",
        "login/checkToken/x/",
        "Login/checktoken/",
        "login/check/",
    ):
        await wire.get(f"/admin/api/v1/{path}{token}")
    await wire.get(f"/admin/api/v1//login//checkToken//{token}")
    await wire.get(f"/login/{token.replace('.', '%2E')}")
    await wire.get(f"/images/convert/status?apiKey={API_KEY}&accessToken={token}")

    assert "/images/convert/status" in written.getvalue()
    assert API_KEY not in written.getvalue()
    assert token not in written.getvalue()


FAILING = """
import structlog
from imageconverter.settings import ProcessSettings
from services.runtime.logs import set_up_logging

def fail(secret):
    raise ValueError("it failed")

set_up_logging(ProcessSettings(log_format="{}"), role="test")
try:
    fail("the " + "password")
except ValueError as error:
    structlog.get_logger().error("failed", exc_info=error)
"""


@pytest.mark.parametrize("kind", ["console", "json"])
def test_238_tracebacks_contain_no_local_values(kind: str) -> None:
    """They have the lines and the message, but no arguments or variables."""
    written = subprocess.run([sys.executable, "-c", FAILING.replace("{}", kind)], check=True, capture_output=True)

    assert b"it failed" in written.stderr
    assert b"in fail" in written.stderr
    assert b"the password" not in written.stderr


async def test_a_disconnected_client_is_not_an_internal_error(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is logged as one line, with a separate status."""
    written = log_to(RENDERERS["for machines"], monkeypatch)
    _, writer = await asyncio.open_connection(wire.host, wire.port)
    writer.write(b"POST /images/upload HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n" + KEY + b"\r\n{")
    await writer.drain()
    await wire.get("/images/convert/status")  # the request has reached its handler by then
    writer.transport.abort()
    async with asyncio.timeout(SECONDS):
        while "/images/upload" not in written.getvalue():
            await asyncio.sleep(0.01)

    (line,) = [line for line in written.getvalue().splitlines() if "/images/upload" in line]
    assert {**json.loads(line), "seconds": 0} == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "path": "/images/upload",
        "status": 499,
        "seconds": 0,
        "actor": "key admin",
        "address": "127.0.0.1",
    }


async def test_230_clients_cannot_create_metric_labels(wire: Wire) -> None:
    """With any path, method, format, context or key."""
    counts, metrics = [], b""
    await wire.get("/metrics")  # itself a label from the second time on
    for number in range(50):
        await wire.send(f"MADEUP{number}", f"/madeup{number}")
        await wire.get(f"/imageconverter/getImage/madeup{number}/madeup{number}:1x{number}?context=madeup{number}")
        await wire.get(f"/content/madeup{number}/a.png")
        if number in (24, 49):
            metrics = (await wire.get("/metrics")).body.lower()
            counts.append(metrics.count(b"\n"))

    assert b"madeup" not in metrics
    assert counts[0] == counts[1]
