"""A TCP proxy between the code under test and a server, that can fail the way networks do."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum, auto


class Mode(Enum):
    """What the proxy does with bytes."""

    PASS = auto()
    REFUSE = auto()
    """New connections are reset at once."""
    BLACK_HOLE = auto()
    """Connections are taken and bytes are swallowed; nothing ever comes back."""


class FaultProxy:
    """Passes everything on to a port of loopback, until told otherwise."""

    def __init__(self, upstream: int) -> None:
        """Stand before the server on port *upstream*."""
        self.mode = Mode.PASS
        self.port = 0
        self._upstream = upstream
        self._writers: set[asyncio.StreamWriter] = set()

    def fail(self, mode: Mode) -> None:
        """Change the mode; open connections are cut unless they are to hang."""
        self.mode = mode
        if mode is not Mode.BLACK_HOLE:
            for writer in self._writers:
                writer.transport.abort()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        if self.mode is Mode.REFUSE:
            writer.transport.abort()
            return
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        self._writers |= {writer, up_writer}
        try:
            await asyncio.gather(self._pump(reader, up_writer), self._pump(up_reader, writer))
        finally:
            for each in (writer, up_writer):
                self._writers.discard(each)
                each.transport.abort()

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.mode is Mode.BLACK_HOLE:
                    continue
                sink.write(data)
                await sink.drain()
        sink.transport.abort()


@asynccontextmanager
async def fault_proxy(upstream: int) -> AsyncIterator[FaultProxy]:
    """Run a proxy before the server on port *upstream*."""
    proxy = FaultProxy(upstream)
    server = await asyncio.start_server(proxy.handle, "127.0.0.1", 0)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        proxy.fail(Mode.REFUSE)
        server.close()
