"""The cost of the sandbox: CPU compared with the bare engine, and memory over many images."""

import asyncio
import io
import itertools
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from PIL import Image

from bench.photographs import photograph
from imageconverter.engine import Target
from imageconverter.engine.pipeline import convert
from imageconverter.images.formats_file import load_formats
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from services.worker.sandbox.usage import cpu_seconds

FORMATS = ["normalCategory", "normalProduct", "thumbnailProduct", "app"]
SIZES = {"2 MP": (1633, 1225), "12 MP": (4000, 3000)}
# Many short rounds, so that other load affects both alike, in several processes: by the layout of their memory two
# equal processes differ by up to five percent.
PROCESSES, ROUNDS, IMAGES = 6, 6, 8
_NUMBERS = itertools.count()
OWNERS: dict[str, Callable[[], Iterator[str]]] = {
    "one owner": lambda: itertools.repeat("one"),
    "two owners in turn": lambda: itertools.cycle(["one", "two"]),
    "a new owner each time": lambda: (f"owner {next(_NUMBERS)}" for _ in itertools.count()),
}
"""Whose images follow each other."""
_TICKS = os.sysconf("SC_CLK_TCK")

MIXED_SIZES = ((250, 200), (640, 480), (1280, 960), (2400, 1800), (4000, 3000))
FEW, MANY = 50, 1000
MAX_PIXELS = 100_000_000


class Cost(NamedTuple):
    """The cost of one image, in seconds."""

    cpu: float
    wall: float


def main() -> None:
    """Measure and print."""
    catalog = load_formats(None)
    targets = [catalog[f"content.imageFormat.{name}"].as_target() for name in FORMATS]
    print(f"\n== containment: one sandbox process compared with the bare engine, JPEG to {len(targets)} formats")
    asyncio.run(overhead(targets))
    # JPEG outputs, because encoding PNG takes most of the time and little memory.
    asyncio.run(memory([target.model_copy(update={"output": "jpeg"}) for target in targets]))


async def overhead(targets: Sequence[Target]) -> None:
    """Measure the overhead compared with a process that only converts."""
    for label, (width, height) in SIZES.items():
        photographs = [photograph(width, height, seed) for seed in range(4)]
        rounds: dict[str, list[tuple[Cost, Cost]]] = {name: [] for name in OWNERS}
        for _ in range(PROCESSES):
            with ProcessPoolExecutor(1, get_context("spawn")) as process:

                def engine() -> Cost:
                    return process.submit(convert_locally, photographs, targets, IMAGES).result()  # noqa: B023 - called in this iteration only

                async with SandboxPool(settings(), max_pixels=MAX_PIXELS) as pool:
                    engine()  # warm up
                    for _, (name, owners) in itertools.product(range(ROUNDS), OWNERS.items()):
                        await in_sandbox(pool, photographs, targets, 2, owners())  # warm up
                        bare = engine()
                        rounds[name].append((bare, await in_sandbox(pool, photographs, targets, IMAGES, owners())))
        for name, measured in rounds.items():
            report(f"{label}, {name}", measured)


def report(label: str, rounds: Sequence[tuple[Cost, Cost]]) -> None:
    """Print the medians of *rounds* of (engine, sandbox)."""
    cpu_ratio = statistics.median(sandbox.cpu / bare.cpu for bare, sandbox in rounds)
    wall_ratio = statistics.median(sandbox.wall / bare.wall for bare, sandbox in rounds)
    engine = statistics.median(bare.cpu for bare, _ in rounds) * 1000
    sandboxed = statistics.median(sandbox.cpu for _, sandbox in rounds) * 1000
    print(
        f"{label}: CPU per image: engine {engine:.1f} ms, worker and sandbox {sandboxed:.1f} ms: "
        f"ratio {cpu_ratio:.3f}; time per image: ratio {wall_ratio:.3f}"
    )


async def memory(targets: Sequence[Target]) -> None:
    """Print the memory of a sandbox process after few and after many images of all types and sizes."""
    sources = list(mixed())
    few, many = 0.0, 0.0
    async with SandboxPool(settings(), max_pixels=MAX_PIXELS) as pool:
        for number, source in enumerate(random.Random(1).choices(sources, k=MANY), start=1):  # noqa: S311 - reproducible
            await pool.convert(source, targets, interactive=True, owner="one")
            many = max(map(resident, pool.processes))  # one for expensive images may be among them
            few = many if number <= FEW else few
    print(
        f"memory of a sandbox process: {few:.0f} MiB after {FEW} mixed images, {many:.0f} MiB after {MANY}: "
        f"ratio {many / few:.2f}"
    )


def resident(process: int) -> float:
    """Return the resident memory of a process, in MiB."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def mixed() -> Iterator[bytes]:
    """Yield a photograph of each size as a file of each type, from 6 kB to 35 MB."""
    for size in MIXED_SIZES:
        jpeg = photograph(*size, seed=1)
        yield jpeg
        image = Image.open(io.BytesIO(jpeg))
        for kind in ("PNG", "WEBP", "GIF", "TIFF"):
            buffer = io.BytesIO()
            image.save(buffer, kind, compress_level=1)
            yield buffer.getvalue()


def settings() -> WorkerSettings:
    """Return the settings of a worker with one sandbox process that is never replaced."""
    return WorkerSettings(children=1, pictures_per_child=1_000_000)


def convert_locally(photographs: Sequence[bytes], targets: Sequence[Target], count: int) -> Cost:
    """Convert *count* images in this process."""
    used, began = time.process_time(), time.perf_counter()
    for number in range(count):
        convert(io.BytesIO(photographs[number % len(photographs)]), targets)
    return Cost((time.process_time() - used) / count, (time.perf_counter() - began) / count)


async def in_sandbox(
    pool: SandboxPool, photographs: Sequence[bytes], targets: Sequence[Target], count: int, owners: Iterator[str]
) -> Cost:
    """Convert *count* images in the sandbox, one after the other; the cost includes the CPU time of this process."""
    used, began = time.process_time() + process_time_of(pool), time.perf_counter()
    for number in range(count):
        await pool.convert(photographs[number % len(photographs)], targets, interactive=True, owner=next(owners))
    used = time.process_time() + process_time_of(pool) - used
    return Cost(used / count, (time.perf_counter() - began) / count)


def process_time_of(pool: SandboxPool) -> float:
    """Return the CPU time of the fork server and of all sandbox processes, those that have ended too, in seconds."""
    if not pool.processes:
        return 0.0
    status = Path(f"/proc/{pool.processes[0]}/stat").read_text()
    server = int(status.rpartition(")")[2].split()[1])
    fields = Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / _TICKS
    return ended + sum(map(cpu_seconds, (server, *pool.processes)))
