"""Stalled clients are disconnected; others are not affected."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from aiohttp import web

from imageconverter.errors import MalformedBody
from imageconverter.resources import Resources
from imageconverter.settings import MEGABYTE
from services.gateway.app import create_app
from services.gateway.http.bodies import read_body
from services.gateway.http.body_memory import BodyMemory
from services.gateway.http.connection import Deadlines
from services.gateway.main import serving
from services.stack.ports import free_ports
from tests.conftest import MakeSettings
from tests.hostile.exchanges import LAST, LIVE
from tests.hostile.wire import SECONDS, Wire

SHORT = 0.5
LONG = 600.0
HALVES = {
    "nothing": b"",
    "a line break": b"\r\n",
    "half a line": b"GET /health",
    "half a head": LIVE + b"X: y\r\n",
}


@asynccontextmanager
async def gateway(app: web.Application, deadlines: Deadlines) -> AsyncIterator[Wire]:
    """Serve *app* as a gateway does."""
    (port,) = free_ports(1)
    async with serving(app, "127.0.0.1", port, deadlines=deadlines):
        yield Wire("127.0.0.1", port)


@pytest.fixture
def app(make_settings: MakeSettings, resources: Resources) -> web.Application:
    """A gateway without its sockets."""
    return create_app(make_settings(), resources)


@asynccontextmanager
async def connected(wire: Wire) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection for the duration of the block."""
    reader, writer = await asyncio.open_connection(wire.host, wire.port, limit=1024)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """Return what is received until the server closes the connection; raises TimeoutError if it does not."""
    async with asyncio.timeout(SECONDS):
        try:
            return await reader.read(-1)
        except ConnectionError:
            return b""


@pytest.mark.parametrize("what", HALVES)
async def test_an_incomplete_head_closes_the_connection(app: web.Application, what: str) -> None:
    """Fifty of them, without a response; other requests are served meanwhile."""
    async with gateway(app, Deadlines(SHORT, LONG, LONG)) as wire, AsyncExitStack() as stack:
        slow = [await stack.enter_async_context(connected(wire)) for _ in range(50)]
        began = time.monotonic()
        for _, writer in slow:
            writer.write(HALVES[what])
        assert {(await wire.get("/health/live")).status for _ in range(20)} == {200}
        assert await asyncio.gather(*(ended(reader) for reader, _ in slow)) == [b""] * 50
        assert time.monotonic() - began > SHORT / 2
        assert (await wire.get("/health/live")).status == 200


async def test_a_slow_head_has_the_same_timeout(app: web.Application) -> None:
    """The timeout applies to the whole head."""
    async with gateway(app, Deadlines(SHORT, LONG, LONG)) as wire, connected(wire) as (reader, writer):

        async def trickle() -> None:
            writer.write(LIVE + b"X: ")
            while not writer.is_closing():
                writer.write(b"y")
                await asyncio.sleep(SHORT / 20)

        trickling = asyncio.create_task(trickle())
        assert await ended(reader) == b""
        writer.transport.abort()
        await trickling


async def test_an_idle_connection_has_its_own_timeout(app: web.Application) -> None:
    """The keep-alive timeout is longer than that of the first head; then the connection is closed."""
    async with gateway(app, Deadlines(SHORT, 3 * SHORT, LONG)) as wire, connected(wire) as (reader, writer):
        for _ in range(2):
            writer.write(LIVE + b"\r\n")
            assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(len('{"status": "live"}'))
            await asyncio.sleep(2 * SHORT)
        writer.write(LIVE)
        assert await ended(reader) == b""


async def test_a_client_that_does_not_read_is_disconnected(app: web.Application, resources: Resources) -> None:
    """A stalled download is aborted; a slow one is not."""
    await resources.store.put("target/hostile/slow.png", bytes(24 * MEGABYTE), content_type="image/png")
    request = b"GET /content/hostile/slow.png HTTP/1.1\r\nHost: x\r\n" + LAST
    async with (
        gateway(app, Deadlines(LONG, LONG, SHORT)) as wire,
        connected(wire) as (slow, slow_writer),
        connected(wire) as (still, still_writer),
    ):
        slow_writer.write(request)
        still_writer.write(request)
        taken = 0
        while piece := await slow.read(MEGABYTE // 4):
            taken += len(piece)
            await asyncio.sleep(0.01)
        assert taken > 24 * MEGABYTE
        assert len(await ended(still)) < 24 * MEGABYTE  # what had been sent before the connection was aborted


@pytest.mark.parametrize(("piece", "status"), [(MEGABYTE // 8, 200), (1, 400)])
async def test_a_body_that_arrives_too_slowly_is_rejected(piece: int, status: int) -> None:
    """However regularly: a few bytes a second would keep its memory for hours."""
    memory = BodyMemory(100 * MEGABYTE)

    async def handler(request: web.Request) -> web.Response:
        with memory.body(20 * MEGABYTE) as reservation:
            try:
                await read_body(request, reservation, limit=20 * MEGABYTE, seconds=LONG, stall_seconds=SHORT)
            except MalformedBody as error:
                return web.Response(status=400, text=error.reason)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", handler)
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n" % (20 * piece)
    async with gateway(app, Deadlines(unread=SHORT)) as wire, connected(wire) as (reader, writer):
        writer.write(head + LAST)
        answered = asyncio.create_task(ended(reader))
        for _ in range(20):
            if not answered.done():
                writer.write(bytes(piece))
                await asyncio.sleep(SHORT / 8)
        response = await answered

    assert b" %d " % status in response
    assert status == 200 or b"did not arrive in time" in response
    assert memory.used == 0
