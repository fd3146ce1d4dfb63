"""The whole stack beside the bare engine: throughput on the same cores, and the worker's CPU an image."""

import asyncio
import base64
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp

from bench import cpu
from bench.photographs import photograph
from imageconverter.engine.pipeline import convert
from imageconverter.images.formats import load_formats
from services.stack.ports import free_ports

FORMATS = ["normalCategory", "normalProduct", "thumbnailProduct", "app"]
SIZES = {"2 MP": (1633, 1225), "12 MP": (4000, 3000)}
ROUNDS = 3
IMAGES = 24
IN_FLIGHT = 8
KEY = "a-key-for-measuring"


@dataclass
class Measured:
    """One round: images a second, and CPU seconds an image by process."""

    rate: float
    cpu: dict[str, float]


def main() -> None:
    """Measure, print."""
    cores = len(os.sched_getaffinity(0))
    print(f"\n== stack: upload/convert to {len(FORMATS)} formats, {cores} cores, {ROUNDS} rounds of {IMAGES} images")
    with running_stack() as (port, supervisor), ProcessPoolExecutor(cores) as pool:
        for label, (width, height) in SIZES.items():
            photographs = [photograph(width, height, seed) for seed in range(4)]
            bodies = [body(each) for each in photographs]
            asyncio.run(through_stack(port, bodies, supervisor))  # warm up
            bare(pool, photographs, cores)
            rounds = [
                (bare(pool, photographs, cores), asyncio.run(through_stack(port, bodies, supervisor)))
                for _ in range(ROUNDS)
            ]
            report(label, rounds)


def report(label: str, rounds: Sequence[tuple[Measured, Measured]]) -> None:
    """Print the medians of *rounds* of (bare engine, stack)."""
    rate = statistics.median(stack.rate / engine.rate for engine, stack in rounds)
    engine_cpu = statistics.median(engine.cpu["engine"] for engine, _ in rounds)
    parts = {
        name: statistics.median(stack.cpu[name] for _, stack in rounds)
        for name in ("worker and children", "children", "gateway", "redis", "s3")
    }
    worker = statistics.median(engine.cpu["engine"] / stack.cpu["worker and children"] for engine, stack in rounds)
    print(
        f"{label}: bare engine {statistics.median(e.rate for e, _ in rounds):.1f} images/s, "
        f"whole stack {statistics.median(s.rate for _, s in rounds):.1f}: ratio {rate:.2f}"
    )
    print(f"{label}: CPU an image: engine {engine_cpu * 1000:.1f} ms, worker {worker:.2f} of it is engine; ", end="")
    print(", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in parts.items()))


def body(image: bytes) -> bytes:
    """Return the request that uploads and converts *image*."""
    text = base64.b64encode(image).decode()
    formats = [f"content.imageFormat.{name}" for name in FORMATS]
    return json.dumps({"fileName": "photo.jpg", "formats": formats, "imageData": text}).encode()


def bare(pool: ProcessPoolExecutor, photographs: Sequence[bytes], cores: int) -> Measured:
    """Convert in *cores* processes that do nothing else."""
    began = time.perf_counter()
    used = sum(pool.map(convert_some, [photographs] * cores, [IMAGES // cores] * cores))
    count = IMAGES // cores * cores
    return Measured(count / (time.perf_counter() - began), {"engine": used / count})


def convert_some(photographs: Sequence[bytes], count: int) -> float:
    """Convert *count* images; returns the CPU seconds that it took."""
    catalog = load_formats(None)
    targets = [catalog[f"content.imageFormat.{name}"].as_target() for name in FORMATS]
    began = time.process_time()
    for number in range(count):
        convert(io.BytesIO(photographs[number % len(photographs)]), targets)
    return time.process_time() - began


async def through_stack(port: int, bodies: Sequence[bytes], supervisor: int) -> Measured:
    """Upload and convert through the gateway, several at once."""
    groups = {name: cpu.descendants(pid) for name, pid in roles(supervisor).items()}
    groups["children"] = groups["worker and children"] - {roles(supervisor)["worker and children"]}
    before = {name: cpu.seconds(pids) for name, pids in groups.items()}
    numbers = iter(range(IMAGES))
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {KEY}"}) as session:
        began = time.perf_counter()

        async def client() -> None:
            for number in numbers:
                data = io.BytesIO(bodies[number % len(bodies)])
                async with session.post(f"http://127.0.0.1:{port}/images/upload/convert", data=data) as answer:
                    answer.raise_for_status()

        await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
        rate = IMAGES / (time.perf_counter() - began)
    after = {name: cpu.seconds(pids) for name, pids in groups.items()}
    return Measured(rate, {name: (after[name] - before[name]) / IMAGES for name in groups})


def roles(supervisor: int) -> dict[str, int]:
    """Return the processes of the stack below *supervisor*."""
    pids = cpu.descendants(supervisor)
    words = {"worker and children": "worker", "gateway": "gateway", "redis": "redis-server", "s3": "weed"}
    return {name: cpu.named(pids, word) for name, word in words.items()}


@contextmanager
def running_stack(**settings: str) -> Iterator[tuple[int, int]]:
    """Run `imageconverter up` with *settings* in a temporary folder; yields port and process id of the supervisor."""
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "services.cli.main", "up"],
            env={
                **os.environ,
                "IMAGECONVERTER_PORT": str(port),
                "IMAGECONVERTER_DATA_DIR": folder,
                "IMAGECONVERTER_API_KEY": KEY,
                "IMAGECONVERTER_LOG_LEVEL": "warning",
                "PYTHONUNBUFFERED": "1",
                **settings,
            },
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            for line in process.stdout or ():
                if "open http" in line:
                    break
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
