"""The whole stack compared with the bare engine: throughput on the same cores, and CPU per image."""

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
from pathlib import Path

import aiohttp

from bench import cpu, redis_commands
from bench.photographs import photograph
from bench.servers import KEY
from imageconverter.engine.pipeline import convert
from imageconverter.images.formats_file import load_formats
from services.stack.ports import free_ports

FORMATS = ["normalCategory", "normalProduct", "thumbnailProduct", "app"]
SIZES = {"2 MP": (1633, 1225), "12 MP": (4000, 3000)}
TARGETS = {"2 MP": 0.8, "12 MP": 0.85}
ROUNDS = 3
IMAGES = 24
CONCURRENCY = 8


@dataclass
class Measured:
    """One round: images per second, and CPU seconds per image by process."""

    rate: float
    cpu: dict[str, float]


def main() -> None:
    """Measure and print."""
    cores = len(os.sched_getaffinity(0))
    print(f"\n== stack: upload/convert to {len(FORMATS)} formats, {cores} cores, {ROUNDS} rounds of {IMAGES} images")
    with running_stack() as (port, supervisor), ProcessPoolExecutor(cores) as pool:
        for label, (width, height) in SIZES.items():
            photographs = [photograph(width, height, seed) for seed in range(4)]
            asyncio.run(through_stack(port, photographs, supervisor))  # warm up
            bare(pool, photographs, cores)
            rounds = [
                (bare(pool, photographs, cores), asyncio.run(through_stack(port, photographs, supervisor)))
                for _ in range(ROUNDS)
            ]
            report(label, rounds)
            asyncio.run(report_commands(label, port, photographs, supervisor))


def report(label: str, rounds: Sequence[tuple[Measured, Measured]]) -> None:
    """Print the medians of *rounds* of (bare engine, stack)."""
    rate = statistics.median(stack.rate / engine.rate for engine, stack in rounds)
    engine_cpu = statistics.median(engine.cpu["engine"] for engine, _ in rounds)
    parts = {
        name: statistics.median(stack.cpu[name] for _, stack in rounds)
        for name in ("worker and sandbox", "sandbox", "gateway", "redis", "s3")
    }
    worker = statistics.median(engine.cpu["engine"] / stack.cpu["worker and sandbox"] for engine, stack in rounds)
    whole, without_store = (
        statistics.median(engine.cpu["engine"] / sum(stack.cpu[name] for name in names) for engine, stack in rounds)
        for names in (("worker and sandbox", "gateway", "redis", "s3"), ("worker and sandbox", "gateway", "redis"))
    )
    print(
        f"{label}: bare engine {statistics.median(e.rate for e, _ in rounds):.1f} images/s, "
        f"whole stack {statistics.median(s.rate for _, s in rounds):.1f}: ratio {rate:.2f}"
    )
    print(
        f"{label}: CPU per image: engine {engine_cpu * 1000:.1f} ms, its share in the worker {worker:.2f}; ", end=""
    )
    print(", ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in parts.items()))
    print(
        f"{label}: CPU of the engine compared with the whole stack {whole:.2f} (target 0.65), "
        f"without the S3 server {without_store:.2f} (target {TARGETS[label]})"
    )


async def report_commands(label: str, port: int, photographs: Sequence[bytes], supervisor: int) -> None:
    """Print how many commands of Redis an image takes."""
    address = redis_commands.address_for(roles(supervisor)["worker and sandbox"])
    async with redis_commands.counted(address) as commands:
        await through_stack(port, photographs, supervisor)
        sent = dict(commands)
    used = ", ".join(f"{name} {count / IMAGES:.1f}" for name, count in sorted(sent.items()))
    print(
        f"{label}: {sum(sent.values()) / IMAGES:.1f} commands of Redis per image, polls included (target 8): {used}"
    )


def body(image: bytes) -> bytes:
    """Return the request that uploads and converts *image*."""
    text = base64.b64encode(image).decode()
    formats = [f"content.imageFormat.{name}" for name in FORMATS]
    return json.dumps({"fileName": "photo.jpg", "formats": formats, "imageData": text}).encode()


def bare(pool: ProcessPoolExecutor, photographs: Sequence[bytes], cores: int) -> Measured:
    """Convert in *cores* processes without a stack."""
    began = time.perf_counter()
    used = sum(pool.map(convert_some, [photographs] * cores, [IMAGES // cores] * cores))
    count = IMAGES // cores * cores
    return Measured(count / (time.perf_counter() - began), {"engine": used / count})


def convert_some(photographs: Sequence[bytes], count: int) -> float:
    """Convert *count* images; returns the CPU seconds."""
    catalog = load_formats(None)
    targets = [catalog[f"content.imageFormat.{name}"].as_target() for name in FORMATS]
    began = time.process_time()
    for number in range(count):
        convert(io.BytesIO(photographs[number % len(photographs)]), targets)
    return time.process_time() - began


async def through_stack(port: int, photographs: Sequence[bytes], supervisor: int) -> Measured:
    """Upload and convert through the gateway, several images concurrently, each as the body of a request."""
    query = {"fileName": "photo.jpg", "formats": ",".join(f"content.imageFormat.{name}" for name in FORMATS)}
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/octet-stream"}
    groups = {name: cpu.descendants(pid) for name, pid in roles(supervisor).items()}
    groups["sandbox"] = groups["worker and sandbox"] - {roles(supervisor)["worker and sandbox"]}
    before = {name: cpu.seconds(pids) for name, pids in groups.items()}
    numbers = iter(range(IMAGES))
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as session:
        began = time.perf_counter()

        async def client() -> None:
            for number in numbers:
                data = io.BytesIO(photographs[number % len(photographs)])
                async with session.post("/images/upload/convert", params=query, data=data) as response:
                    response.raise_for_status()

        await asyncio.gather(*(client() for _ in range(CONCURRENCY)))
        rate = IMAGES / (time.perf_counter() - began)
    after = {name: cpu.seconds(pids) for name, pids in groups.items()}
    return Measured(rate, {name: (after[name] - before[name]) / IMAGES for name in groups})


def roles(supervisor: int) -> dict[str, int]:
    """Return the process ids of the stack of *supervisor* by name."""
    pids = cpu.descendants(supervisor)
    words = {"worker and sandbox": "worker", "gateway": "gateway", "redis": "redis-server", "s3": "weed"}
    return {name: cpu.named(pids, word) for name, word in words.items()}


@contextmanager
def running_stack(**settings: str) -> Iterator[tuple[int, int]]:
    """Run `imageconverter up` with *settings* in a temporary folder; yields its port and the supervisor's pid.

    Raises RuntimeError with the end of its log if it does not start.
    """
    (port,) = free_ports(1)
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "log").open("w+") as log:
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
            stderr=log,
            text=True,
        )
        try:
            if not any("open http" in line for line in process.stdout or ()):
                log.seek(0)
                raise RuntimeError(log.read()[-2000:])
            yield port, process.pid
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=60)
