"""A folder of photographs to four JPEGs each: images and CPU seconds, and the memory of all processes."""

import asyncio
import contextlib
import itertools
import os
import shutil
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import aiohttp
from PIL import Image

from bench import cpu
from bench.folder import adopt_orphans, spent
from bench.peers.converters import SIDES, Converter, converters, formats_file
from bench.peers.corpus import PHOTOGRAPHS, SIZES, corpus, repeated
from bench.servers import KEY
from bench.stack import running_stack

_SAMPLE_SECONDS: Final = 0.05
_CONCURRENCY: Final = 8
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Measured(NamedTuple):
    """What one contestant has used for an image, in rounds, and the most memory of its processes."""

    name: str
    label: str
    rates: list[float]
    """Images per second."""
    cpu: list[float]
    """CPU seconds."""
    memory: int
    """Bytes."""

    @property
    def rate(self) -> float:
        """The median of the rates."""
        return statistics.median(self.rates)


class Sizes(NamedTuple):
    """How many images and rounds."""

    images: dict[str, int]
    rounds: int


def measure(sizes: Sizes) -> tuple[dict[str, list[Measured]], dict[str, str]]:
    """Return the results of all contestants by the size of images, and why others are missing."""
    adopt_orphans()
    found, missing = converters()
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        port, supervisor = stack.enter_context(running_stack(IMAGECONVERTER_FORMATS_FILE=str(formats_file(folder))))
        results = {}
        for size in SIZES:
            files = repeated(corpus(size), sizes.images[size], folder / size.replace(" ", ""))
            results[size] = _measure(found, files, folder / "out", sizes.rounds, (port, supervisor))
    return results, missing


def _measure(
    found: Sequence[Converter], files: Sequence[Path], out: Path, rounds: int, stack: tuple[int, int]
) -> list[Measured]:
    """Convert *files* by each contestant: first to warm up and to sample its memory, then in turn."""
    contestants = [_Local(each, files, out) for each in found]
    through = _Stack(*stack, files)
    everybody: list[_Local | _Stack] = [*contestants, through]
    memory = []
    for contestant in everybody:
        with _sampled(contestant.supervisor) as most:
            contestant.run()
        memory.append(most())
    runs = [[contestant.run() for contestant in everybody] for _ in range(rounds)]
    return [
        Measured(
            each.name, each.label, [run[index][0] for run in runs], [run[index][1] for run in runs], memory[index]
        )
        for index, each in enumerate(everybody)
    ]


class _Local:
    """A contestant that runs as a command."""

    def __init__(self, converter: Converter, files: Sequence[Path], out: Path) -> None:
        self.name, self.label, self._convert, starts_for_each_file = converter
        self.supervisor = os.getpid()
        self._files = files[:PHOTOGRAPHS] if starts_for_each_file else files
        self._out = out

    def run(self) -> tuple[float, float]:
        """Convert all files; returns images per second, and CPU seconds of an image."""
        shutil.rmtree(self._out, ignore_errors=True)
        for side in SIDES:
            (self._out / str(side)).mkdir(parents=True)
        used = spent(lambda: self._convert(self._files, self._out))
        _check(self._files, self._out, f"{self.name}, {self.label}")
        return len(self._files) / used.seconds, used.cpu / len(self._files)


class _Stack:
    """The whole service: uploads over HTTP, S3, and the queue; the CPU time is that of all its processes."""

    name, label = "imageconverter, HTTP, S3 and queue", "upload/convert"

    def __init__(self, port: int, supervisor: int, files: Sequence[Path]) -> None:
        self.supervisor = supervisor
        names = ",".join(f"content.imageFormat.peer{side}" for side in SIDES)
        self._url = f"http://127.0.0.1:{port}/images/upload/convert?formats={names}&fileName="
        self._files = files

    def run(self) -> tuple[float, float]:
        """Convert all files; returns images per second, and CPU seconds of an image."""
        before, began = cpu.seconds(cpu.descendants(self.supervisor)), time.perf_counter()
        asyncio.run(self._upload())
        seconds = time.perf_counter() - began
        after = cpu.seconds(cpu.descendants(self.supervisor))
        return len(self._files) / seconds, (after - before) / len(self._files)

    async def _upload(self) -> None:
        files = iter(self._files)
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/octet-stream"}
        async with aiohttp.ClientSession(headers=headers) as session:

            async def client() -> None:
                for file in files:
                    async with session.post(self._url + file.name, data=file.read_bytes()) as response:
                        response.raise_for_status()

            await asyncio.gather(*(client() for _ in range(_CONCURRENCY)))


def _check(files: Sequence[Path], out: Path, contestant: str) -> None:
    """Raise RuntimeError if an output is missing, or has another size than it would have upright."""
    with Image.open(files[0]) as upright, Image.open(files[1]) as turned:
        originals = (upright.size, turned.size[::-1])
    for side, (file, original) in itertools.product(SIDES, zip(files, originals, strict=False)):
        produced = next(out.glob(f"*{side}/{file.name}"), None)
        if produced is None:
            raise RuntimeError(f"{contestant}: no output of {side} pixels")
        with Image.open(produced) as image:
            expected = [max(1, round(length * side / max(original))) for length in original]
            if any(abs(a - b) > 1 for a, b in zip(image.size, expected, strict=True)):
                raise RuntimeError(f"{contestant}: {image.size} instead of {expected}")
    if len(list(out.glob("*/*.jpg"))) != len(files) * len(SIDES):
        raise RuntimeError(f"{contestant}: not all were converted")


@contextmanager
def _sampled(supervisor: int) -> Iterator[Callable[[], int]]:
    """Sample the resident memory of the descendants of *supervisor*, and of itself unless it is this process.

    Yields what returns the maximum of the sum, in bytes; pages that processes share are counted for each.
    """
    stop = threading.Event()
    most = 0

    def sample() -> None:
        nonlocal most
        while not stop.wait(_SAMPLE_SECONDS):
            pids = cpu.descendants(supervisor) - others
            most = max(most, sum(_resident(pid) for pid in pids))

    own = os.getpid()
    others = cpu.descendants(own) if supervisor == own else set[int]()
    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield lambda: most
    finally:
        stop.set()
        thread.join()


def _resident(pid: int) -> int:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
    return 0
