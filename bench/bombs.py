"""Good images while others send bombs: how much longer the slowest of them take."""

import asyncio
import io
import itertools
import json
import math
import statistics
import time
from base64 import b64encode
from collections.abc import Sequence
from typing import NamedTuple

import aiohttp

from bench.photographs import photograph
from bench.stack import KEY, running_stack
from tests.testing.bombs import BOMBS

GOOD, FLOOD = 50, 8
ROUNDS = 3
SECONDS = 20
FORMAT = "content.imageFormat.normalProduct"
_MAX_BYTES = 2 * 1024 * 1024


class Seen(NamedTuple):
    """What the clients of one kind saw in one round."""

    latencies: list[float]
    """Seconds of each request."""
    refused: int

    @property
    def p99(self) -> float:
        """The latency that one request in a hundred exceeds."""
        return sorted(self.latencies)[math.ceil(len(self.latencies) * 0.99) - 1]


def main() -> None:
    """Measure, print."""
    print(f"\n== bombs: {GOOD} clients convert photographs of 2 MP, beside {FLOOD} that send bombs all the time")
    bombs = [data for data in (case.attack() for case in BOMBS) if len(data) <= _MAX_BYTES]
    with running_stack(IMAGECONVERTER_LOG_LEVEL="error") as (port, _):
        asyncio.run(_measure(port, bombs))


async def _measure(port: int, bombs: Sequence[bytes]) -> None:
    good, bad = [_body(photograph(1633, 1225, seed)) for seed in range(4)], [_body(each) for each in bombs]
    await _convert(port, good, GOOD, seconds=2)  # warm up
    alone, beside, flood = [], [], []
    for _ in range(ROUNDS):
        alone.append(await _convert(port, good, GOOD, seconds=SECONDS))
        seen, sent = await asyncio.gather(
            _convert(port, good, GOOD, seconds=SECONDS), _convert(port, bad, FLOOD, seconds=SECONDS)
        )
        beside.append(seen)
        flood.append(sent)
    ratio = statistics.median(after.p99 / before.p99 for before, after in zip(alone, beside, strict=True))
    print(
        f"p99 of {GOOD} good clients: {statistics.median(each.p99 for each in alone):.2f} s alone, "
        f"{statistics.median(each.p99 for each in beside):.2f} s beside {len(bad)} kinds of bombs: "
        f"ratio {ratio:.2f} (target 2); refused {sum(each.refused for each in beside)} of "
        f"{sum(len(each.latencies) for each in beside)}"
    )
    print(
        f"bombs: {sum(len(each.latencies) for each in flood)} sent, {sum(each.refused for each in flood)} refused, "
        f"median {1000 * statistics.median(itertools.chain(*(each.latencies for each in flood))):.0f} ms, "
        f"slowest {max(max(each.latencies) for each in flood):.1f} s"
    )


def _body(image: bytes) -> bytes:
    content = {"fileName": "a.jpg", "formats": [FORMAT], "imageData": b64encode(image).decode()}
    return json.dumps(content).encode()


async def _convert(port: int, bodies: Sequence[bytes], clients: int, *, seconds: float) -> Seen:
    """Have so many *clients* convert one image after the other for *seconds*."""
    latencies: list[float] = []
    refused, until, turn = 0, time.monotonic() + seconds, itertools.cycle(bodies)
    headers = {"Authorization": f"Bearer {KEY}"}

    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=0)) as session:

        async def client() -> None:
            nonlocal refused
            while (began := time.monotonic()) < until:
                url = f"http://127.0.0.1:{port}/images/upload/convert"
                async with session.post(url, data=io.BytesIO(next(turn))) as answer:
                    await answer.read()
                latencies.append(time.monotonic() - began)
                refused += answer.status != 200

        await asyncio.gather(*(client() for _ in range(clients)))
    return Seen(latencies, refused)
