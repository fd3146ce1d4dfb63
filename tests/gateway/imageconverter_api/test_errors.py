"""Every error, with its code."""

import asyncio
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from imageconverter.errors import (
    ConversionFailed,
    ImageConverterError,
    InvalidFileFormat,
    LimitExceeded,
    NotAnImage,
    NotFound,
    QueueFull,
    QueueUnavailable,
    StoreUnavailable,
)
from services.gateway.imageconverter_api.errors import CODES, Code, code_of
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import ADMIN, BASE, FORMAT, KEY, Client, code, form, put

CALLS = [
    ("POST", f"cacheAndGetImage/{{key}}/{FORMAT}"),
    ("POST", f"cacheAndGetImageAndMetadata/{{key}}/{FORMAT}"),
    ("POST", "cacheImage/{key}"),
    ("GET", f"getImage/{{key}}/{FORMAT}"),
    ("GET", f"getImageAndMetadata/{{key}}/{FORMAT}"),
    ("GET", "getMetadata/{key}"),
    ("DELETE", "clearImagesByKey/{key}"),
    ("DELETE", "clearImages"),
    ("GET", "getKeyCount"),
    ("GET", "getKeys"),
]
OF_A_KEY = [call for call in CALLS if "{key}" in call[1]]
OF_A_CONTEXT = [call for call in CALLS if "ByKey" not in call[1]]


async def call(client: Client, method: str, path: str, **options: Any) -> tuple[int, int]:
    """Call an operation with valid arguments; returns status and code."""
    body = form() if path.startswith("cache") else None
    async with client.request(method, f"{BASE}/{path}", data=body, headers=ADMIN, **options) as response:
        return await code(response)


@pytest.mark.parametrize(("method", "path"), OF_A_KEY)
@pytest.mark.parametrize(
    "key", ["", "a%20b", "a%2Fb", "%2e%2e%2f", "%0a", "%00", "a'--", "%c3%bc", "{key}", "<b>", "a" * 257]
)
async def test_an_invalid_key_is_rejected(client: Client, method: str, path: str, key: str) -> None:
    """Before the cache is accessed, and without quoting the key."""
    path = path.replace("{key}", key)
    assert await call(client, method, path) == (400, 4001)


@pytest.mark.parametrize(("method", "path"), OF_A_CONTEXT)
@pytest.mark.parametrize("context", ["a b", "1' OR '1'='1", "ü", "a/b", "\n", "*", "a" * 129])
async def test_an_invalid_context_is_rejected(
    client: Client, cache: StandIn, method: str, path: str, context: str
) -> None:
    """In particular by `clearImages`, which would otherwise clear all images."""
    cache.sources["there"] = b"image"
    path = path.format(key=KEY)

    assert await call(client, method, path, params={"context": context}) == (400, 4001)
    assert list(cache.sources) == ["there"]


async def test_errors_do_not_quote_the_request(client: Client) -> None:
    """Error messages contain no part of the request."""
    async with client.get(f"{BASE}/getImage/strange%20key/{FORMAT}") as response:
        assert "strange" not in await response.text()


@pytest.mark.parametrize(
    ("method", "path"), [each for each in OF_A_KEY if not each[1].startswith("cache")], ids=lambda value: value
)
async def test_an_unknown_key_is_not_found(client: Client, method: str, path: str) -> None:
    """Never 200 without an image, which the middleware would display."""
    assert await call(client, method, path.format(key=KEY)) == (404, 4041)


@pytest.mark.parametrize("operation", [f"cacheAndGetImage/{KEY}/{FORMAT}", f"cacheImage/{KEY}"])
async def test_a_file_that_is_not_an_image_is_not_convertible(client: Client, operation: str) -> None:
    """And nothing is stored."""
    async with client.post(f"{BASE}/{operation}", data=form(b"no image")) as response:
        assert await code(response) == (415, 4150)
    async with client.get(f"{BASE}/getKeyCount") as response:
        assert await response.json() == {"count": 0}


FAULTS = [
    (InvalidFileFormat("It is broken."), 415, 4150),
    (NotAnImage("It is none."), 415, 4150),
    (LimitExceeded("It is too large."), 415, 4150),
    (NotFound("It is gone."), 404, 4041),
    (StoreUnavailable("It is unavailable."), 503, 5030),
    (QueueUnavailable("It is unavailable."), 503, 5030),
    (QueueFull("It is full."), 503, 5031),
    (ConversionFailed("It took too long."), 504, 5040),
]


@pytest.mark.parametrize(("fault", "status", "number"), FAULTS, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "operation", [f"cacheAndGetImage/{KEY}/{FORMAT}", f"cacheAndGetImageAndMetadata/{KEY}/{FORMAT}"]
)
async def test_every_error_of_the_core_has_its_code(
    client: Client, cache: StandIn, operation: str, fault: ImageConverterError, status: int, number: int
) -> None:
    """And a Retry-After header if a retry may help."""
    cache.fault = fault
    async with client.post(f"{BASE}/{operation}", data=form()) as response:
        assert await response.json() == {"code": number, "message": fault.reason}
        assert response.status == status
        assert ("Retry-After" in response.headers) == (status == 503)


@pytest.mark.parametrize(("method", "path"), CALLS)
async def test_outages_are_unavailable_for_every_operation(
    client: Client, cache: StandIn, method: str, path: str
) -> None:
    """With 503, even for streamed responses."""
    cache.fault = QueueUnavailable("It is unavailable.")

    assert await call(client, method, path.format(key=KEY)) == (503, 5030)


async def test_an_internal_error_has_the_same_shape(
    client: Client, cache: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The response does not contain the exception."""
    monkeypatch.setattr(cache, "count", None)
    async with client.get(f"{BASE}/getKeyCount") as response:
        assert await code(response) == (500, 5000)
        assert "None" not in await response.text()


async def test_an_interrupted_list_of_keys_is_aborted(client: Client, cache: StandIn) -> None:
    """The connection closes before the end of the response."""
    cache.sources = {f"key-{number}": b"" for number in range(5000)}
    cache.fault = QueueUnavailable("It is unavailable.")
    reader, writer = await asyncio.open_connection(client.host, client.port)
    head = f"GET {BASE}/getKeys HTTP/1.1\r\nHost: x\r\nAuthorization: {ADMIN['Authorization']}\r\n\r\n"
    writer.write(head.encode())
    received = b""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(20):
            while chunk := await reader.read(65536):
                received += chunk
    writer.close()

    assert b" 200 " in received.partition(b"\r\n")[0]
    assert b"0\r\n\r\n" not in received[-5:]


@pytest.mark.parametrize(
    ("method", "path", "status", "number"),
    [
        ("GET", "nothing", 404, 4040),
        ("GET", "getImage", 404, 4040),
        ("GET", f"getImage/{KEY}", 404, 4040),
        ("GET", f"getMetadata/{KEY}/more", 404, 4040),
        ("GET", f"cacheImage/{KEY}", 405, 4050),
        ("GET", f"cacheAndGetImage/{KEY}/{FORMAT}", 405, 4050),
        ("POST", f"getImage/{KEY}/{FORMAT}", 405, 4050),
        ("PUT", "clearImages", 405, 4050),
        ("DELETE", "getKeys", 405, 4050),
        ("OPTIONS", "nothing", 404, 4040),
        ("POST", "", 405, 4050),
    ],
)
async def test_an_unknown_path_or_method_has_a_code(
    client: Client, method: str, path: str, status: int, number: int
) -> None:
    """Below the base path, errors have the format of this API."""
    async with client.request(method, f"{BASE}/{path}", headers=ADMIN) as response:
        assert await code(response) == (status, number)
        assert ("Allow" in response.headers) == (status == 405)


async def test_a_path_that_only_begins_like_the_base_is_not_of_this_api(client: Client) -> None:
    """It gets the error of the images API."""
    async with client.get("/imageconverters") as response:
        assert set(await response.json()) == {"error", "reason"}


@pytest.mark.parametrize("settings", [{"strict_errors": True}])
class TestWhereErrorsAreStrict:
    """The original's documentation has the statuses 200 and 500 only."""

    @pytest.mark.parametrize(("fault", "_status", "number"), FAULTS, ids=lambda value: type(value).__name__)
    async def test_every_error_is_a_500(
        self, client: Client, cache: StandIn, fault: ImageConverterError, _status: int, number: int
    ) -> None:
        """The code stays the same."""
        cache.fault = fault
        async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}") as response:
            assert await code(response) == (500, number)
            assert ("Retry-After" in response.headers) == (number // 10 == 503)

    async def test_routing_and_internal_errors_are_500s(self, client: Client) -> None:
        """For invalid keys, credentials, bodies, paths and methods."""
        for method, path, number in [
            ("GET", f"getImage/a%20b/{FORMAT}", 4001),
            ("GET", "getKeys", 4010),
            ("POST", f"cacheImage/{KEY}", 4002),
            ("GET", "nothing", 4040),
            ("PUT", "getKeys", 4050),
        ]:
            async with client.request(method, f"{BASE}/{path}") as response:
                assert await code(response) == (500, number)

    async def test_successful_responses_do_not_change(self, client: Client) -> None:
        """Including 304 responses."""
        await put(client)
        async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}", headers={"If-None-Match": "*"}) as response:
            assert response.status == 304

    async def test_the_images_api_is_not_affected(self, client: Client) -> None:
        """It keeps its own statuses."""
        async with client.get("/images/nothing") as response:
            assert response.status == 404


@pytest.mark.parametrize("settings", [{"parallel_requests": 1}])
async def test_too_many_concurrent_requests_are_rejected_at_once(client: Client, cache: StandIn) -> None:
    """While one is converted, another gets 503; the status page and the images API respond."""
    started, release = asyncio.Event(), asyncio.Event()

    respond = cache.metadata

    async def metadata(key: str) -> dict[str, Any]:
        started.set()
        await release.wait()
        return await respond(key)

    await put(client)
    cache.metadata = metadata  # type: ignore[method-assign]
    first = asyncio.create_task(_status(client, f"{BASE}/getMetadata/{KEY}"))
    await started.wait()
    async with client.get(f"{BASE}/getImage/{KEY}/{FORMAT}") as response:
        assert await code(response) == (503, 5032)
        assert response.headers["Retry-After"]
    assert await call(client, "POST", f"cacheImage/{KEY}") == (503, 5032)
    for path in (BASE, "/health/live"):
        async with client.get(path) as response:
            assert response.status == 200
    release.set()
    assert await first == 200
    assert (await call(client, "POST", f"cacheImage/{KEY}"))[0] == 200

    async with client.get("/metrics") as response:
        refused = [line for line in (await response.text()).splitlines() if "limitreached_count{" in line]
    assert any('request="get"' in line and not line.endswith(" 0.0") for line in refused)


async def _status(client: Client, path: str) -> int:
    async with client.get(path) as response:
        return response.status


@pytest.mark.parametrize("settings", [{"parallel_requests": 1}])
async def test_a_client_that_is_still_sending_has_no_slot(client: Client) -> None:
    """However many there are, without a key: others are served."""
    writers = []
    for _ in range(20):
        _, writer = await asyncio.open_connection(client.host, client.port)
        writer.write(f"POST {BASE}/cacheImage/{KEY} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n".encode())
        writer.write(b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b")
        writers.append(writer)
    await asyncio.sleep(0.2)  # until all have reached the handler

    assert (await call(client, "POST", f"cacheImage/{KEY}"))[0] == 200
    for writer in writers:
        writer.close()


def test_every_code_is_documented() -> None:
    """The table in the documentation lists exactly these codes with their statuses."""
    text = (Path(__file__).parents[3] / "docs" / "imageconverter-api.md").read_text()
    table = re.findall(r"^\| (\d+) \| (\d+) \| \w", text, re.MULTILINE)

    assert {(int(number), int(status)) for number, status in table} == {(int(each), each.status) for each in Code}


def test_every_error_has_a_code() -> None:
    """Including error classes that are added later."""
    assert code_of(ImageConverterError("It is.")) is Code.INTERNAL_ERROR
    assert all(code_of(kind("It is.")) is expected for kind, expected in CODES.items())
