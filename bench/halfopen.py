"""Five hundred clients that never finish their requests: what others notice of them, and how long they may stay."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiohttp

from bench.load import Load, ask
from bench.photographs import photograph
from bench.stack import KEY, body, running_stack

HALF_OPEN = 500
ROUNDS = 5
SECONDS = 4
CONNECTIONS = 8
_HALF_HEAD = b"GET /content/a.jpg HTTP/1.1\r\nHost: x\r\nX: "
_HALF_BODY = f"POST /images/upload HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {KEY}\r\nContent-Length: 99\r\n\r\n{{"
_PAUSE_SECONDS = 5


def main() -> None:
    """Measure, print."""
    print(f"\n== halfopen: {CONNECTIONS} connections that ask for an image, beside {HALF_OPEN} that never finish")
    with running_stack() as (port, _):
        asyncio.run(_measure(port))


async def _measure(port: int) -> None:
    path = await _image(port)
    await ask(port, path, seconds=1, connections=CONNECTIONS)  # warm up
    rounds: list[tuple[Load, Load]] = []
    for _ in range(ROUNDS):
        alone = await ask(port, path, seconds=SECONDS, connections=CONNECTIONS)
        async with _half_open(port):
            rounds.append((alone, await ask(port, path, seconds=SECONDS, connections=CONNECTIONS)))
    alone_p99, beside_p99 = (statistics.median(each.p99 for each in loads) for loads in zip(*rounds, strict=True))
    ratio = statistics.median(beside.p99 / alone.p99 for alone, beside in rounds)
    rate = statistics.median(beside.rate / alone.rate for alone, beside in rounds)
    print(
        f"p99 alone {1000 * alone_p99:.1f} ms, beside them {1000 * beside_p99:.1f} ms: ratio {ratio:.2f} (target 1); "
        f"requests a second: ratio {rate:.2f}"
    )
    head, half = await asyncio.gather(_time_of(port, _HALF_HEAD), _time_of(port, _HALF_BODY.encode()))
    print(f"ended: half a head after {head:.0f} s, half a body after {half:.0f} s (target 30)")


@asynccontextmanager
async def _half_open(port: int) -> AsyncIterator[None]:
    """Keep so many clients that send a letter of their head every few seconds, and come again when they are ended."""
    clients = [asyncio.create_task(_drip(port)) for _ in range(HALF_OPEN)]
    await asyncio.sleep(1)  # until all are there
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
                    await asyncio.sleep(_PAUSE_SECONDS)
                    writer.write(b"y")
                    await writer.drain()
        finally:
            writer.transport.abort()


async def _time_of(port: int, half: bytes) -> float:
    """Return after how many seconds the gateway ends a connection that sends no more than *half*."""
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
        async with session.post(f"http://127.0.0.1:{port}/images/upload/convert", data=data) as answer:
            answer.raise_for_status()
            return f"/content/{(await answer.json())['items'][2]['output']}"
