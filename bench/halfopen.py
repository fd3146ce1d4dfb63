"""Slow clients: the latency of others beside 500 incomplete requests, and the time until those are closed."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from bench.load import Load, generate_load
from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import body, running_stack

HALF_OPEN = 500
ROUNDS = 5
SECONDS = 4
CONNECTIONS = 8
_HALF_HEAD = b"GET /content/a.jpg HTTP/1.1\r\nHost: x\r\nX: "
_HALF_BODY = f"POST /images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 99\r\n\r\n{{"
_DRIP_SECONDS = 5


def main() -> None:
    """Measure and print."""
    print(f"\n== halfopen: {CONNECTIONS} connections request an image beside {HALF_OPEN} incomplete requests")
    with running_stack() as (port, _):
        asyncio.run(_measure(port))


async def _measure(port: int) -> None:
    path = await _image(port)
    await generate_load(port, path, seconds=1, connections=CONNECTIONS)  # warm up
    rounds: list[tuple[Load, Load]] = []
    for _ in range(ROUNDS):
        alone = await generate_load(port, path, seconds=SECONDS, connections=CONNECTIONS)
        async with _half_open(port):
            rounds.append((alone, await generate_load(port, path, seconds=SECONDS, connections=CONNECTIONS)))
    alone_p99, beside_p99 = (statistics.median(each.p99 for each in loads) for loads in zip(*rounds, strict=True))
    ratio = statistics.median(beside.p99 / alone.p99 for alone, beside in rounds)
    rate = statistics.median(beside.rate / alone.rate for alone, beside in rounds)
    print(
        f"p99 alone {1000 * alone_p99:.1f} ms, beside them {1000 * beside_p99:.1f} ms: ratio {ratio:.2f} (target 1); "
        f"requests per second: ratio {rate:.2f}"
    )
    head, half = await asyncio.gather(_time_of(port, _HALF_HEAD), _time_of(port, _HALF_BODY.encode()))
    print(f"closed: an incomplete head after {head:.0f} s, an incomplete body after {half:.0f} s (target 30)")


@asynccontextmanager
async def _half_open(port: int) -> AsyncIterator[None]:
    """Run the clients, which send a byte of their head every few seconds and reconnect when they are closed."""
    clients = [asyncio.create_task(_drip(port)) for _ in range(HALF_OPEN)]
    await asyncio.sleep(1)  # until all are connected
    try:
        yield
    finally:
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _drip(port: int) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            with suppress(ConnectionError):
                writer.write(_HALF_HEAD)
                while not writer.is_closing():
                    await asyncio.sleep(_DRIP_SECONDS)
                    writer.write(b"y")
                    await writer.drain()
        finally:
            writer.transport.abort()


async def _time_of(port: int, half: bytes) -> float:
    """Return the seconds until the gateway closes a connection that sends only *half* of a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    began = time.monotonic()
    writer.write(half)
    with suppress(ConnectionError):
        await reader.read(-1)
    writer.transport.abort()
    return time.monotonic() - began


async def _image(port: int) -> str:
    """Convert a photograph; returns the path of an output."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        data = body(photograph(1633, 1225, 0))
        async with session.post(f"http://127.0.0.1:{port}/images/upload/convert", data=data) as response:
            response.raise_for_status()
            return f"/content/{(await response.json())['items'][2]['output']}"
