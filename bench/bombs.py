"""Decompression bombs: the latency of valid images while other clients send bombs."""

import asyncio
import io
import itertools
import json
import statistics
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

import aiohttp

from bench.load import p99
from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import running_stack
from tests.testing.bombs import BOMBS

VALID_CLIENTS, BOMB_CLIENTS = 50, 8
ROUNDS = 3
SECONDS = 20
FORMAT = "content.imageFormat.normalProduct"
_MAX_BYTES = 2 * 1024 * 1024


class Responses(NamedTuple):
    """The responses to the clients of one kind in one round."""

    latencies: list[float]
    """Seconds of each request."""
    rejected: int

    @property
    def p99(self) -> float:
        """The 99th percentile of the latencies, in seconds."""
        return p99(self.latencies)


def main() -> None:
    """Measure and print."""
    print(f"\n== bombs: {VALID_CLIENTS} clients convert photographs of 2 MP while {BOMB_CLIENTS} send bombs")
    bombs = [data for data in (case.attack() for case in BOMBS) if len(data) <= _MAX_BYTES]
    with running_stack(IMAGECONVERTER_LOG_LEVEL="error") as (port, _):
        asyncio.run(_measure(port, bombs))


async def _measure(port: int, images: Sequence[bytes]) -> None:
    valid, bombs = [_body(photograph(1633, 1225, seed)) for seed in range(4)], [_body(each) for each in images]
    await _convert(port, valid, VALID_CLIENTS, seconds=2)  # warm up
    alone, during, flood = [], [], []
    for _ in range(ROUNDS):
        alone.append(await _convert(port, valid, VALID_CLIENTS, seconds=SECONDS))
        responses, bomb_responses = await asyncio.gather(
            _convert(port, valid, VALID_CLIENTS, seconds=SECONDS),
            _convert(port, bombs, BOMB_CLIENTS, seconds=SECONDS),
        )
        during.append(responses)
        flood.append(bomb_responses)
    ratio = statistics.median(after.p99 / before.p99 for before, after in zip(alone, during, strict=True))
    print(
        f"p99 of {VALID_CLIENTS} clients with valid images: "
        f"{statistics.median(each.p99 for each in alone):.2f} s alone, "
        f"{statistics.median(each.p99 for each in during):.2f} s with {len(bombs)} kinds of bombs: "
        f"ratio {ratio:.2f} (target 2); rejected {sum(each.rejected for each in during)} of "
        f"{sum(len(each.latencies) for each in during)}"
    )
    print(
        f"bombs: {sum(len(each.latencies) for each in flood)} sent, {sum(each.rejected for each in flood)} rejected, "
        f"median {1000 * statistics.median(itertools.chain(*(each.latencies for each in flood))):.0f} ms, "
        f"slowest {max(max(each.latencies) for each in flood):.1f} s"
    )


def _body(image: bytes) -> bytes:
    content = {"fileName": "a.jpg", "formats": [FORMAT], "imageData": b64encode(image).decode()}
    return json.dumps(content).encode()


async def _convert(port: int, bodies: Sequence[bytes], clients: int, *, seconds: float) -> Responses:
    """Run *clients* that convert one image after the other for *seconds*."""
    latencies: list[float] = []
    rejected, until, remaining = 0, time.monotonic() + seconds, itertools.cycle(bodies)
    headers = {"Authorization": f"Bearer {KEY}"}

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def client() -> None:
            nonlocal rejected
            while (began := time.monotonic()) < until:
                url = f"http://127.0.0.1:{port}/images/upload/convert"
                async with session.post(url, data=io.BytesIO(next(remaining))) as response:
                    await response.read()
                latencies.append(time.monotonic() - began)
                rejected += response.status != 200

        await asyncio.gather(*(client() for _ in range(clients)))
    return Responses(latencies, rejected)
