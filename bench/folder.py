"""A folder of photographs to square WebP thumbnails: `convert`, with and without a server, beside usual tools."""

import contextlib
import ctypes
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from bench.photographs import photograph
from tests.testing.running_stack import running_stack

IMAGES = 100
IMAGES_LONG = 500
_SIZES = (
    (1633, 1225),
    (2000, 1500),
    (2309, 1732),
    (2828, 2121),
    (3266, 2449),
    (3652, 2739),
    (4000, 3000),
)  # 2 to 12 MP
_SIDE, _QUALITY = 320, 82
_RUNS = 3
_PR_SET_CHILD_SUBREAPER = 36
_FORMAT = f"""
[[format]]
id = "square"
name = "square"
type = "product"
maxWidth = {_SIDE}
maxHeight = {_SIDE}
fit = "crop"
output = "webp"
quality = {_QUALITY}
targetDirectory = "products/square"
"""


def main() -> None:
    """Measure and print."""
    measure(IMAGES)


def long() -> None:
    """Measure as docs/benchmarks.md says."""
    measure(IMAGES_LONG)


def measure(images: int) -> None:
    """Convert *images* photographs in each way and print the seconds, the best of several runs."""
    adopt_orphans()
    print(f"\n== folder: {images} photographs of 2 to 12 MP to {_SIDE} x {_SIDE} WebP, all cores, best of {_RUNS}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photographs = _photographs(folder / "photographs", images)
        print(f"{sum(each.stat().st_size for each in photographs) / images / 1e6:.1f} MB each")
        _print("vipsthumbnail", _vipsthumbnail(folder, photographs))
        _print("mogrify", _mogrify(folder, photographs))
        _local(folder)
        _stack(folder, images)


def adopt_orphans() -> None:
    """Become the parent of descendants whose parents end, so that `spent` counts them."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


class Spent(NamedTuple):
    """What a command has used."""

    seconds: float
    cpu: float
    """CPU seconds of its processes, without those of servers."""


def _print(label: str, used: Spent | None) -> None:
    text = "not installed" if used is None else f"{used.seconds:.2f} s, {used.cpu:.2f} s of CPU"
    print(f"{label}: {text}")


def spent(work: Callable[[], object]) -> Spent:
    """Return the time that *work* takes, and the CPU time of the processes that it starts; see `adopt_orphans`."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    _reap()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Spent(seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def _photographs(folder: Path, images: int) -> list[Path]:
    folder.mkdir()
    different = [photograph(*size, seed) for seed, size in enumerate(_SIZES)]
    paths = [folder / f"{number:04}.jpg" for number in range(images)]
    for number, path in enumerate(paths):
        path.write_bytes(different[number % len(different)])
        os.utime(path, (1_700_000_000, 1_700_000_000))
    return paths


def _reap() -> None:
    """Wait for processes whose parents have ended, as a sandbox leaves them, so that their CPU time is counted."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _best(work: Callable[[], object], out: Path) -> Spent:
    runs = []
    for _ in range(_RUNS):
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        runs.append(spent(work))
    return min(runs)


def in_parallel(command: Sequence[str], paths: Sequence[Path], **variables: str) -> None:
    """Run *command* with shares of *paths*, one process for each core."""
    cores = len(os.sched_getaffinity(0))
    environment = {**os.environ, **variables}
    started = [subprocess.Popen([*command, *map(str, paths[core::cores])], env=environment) for core in range(cores)]
    statuses = [process.wait() for process in started]
    if any(statuses):
        raise RuntimeError(f"{command[0]} has failed")


def _vipsthumbnail(folder: Path, paths: Sequence[Path]) -> Spent | None:
    if shutil.which("vipsthumbnail") is None:
        return None
    out = folder / "vips"
    size = ["--size", f"{_SIDE}x{_SIDE}", "--smartcrop", "centre", "-o", f"{out}/%s.webp[Q={_QUALITY},strip]"]
    return _best(lambda: in_parallel(["vipsthumbnail", *size], paths, VIPS_CONCURRENCY="1"), out)


def _mogrify(folder: Path, paths: Sequence[Path]) -> Spent | None:
    if shutil.which("mogrify") is None:
        return None
    out = folder / "mogrify"
    hint = ["-define", f"jpeg:size={2 * _SIDE}x{2 * _SIDE}"]
    crop = ["-thumbnail", f"{_SIDE}x{_SIDE}^", "-gravity", "center", "-extent", f"{_SIDE}x{_SIDE}"]
    command = ["mogrify", "-path", str(out), "-format", "webp", *hint, "-auto-orient", *crop]
    return _best(lambda: in_parallel([*command, "-quality", str(_QUALITY)], paths, MAGICK_THREAD_LIMIT="1"), out)


def _convert(folder: Path, *options: str, **variables: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "services.cli.main", "convert", str(folder / "photographs"), "--json", *options]
    environment = {**os.environ, "IMAGECONVERTER_CACHE_DIR": str(folder / "cache"), **variables}
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    result: dict[str, Any] = json.loads(finished.stdout)
    return result


def _local(folder: Path) -> None:
    out = folder / "local"
    box = ("--local", "--width", str(_SIDE), "--height", str(_SIDE), "--fit", "crop", "--output-type", "webp")
    options = (*box, "--quality", str(_QUALITY), "--output", str(out))
    _print("convert --local", _best(lambda: _convert(folder, *options), out))
    _print("convert --local, again", spent(lambda: _convert(folder, *options)))


def _stack(folder: Path, images: int) -> None:
    (folder / "stack" / "data").mkdir(parents=True)
    (folder / "stack" / "data" / "formats.toml").write_text(_FORMAT, encoding="utf-8")
    with running_stack(folder / "stack") as stack:
        server = ("--server", f"http://127.0.0.1:{stack.port}", "--key", stack.api_key)
        options = (*server, "--format", "square", "--output", str(folder / "through"))
        results: list[dict[str, Any]] = []
        for label, uploads in (("convert", images), ("convert, again", 0)):
            _print(f"{label}, {uploads} uploads", spent(lambda: results.append(_convert(folder, *options))))
            if (len(results[-1]["outputs"]), results[-1]["sent"]) != (images, uploads):
                raise RuntimeError(f"not all were converted: {results[-1]['failed']}")
