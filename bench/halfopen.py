"""Slow clients: the latency of others beside up to 2,000 incomplete requests, and the time until those are closed."""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from bench.load import Load, generate_load
from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import body, running_stack

COUNTS = (8, 100, 500, 2000)
ROUNDS = 3
SECONDS = 4
CONNECTIONS = 8
_BOUNDARY = "Content-Type: multipart/form-data; boundary=x"
_PART = '--x\r\nContent-Disposition: form-data; name="sourceImage"; filename="a.jpg"\r\n\r\n'
HALVES = {
    "heads": "GET /content/a.jpg HTTP/1.1\r\nHost: x\r\nX: ",
    "bodies without a key": f"POST /imageconverter/cacheImage/a HTTP/1.1\r\nHost: x\r\n{_BOUNDARY}\r\n"
    f"Content-Length: 60000000\r\n\r\n{_PART}",
    "bodies with a key": f"POST /images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\n"
    "Content-Length: 99\r\n\r\n{",
}
_DRIP_SECONDS = 5


def main() -> None:
    """Measure and print."""
    print(f"\n== halfopen: {CONNECTIONS} connections request an image beside incomplete requests")
    with running_stack() as (port, _):
        asyncio.run(_measure(port))


async def _measure(port: int) -> None:
    path = await _image(port)
    await generate_load(port, path, seconds=1, connections=CONNECTIONS)  # warm up
    for (name, half), count in itertools.product(HALVES.items(), COUNTS):
        rounds: list[tuple[Load, Load]] = []
        for _ in range(ROUNDS):
            alone = await generate_load(port, path, seconds=SECONDS, connections=CONNECTIONS)
            async with _half_open(port, half.encode(), count):
                beside = await generate_load(port, path, seconds=SECONDS, connections=CONNECTIONS)
            rounds.append((alone, beside))
        p99 = statistics.median(beside.p99 / alone.p99 for alone, beside in rounds)
        rate = statistics.median(beside.rate / alone.rate for alone, beside in rounds)
        print(f"{count} {name}: p99 ratio {p99:.2f} (target 1.5); requests per second: ratio {rate:.2f}")
    times = await asyncio.gather(*(_time_of(port, half.encode()) for half in HALVES.values()))
    for name, seconds in zip(HALVES, times, strict=True):
        print(f"incomplete {name} are closed after {seconds:.0f} s (target 30)")


@asynccontextmanager
async def _half_open(port: int, half: bytes, count: int) -> AsyncIterator[None]:
    """Run *count* clients, which send a byte more every few seconds and reconnect when they are closed."""
    clients = [asyncio.create_task(_drip(port, half)) for _ in range(count)]
    await asyncio.sleep(1)  # until all are connected
    try:
        yield
    finally:
        for each in clients:
            each.cancel()
        await asyncio.gather(*clients, return_exceptions=True)


async def _drip(port: int, half: bytes) -> None:
    while True:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            with suppress(ConnectionError):
                writer.write(half)
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
