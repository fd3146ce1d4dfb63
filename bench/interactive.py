"""Interactive conversions while a run keeps all workers busy: their latency compared with that of an idle stack."""

import asyncio
import io
import statistics
import time
from collections.abc import Sequence
from typing import Any

import aiohttp

from bench.load import p99
from bench.photographs import photograph
from bench.servers import KEY
from bench.stack import running_stack

CLIENTS = (1, 4)
ROUNDS = 3
SECONDS = 6
RUN_IMAGES = 1500
FORMATS = tuple(
    f"content.imageFormat.{name}" for name in ("normalCategory", "normalProduct", "thumbnailProduct", "app")
)
_SIZE = (1633, 1225)  # 2 MP
_PARALLEL_UPLOADS = 16


def main() -> None:
    """Measure and print."""
    print(f"\n== interactive: upload/convert of 2 MP to {len(FORMATS)} formats, idle and beside a run")
    with running_stack(IMAGECONVERTER_LOG_LEVEL="error") as (port, _):
        asyncio.run(_measure(port))


async def _measure(port: int) -> None:
    images = [photograph(*_SIZE, seed) for seed in range(4)]
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        await _put_sources(session, images)
        await _convert(session, images, clients=2, seconds=2)  # warm up
        for clients in CLIENTS:
            idle: list[float] = []
            beside: list[float] = []
            for _ in range(ROUNDS):
                idle += await _convert(session, images, clients=clients, seconds=SECONDS)
                beside += await _convert_beside_run(session, images, clients=clients)
            report(clients, idle, beside)


async def _convert_beside_run(
    session: aiohttp.ClientSession, images: Sequence[bytes], *, clients: int
) -> list[float]:
    """Return the latencies beside a run, which continues with what the one before has not converted."""
    run = {"source": "directory", "directory": "bench", "formatList": list(FORMATS)}
    await _post(session, "/images/convert/start", run)
    latencies = await _convert(session, images, clients=clients, seconds=SECONDS)
    status = await _post(session, "/images/convert/cancel", {})
    if status["status"] != "canceled":
        raise RuntimeError("the run has ended before the measurement")
    return latencies


def report(clients: int, idle: Sequence[float], beside: Sequence[float]) -> None:
    """Print the latencies of an idle stack, and beside a run, in seconds."""
    print(
        f"{clients} at a time: idle {_summary(idle)}; beside a run {_summary(beside)}: "
        f"ratio of p99 {p99(beside) / p99(idle):.2f} (target 2)"
    )


def _summary(latencies: Sequence[float]) -> str:
    return f"p50 {1000 * statistics.median(latencies):.0f} ms, p99 {1000 * p99(latencies):.0f} ms of {len(latencies)}"


async def _put_sources(session: aiohttp.ClientSession, images: Sequence[bytes]) -> None:
    numbers = iter(range(RUN_IMAGES))

    async def put() -> None:
        for number in numbers:
            path, image = f"/images/sources/bench/{number:05}.jpg", images[number % len(images)]
            async with session.put(path, data=io.BytesIO(image)) as response:
                response.raise_for_status()

    await asyncio.gather(*(put() for _ in range(_PARALLEL_UPLOADS)))


async def _convert(
    session: aiohttp.ClientSession, images: Sequence[bytes], *, clients: int, seconds: float
) -> list[float]:
    """Run *clients* that convert one image after the other; returns the latencies in seconds."""
    latencies: list[float] = []
    until = time.monotonic() + seconds

    async def client(number: int) -> None:
        while (began := time.monotonic()) < until:
            form = aiohttp.FormData({"formats": ",".join(FORMATS)})
            form.add_field("file", images[number % len(images)], filename=f"client-{number}.jpg")
            async with session.post("/images/upload/convert", data=form) as response:
                response.raise_for_status()
                await response.read()
            latencies.append(time.monotonic() - began)

    await asyncio.gather(*map(client, range(clients)))
    return latencies


async def _post(session: aiohttp.ClientSession, path: str, body: Any) -> Any:
    async with session.post(path, json=body) as response:
        response.raise_for_status()
        return await response.json()
