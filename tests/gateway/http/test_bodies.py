"""Bodies that are too large, too slow, too many or broken."""

import asyncio
import gc
import socket
import time
import weakref
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE, GatewaySettings
from services.gateway.app import create_app
from services.gateway.http.bodies import BodyStream
from services.gateway.main import serving
from services.stack.ports import free_ports
from tests.conftest import ADMIN, API_KEY, MakeSettings

PATH = "/images/upload"


@pytest.fixture
async def small(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[TestClient[Any, Any]]:
    """A gateway with an upload limit of one MiB and a body timeout of one second."""
    gateway = GatewaySettings(api_key=API_KEY, max_upload_mb=1, body_seconds=1)
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        yield client


def head(length: int, path: str = PATH) -> bytes:
    """Return the head of an upload with a Content-Length of *length* bytes."""
    return (
        f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {API_KEY}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


async def test_an_announced_size_over_the_limit_is_rejected_unread(small: TestClient[Any, Any]) -> None:
    """The response arrives before any of the body is sent."""
    reader, writer = await asyncio.open_connection(small.host, small.port)
    writer.write(head(99_999_999))
    async with asyncio.timeout(20):
        status = await reader.readline()
    writer.close()

    assert b" 413 " in status


async def test_a_body_of_unknown_size_is_limited(small: TestClient[Any, Any]) -> None:
    """A chunked body has no Content-Length."""

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(MEGABYTE)

    async with small.post(PATH, data=chunks(), headers=ADMIN) as response:
        assert response.status == 413
        assert (await response.json())["error"] == "Request Entity Too Large"


async def test_a_compressed_body_is_limited_by_its_uncompressed_size(small: TestClient[Any, Any]) -> None:
    """A small gzip of many zeros."""
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(bytes(50 * MEGABYTE)) + packer.flush()
    async with small.post(PATH, data=bomb, headers={**ADMIN, "Content-Encoding": "gzip"}) as response:
        assert response.status == 413


async def test_a_broken_encoding_is_a_malformed_body(small: TestClient[Any, Any]) -> None:
    """Not a server error."""
    async with small.post(PATH, data=b"no gzip", headers={**ADMIN, "Content-Encoding": "gzip"}) as response:
        assert response.status == 400


async def test_a_body_that_does_not_arrive_times_out(small: TestClient[Any, Any]) -> None:
    """The client gets a 400 after one second."""
    reader, writer = await asyncio.open_connection(small.host, small.port)
    writer.write(head(1000) + b"{")
    began = time.monotonic()
    status = await asyncio.wait_for(reader.readline(), 20)
    writer.close()

    assert b" 400 " in status
    assert time.monotonic() - began > 0.9


async def test_a_client_that_disconnects_frees_its_memory(small: TestClient[Any, Any]) -> None:
    """The next request succeeds."""
    for _ in range(20):
        _, writer = await asyncio.open_connection(small.host, small.port)
        writer.write(head(1000) + b"{")
        await writer.drain()
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        writer.close()

    async with small.get("/health/live") as response:
        assert response.status == 200


@pytest.mark.parametrize("path", [PATH, f"{PATH}?fileName=chair.png"])
async def test_a_client_that_disconnects_leaves_nothing_in_memory(
    path: str, make_settings: MakeSettings, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even until a garbage collection, which few large bodies do not cause."""
    streams: list[weakref.ref[BodyStream]] = []

    class Watched(BodyStream):
        def __init__(self, *arguments: Any, **limits: Any) -> None:
            super().__init__(*arguments, **limits)
            streams.append(weakref.ref(self))

    monkeypatch.setattr("services.gateway.http.bodies.BodyStream", Watched)
    monkeypatch.setattr("services.gateway.images_api.incoming_images.BodyStream", Watched)
    (port,) = free_ports(1)
    gc.disable()
    try:
        async with serving(create_app(make_settings(), resources), "127.0.0.1", port), asyncio.timeout(10):
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head(500_000, path) + bytes(100_000))
            while not streams:
                await asyncio.sleep(0.01)
            writer.transport.abort()
            while streams[0]() is not None:
                await asyncio.sleep(0.01)
    finally:
        gc.enable()
