"""Servers of feeds on loopback, and a resolver with fixed answers."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_address

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.test_utils import TestServer

from services.reporter.sources import SourceLimits
from services.reporter.sources.feed import open_feed

NDJSON = b'{"id": "1", "active": true, "images": ["a.jpg"]}\n'
CSV = b"id,active,images\n1,true,a.jpg\n"
ALLOWED = ("127.0.0.1",)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Names(AbstractResolver):
    """A resolver with fixed answers; each look-up of a host returns its next one."""

    def __init__(self, answers: Mapping[str, list[list[str]]]) -> None:
        """Return the *answers* one after the other, then always the last one."""
        self._answers = answers
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the next answer, with addresses of every *family*."""
        assert family == socket.AF_UNSPEC
        self.asked.append(host)
        left = self._answers[host]
        found = left.pop(0) if len(left) > 1 else left[0]
        kinds = {4: socket.AF_INET, 6: socket.AF_INET6}
        return [
            ResolveResult(
                hostname=host, host=each, port=port, family=kinds[ip_address(each).version], proto=0, flags=0
            )
            for each in found
        ]

    async def close(self) -> None:
        """Close nothing."""


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Serve *handler* on every path; yields the URL of the root, without a slash."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app, host="127.0.0.1", shutdown_timeout=0) as server:
        yield str(server.make_url("/")).rstrip("/")


@asynccontextmanager
async def raw(answer: bytes, *, stay: bool = False) -> AsyncIterator[str]:
    """Send *answer* to every request, and close the connection unless it is to *stay* open."""
    leaving = asyncio.Event()

    async def send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        if stay:
            await leaving.wait()
        writer.close()

    async with await asyncio.start_server(send, "127.0.0.1") as server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed"
        leaving.set()


def answering(
    body: bytes = NDJSON, status: int = 200, content_type: str = "application/octet-stream", encoding: str = ""
) -> Handler:
    """Return a handler that always returns the same response."""
    headers = {"Content-Type": content_type, **({"Content-Encoding": encoding} if encoding else {})}

    async def handler(_: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=headers)

    return handler


async def fetched(
    address: str, limits: SourceLimits | None = None, resolver: AbstractResolver | None = None
) -> bytes:
    """Return the whole feed of an allowed host."""
    hosts = () if resolver else ALLOWED
    async with open_feed(address, limits or SourceLimits(), private_hosts=hosts, resolver=resolver) as source:
        return b"".join([chunk async for chunk in source.chunks])
