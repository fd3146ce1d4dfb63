"""A TCP proxy between the code under test and a server, that can fail the way networks do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from enum import Enum, auto

_DRIP_SECONDS = 1.0
_UNAVAILABLE = b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_NO_SPACE = b"HTTP/1.1 507 Insufficient Storage\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_CUT_SECONDS = 0.02  # for the server to process the forwarded bytes


class Mode(Enum):
    """What the proxy does with bytes."""

    PASS = auto()
    REFUSE = auto()
    """New connections are reset at once."""
    BLACK_HOLE = auto()
    """Connections are taken and bytes are swallowed; nothing ever comes back."""
    UNAVAILABLE = auto()
    """Every HTTP request is answered with 503."""
    READ_ONLY = auto()
    """Every HTTP request that changes something is answered with 507, as by a store without space."""
    DRIP = auto()
    """Answers come a byte a second."""


class FaultProxy:
    """Forwards everything to a port of loopback, until it is set to fail."""

    def __init__(self, upstream: int) -> None:
        """Forward to the server on port *upstream*."""
        self.mode = Mode.PASS
        self.port = 0
        self.before_passing: Callable[[bytes], Awaitable[None]] | None = None
        """Called with what a client sends, before it is passed on."""
        self._upstream = upstream
        self._writers: set[asyncio.StreamWriter] = set()
        self._cut: tuple[bytes, bool] | None = None
        self._cutting: set[asyncio.StreamWriter] = set()

    def fail(self, mode: Mode) -> None:
        """Change the mode; open connections are cut unless they are to hang."""
        self.mode = mode
        if mode not in (Mode.BLACK_HOLE, Mode.DRIP):
            for writer in self._writers:
                writer.transport.abort()

    def cut_once(self, pattern: bytes, *, passed_on: bool) -> None:
        """Cut the next connection over which a client sends *pattern*: before or after it is *passed_on*."""
        self._cut = (pattern, passed_on)

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.mode is Mode.REFUSE:
            writer.transport.abort()
            return
        self._writers.add(writer)
        try:
            up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        except OSError:  # the server itself is unavailable
            self._writers.discard(writer)
            writer.transport.abort()
            return
        self._writers.add(up_writer)
        if writer.transport.is_closing():  # the proxy has failed or ended meanwhile
            up_writer.transport.abort()
        try:
            await asyncio.gather(self._pump_up(reader, up_writer, writer), self._pump_down(up_reader, writer))
        finally:
            self._cutting.discard(writer)
            for each in (writer, up_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump_up(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, client: asyncio.StreamWriter
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.mode is Mode.BLACK_HOLE:
                    continue
                if self.mode is Mode.UNAVAILABLE:
                    client.write(_UNAVAILABLE)
                    await client.drain()
                    break
                if self.mode is Mode.READ_ONLY and data.startswith((b"PUT ", b"POST ", b"DELETE ")):
                    client.write(_NO_SPACE)
                    await client.drain()
                    break
                if self.before_passing is not None:
                    await self.before_passing(data)
                cut = self._cut if self._cut is not None and self._cut[0] in data else None
                if cut is not None:
                    self._cut = None
                    self._cutting.add(client)  # no response may be forwarded
                if cut is None or cut[1]:
                    sink.write(data)
                    await sink.drain()
                if cut is not None:
                    await asyncio.sleep(_CUT_SECONDS)
                    client.transport.abort()
                    break
        sink.transport.abort()

    async def _pump_down(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.mode is Mode.BLACK_HOLE or sink in self._cutting:
                    continue
                while self.mode is Mode.DRIP and data:
                    sink.write(data[:1])
                    data = data[1:]
                    await asyncio.sleep(_DRIP_SECONDS)
                sink.write(data)
                await sink.drain()
        if self.mode in (Mode.UNAVAILABLE, Mode.READ_ONLY):
            sink.close()  # sends the written bytes first
        else:
            sink.transport.abort()


@asynccontextmanager
async def fault_proxy(upstream: int) -> AsyncIterator[FaultProxy]:
    """Run a proxy to the server on port *upstream*."""
    proxy = FaultProxy(upstream)
    async with proxied(proxy):
        yield proxy


@asynccontextmanager
async def proxied(proxy: FaultProxy) -> AsyncIterator[None]:
    """Run *proxy* on a port of its own."""
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        proxy.fail(Mode.REFUSE)
        server.close()
