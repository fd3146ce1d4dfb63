"""The CPU time of the bare engine compared with sharp and with decoding and encoding alone, on one core."""

import io
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.photographs import photograph
from imageconverter.engine import Target
from imageconverter.engine.decode import load, open_image
from imageconverter.engine.geometry import place
from imageconverter.engine.limits import Limits
from imageconverter.engine.output_types import Converted
from imageconverter.engine.pipeline import convert
from imageconverter.engine.target import OutputType

SHARP = "sharp@0.35"
ROUNDS = 7
SOURCES = 3
DEFAULT_SIDES = (1600, 1024, 800, 200)
PEER_SIDES = (1200, 800, 400, 100)
FEW_SIDES = (800, 200)
QUALITY = 82
_SHARP_VARIANTS = ("cascade", "plain cascade", "usual")
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """A type of source, its outputs, and the target for the speed-up over sharp's cascade."""

    name: str
    sources: Sequence[bytes]
    sides: Sequence[int]
    output: OutputType
    target: float

    @property
    def targets(self) -> list[Target]:
        """The targets of the engine."""
        return [Target(max_width=s, max_height=s, output=self.output, quality=QUALITY) for s in self.sides]


def cases() -> list[Case]:
    """Generate the sources."""
    large = [photograph(4000, 3000, seed) for seed in range(SOURCES)]
    small = [photograph(1633, 1225, seed) for seed in range(SOURCES)]
    return [
        Case("12 MP JPEG, sides 1200 800 400 100", large, PEER_SIDES, "jpeg", 1.5),
        Case("12 MP JPEG, all default formats", large, DEFAULT_SIDES, "jpeg", 1.5),
        Case("2 MP JPEG", small, PEER_SIDES, "jpeg", 1.9),
        Case("2 MP PNG", [_as(each, "PNG") for each in small], PEER_SIDES, "jpeg", 1.25),
        Case("2 MP WebP", [_as(each, "WEBP", quality=90) for each in small], PEER_SIDES, "jpeg", 1.3),
        Case("2 MP JPEG to PNG, sides 800 200", small, FEW_SIDES, "png", 1.6),
        Case("2 MP JPEG to WebP, sides 800 200", small, FEW_SIDES, "webp", 1.6),
        Case("GIF of 24 frames, sides 400 200", [_animation(0)], (400, 200), "gif", 2),
    ]


def main() -> None:
    """Measure and print."""
    print(f"\n== engine: CPU per source on one core, {ROUNDS} alternating rounds of {SOURCES} sources each")
    core = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    with tempfile.TemporaryDirectory() as folder, running_sharp(Path(folder), core) as sharp:
        for case in cases():
            report(case, measure(case, Path(folder), sharp))


def measure(
    case: Case, folder: Path, sharp: Callable[[Case, list[str], str], float] | None
) -> dict[str, list[float]]:
    """Return the CPU seconds per source of every contestant, by round."""
    files = []
    for number, source in enumerate(case.sources):
        files.append(str(folder / f"{number}"))
        Path(files[-1]).write_bytes(source)
    contestants: dict[str, Callable[[], float]] = {
        "engine": lambda: _timed(lambda source: convert(io.BytesIO(source), case.targets), case.sources)
    }
    if case.output == "jpeg":
        outputs = [_outputs(source, case.targets) for source in case.sources]
        contestants["bound"] = lambda: _timed(
            lambda pair: _bound(pair[0], pair[1], case.targets), list(zip(case.sources, outputs, strict=True))
        )
    if sharp is not None:
        contestants |= {each: lambda variant=each: sharp(case, files, variant) for each in _SHARP_VARIANTS}  # type: ignore[misc]
    for contestant in contestants.values():
        contestant()  # warm up
    results: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(ROUNDS if case.output != "gif" else 2):
        for name, contestant in contestants.items():
            results[name].append(contestant() / len(case.sources))
    return results


def report(case: Case, results: dict[str, list[float]]) -> None:
    """Print the medians of the ratios of all rounds."""
    engine = results["engine"]
    line = f"{case.name}: {1000 * statistics.median(engine):.1f} ms, {1 / statistics.median(engine):.1f} per second"

    def ratio(name: str) -> float:
        return statistics.median(other / own for other, own in zip(results[name], engine, strict=True))

    if "bound" in results:
        line += f"; {1 / ratio('bound'):.2f} times the time of decoding and encoding alone (target 1.3 at 12 MP)"
    if "cascade" in results:
        line += f"; {ratio('cascade'):.2f} times as fast as sharp's cascade (target {case.target})"
        line += f", {ratio('plain cascade'):.2f} times with the same encoder options"
        line += f", {ratio('usual'):.2f} times as fast as its usual pipelines"
        line += " (target 3)" if case.name.startswith("12 MP") else ""
    print(line, flush=True)


@contextmanager
def running_sharp(folder: Path, core: int) -> Iterator[Callable[[Case, list[str], str], float] | None]:
    """Install sharp in *folder* and run it; yields a function that measures it, or None if it cannot be run."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        print("sharp is skipped: Node.js was not found")
        yield None
        return
    install = [npm, "install", "--no-save", "--silent", "--prefix", str(folder), SHARP]
    if subprocess.run(install, check=False).returncode != 0:
        print("sharp is skipped: it could not be installed")
        yield None
        return
    environment = {**os.environ, "UV_THREADPOOL_SIZE": "1", "VIPS_CONCURRENCY": "1"}
    command = ["taskset", "-c", str(core), node, str(_HERE / "peers" / "sharp.mjs"), str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:

        def measure_sharp(case: Case, files: list[str], variant: str) -> float:
            job = {"files": files, "sides": case.sides, "output": case.output, "quality": QUALITY, "variant": variant}
            assert process.stdin is not None  # noqa: S101 - for mypy
            assert process.stdout is not None  # noqa: S101 - for mypy
            process.stdin.write(json.dumps({**job, "animated": case.output == "gif"}).encode() + b"\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        yield measure_sharp
        process.kill()


def _timed(work: Callable[[Any], object], items: Sequence[Any]) -> float:
    began = time.process_time()
    for item in items:
        work(item)
    return time.process_time() - began


def _outputs(source: bytes, targets: list[Target]) -> list[Image.Image]:
    """Return the converted images, decoded, so that they can be encoded again."""
    converted = [each for each in convert(io.BytesIO(source), targets) if isinstance(each, Converted)]
    images: list[Image.Image] = [Image.open(io.BytesIO(each.data)) for each in converted]
    for image in images:
        image.load()
    return images


def _bound(source: bytes, outputs: list[Image.Image], targets: list[Target]) -> None:
    """Do only the necessary: decode at the scale that the engine uses, and encode the outputs."""
    image, info = open_image(io.BytesIO(source), Limits())
    largest = max(place(info.size, target).frame for target in targets)
    load(image, info, at_least=largest)
    for output in outputs:
        output.save(io.BytesIO(), "JPEG", quality=QUALITY, subsampling="4:2:0")


def _as(jpeg: bytes, kind: str, **options: int) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(buffer, kind, **options)
    return buffer.getvalue()


def _animation(seed: int) -> bytes:
    """Return a GIF of 24 frames of 640 by 480 pixels: a disc that moves across a photograph."""
    still = Image.open(io.BytesIO(photograph(640, 480, seed))).convert("RGB")
    y, x = np.ogrid[:480, :640]
    frames = []
    for number in range(24):
        pixels = np.array(still)
        pixels[np.hypot(x - 26 * number, y - 240) < 60] = (230, 200, 40)
        frames.append(Image.fromarray(pixels).quantize(256))
    buffer = io.BytesIO()
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], duration=80, loop=0)
    return buffer.getvalue()
