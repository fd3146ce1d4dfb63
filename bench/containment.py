"""What confining decoders costs: a child beside the bare engine, and a child's memory in the long run."""

import asyncio
import io
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from bench.photographs import photograph
from imageconverter.engine import Target
from imageconverter.engine.pipeline import convert
from imageconverter.images.formats import load_formats
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool

FORMATS = ["normalCategory", "normalProduct", "thumbnailProduct", "app"]
SIZES = {"2 MP": (1633, 1225), "12 MP": (4000, 3000)}
# Many and short, so that whatever else the machine does hits both alike; and two processes that do the same may
# differ by five per cent, by how their memory came to lie.
PROCESSES, ROUNDS, IMAGES = 6, 6, 8
IN_FLIGHT = 2  # as in a worker: the next source is ready while the child works

MIXED_SIZES = ((250, 200), (640, 480), (1280, 960), (2400, 1800), (4000, 3000))
SETTLED, LONG = 50, 1000
MAX_PIXELS = 100_000_000


class Cost(NamedTuple):
    """Of one image, in seconds."""

    cpu: float
    wall: float


def main() -> None:
    """Measure, print."""
    catalog = load_formats(None)
    targets = [catalog[f"content.imageFormat.{name}"].as_target() for name in FORMATS]
    print(f"\n== containment: one child beside the bare engine, JPEG to {len(targets)} formats")
    asyncio.run(overhead(targets))
    # To JPEG as well, for encoding PNG would take most of the time and little memory.
    asyncio.run(memory([target.model_copy(update={"output": "jpeg"}) for target in targets]))


async def overhead(targets: Sequence[Target]) -> None:
    """Measure by how much a child costs more than a process that does nothing but convert."""
    for label, (width, height) in SIZES.items():
        photographs = [photograph(width, height, seed) for seed in range(4)]
        rounds: list[tuple[Cost, Cost]] = []
        for _ in range(PROCESSES):
            with ProcessPoolExecutor(1, get_context("spawn")) as process:

                def engine() -> Cost:
                    return process.submit(here, photographs, targets, IMAGES).result()  # noqa: B023 - called here only

                async with SandboxPool(settings(), max_pixels=MAX_PIXELS) as pool:
                    engine()  # warm up
                    await in_child(pool, photographs, targets, IMAGES)
                    rounds += [(engine(), await in_child(pool, photographs, targets, IMAGES)) for _ in range(ROUNDS)]
        report(label, rounds)


def report(label: str, rounds: Sequence[tuple[Cost, Cost]]) -> None:
    """Print the medians of *rounds* of (engine, child)."""
    cpu_ratio = statistics.median(child.cpu / bare.cpu for bare, child in rounds)
    wall_ratio = statistics.median(child.wall / bare.wall for bare, child in rounds)
    engine = statistics.median(bare.cpu for bare, _ in rounds) * 1000
    confined = statistics.median(child.cpu for _, child in rounds) * 1000
    print(
        f"{label}: CPU an image: engine {engine:.1f} ms, worker and child {confined:.1f} ms: ratio {cpu_ratio:.3f}; "
        f"time an image: ratio {wall_ratio:.3f}"
    )


async def memory(targets: Sequence[Target]) -> None:
    """Print the memory of a child after some and after many images of all kinds and sizes."""
    sources = list(mixed())
    few, many = 0.0, 0.0
    async with SandboxPool(settings(), max_pixels=MAX_PIXELS) as pool:
        for number, source in enumerate(random.Random(1).choices(sources, k=LONG), start=1):  # noqa: S311 - the same everywhere
            await pool.convert(source, targets, interactive=True)
            (child,) = pool.processes
            many = resident(child)
            few = many if number <= SETTLED else few
    print(
        f"memory of a child: {few:.0f} MiB after {SETTLED} mixed images, {many:.0f} MiB after {LONG}: "
        f"ratio {many / few:.2f}"
    )


def resident(child: int) -> float:
    """Return the resident memory of a process, in MiB."""
    lines = Path(f"/proc/{child}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def mixed() -> Iterator[bytes]:
    """Make a photograph of each size as a file of each kind, from 6 kB to 35 MB."""
    for size in MIXED_SIZES:
        jpeg = photograph(*size, seed=1)
        yield jpeg
        image = Image.open(io.BytesIO(jpeg))
        for kind in ("PNG", "WEBP", "GIF", "TIFF"):
            buffer = io.BytesIO()
            image.save(buffer, kind, compress_level=1)
            yield buffer.getvalue()


def settings() -> WorkerSettings:
    """Return those of a worker with one child that is never replaced."""
    return WorkerSettings(children=1, pictures_per_child=1_000_000)


def here(photographs: Sequence[bytes], targets: Sequence[Target], count: int) -> Cost:
    """Convert *count* images in this process."""
    used, began = time.process_time(), time.perf_counter()
    for number in range(count):
        convert(io.BytesIO(photographs[number % len(photographs)]), targets)
    return Cost((time.process_time() - used) / count, (time.perf_counter() - began) / count)


async def in_child(pool: SandboxPool, photographs: Sequence[bytes], targets: Sequence[Target], count: int) -> Cost:
    """Convert *count* images in the child, whose CPU time is added to that of this process."""
    await pool.convert(photographs[0], targets, interactive=True)
    (child,) = pool.processes
    numbers = iter(range(count))
    used, began = time.process_time() + process_time_of(child), time.perf_counter()

    async def client() -> None:
        for number in numbers:
            await pool.convert(photographs[number % len(photographs)], targets, interactive=True)

    await asyncio.gather(*(client() for _ in range(IN_FLIGHT)))
    used = time.process_time() + process_time_of(child) - used
    return Cost(used / count, (time.perf_counter() - began) / count)


def process_time_of(process: int) -> float:
    """Return the CPU time of another process, in seconds; what /proc tells is in hundredths."""
    return time.clock_gettime(~process << 3 | 2)  # as clock_getcpuclockid of the C library makes it
