"""The contestants that convert a folder of files on this machine, each at its best and as it is usually used."""

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, NamedTuple

from bench.folder import in_parallel
from bench.peers import packages

SIDES: Final = (1600, 1024, 800, 200)
QUALITY: Final = 82
_PROGRAMS: Final = Path(__file__).parent / "programs"
_OFTEN: Final = {
    ("vipsthumbnail", "usual"),
    *itertools.product(("ImageMagick 6", "GraphicsMagick"), ("best", "usual")),
}
_ONE_THREAD: Final = {"VIPS_CONCURRENCY": "1", "UV_THREADPOOL_SIZE": "1", "OMP_NUM_THREADS": "1"}


class Converter(NamedTuple):
    """A contestant: converts files to `OUT/SIDE/NAME` for all SIDES."""

    name: str
    label: str
    convert: Callable[[Sequence[Path], Path], None]
    starts_for_each_file: bool
    """Whether a program starts for each file, so that figures do not depend on their number."""


def converters() -> tuple[list[Converter], dict[str, str]]:
    """Return the contestants, and why others are missing, by name."""
    found: list[Converter] = []
    missing: dict[str, str] = {}
    for name, make in _CONTESTANTS.items():
        try:
            found += [Converter(name, label, convert, (name, label) in _OFTEN) for label, convert in make().items()]
        except packages.MissingError as error:
            missing[name] = str(error)
    return found, missing


_Variants = dict[str, Callable[[Sequence[Path], Path], None]]


def _engine() -> _Variants:
    return {"bare engine": _of_program([sys.executable, str(_PROGRAMS / "engine.py")], "best")}


def _local() -> _Variants:
    return {"convert --local": _convert_local}


def _convert_local(files: Sequence[Path], out: Path) -> None:
    command = [sys.executable, "-m", "services.cli.main", "convert", str(files[0].parent), "--local", "--quiet"]
    formats = list(itertools.chain.from_iterable(("--format", f"peer{side}") for side in SIDES))
    variables = {
        "IMAGECONVERTER_FORMATS_FILE": str(formats_file(out)),
        "IMAGECONVERTER_CACHE_DIR": str(out / "cache"),
    }
    subprocess.run([*command, *formats, "--output", str(out)], check=True, env={**os.environ, **variables})


def formats_file(folder: Path) -> Path:
    """Write the SIDES as image formats; returns the path."""
    path = folder / "formats.toml"
    path.write_text(
        "".join(
            f'[[format]]\nid = "peer{side}"\nname = "{side}"\ntype = "product"\n'
            f"maxWidth = {side}\nmaxHeight = {side}\n"
            f'output = "jpeg"\nquality = {QUALITY}\ntargetDirectory = "{side}"\n'
            for side in SIDES
        )
    )
    return path


def _sharp() -> _Variants:
    command = [packages.program("node"), str(_PROGRAMS / "sharp.mjs"), str(packages.npm())]
    return {how: _of_program(command, how) for how in ("best", "usual")}


def _pyvips() -> _Variants:
    return {how: _of_program([str(packages.python()), str(_PROGRAMS / "vips.py")], how) for how in ("best", "usual")}


def _opencv() -> _Variants:
    return {
        how: _of_program([str(packages.python()), str(_PROGRAMS / "opencv.py")], how) for how in ("best", "usual")
    }


def _of_program(command: Sequence[str], how: str) -> Callable[[Sequence[Path], Path], None]:
    """Run one process for each core with a share of the files, or, as usual, one with all and its own threads."""

    def convert(files: Sequence[Path], out: Path) -> None:
        arguments = [*command, how, str(out), str(QUALITY), ",".join(map(str, SIDES))]
        if how == "best":
            in_parallel(arguments, files, **_ONE_THREAD)
        else:
            subprocess.run([*arguments, *map(str, files)], check=True)

    return convert


def _vipsthumbnail() -> _Variants:
    program = packages.debian_program("libvips-tools", "usr/bin/vipsthumbnail")

    def command(side: int, out: Path) -> list[str]:
        return [*program, "--size", f"{side}x{side}>", "-o", f"{out}/{side}/%s.jpg[Q={QUALITY},strip]"]

    def best(files: Sequence[Path], out: Path) -> None:
        for side in SIDES:
            in_parallel(command(side, out), files, **_ONE_THREAD)

    def usual(files: Sequence[Path], out: Path) -> None:
        for file, side in itertools.product(files, SIDES):
            subprocess.run([*command(side, out), str(file)], check=True)

    return {"best": best, "usual": usual}


def _imagemagick() -> _Variants:
    program = packages.debian_program("imagemagick-6.q16", "usr/bin/convert-im6.q16")
    return _magick(program, ["-define", f"jpeg:size={SIDES[0]}x{SIDES[0]}"])


def _graphicsmagick() -> _Variants:
    program = packages.debian_program("graphicsmagick", "usr/bin/gm")
    return _magick([*program, "convert"], ["-size", f"{SIDES[0]}x{SIDES[0]}"])


def _magick(command: Sequence[str], hint: Sequence[str]) -> _Variants:
    """Return one command for a file with all outputs and a hint at the size, or one for each output."""
    saved = ["-quality", str(QUALITY), "-sampling-factor", "2x2"]

    def best(files: Sequence[Path], out: Path) -> None:
        def convert(file: Path) -> None:
            *larger, smallest = ((f"{side}x{side}>", f"{out}/{side}/{file.name}") for side in SIDES)
            steps = itertools.chain.from_iterable(("-resize", box, "-write", path) for box, path in larger)
            arguments = [*hint, str(file), "-auto-orient", *saved, *steps, "-resize", *smallest]
            subprocess.run([*command, *arguments], check=True, env={**os.environ, **_ONE_THREAD})

        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            list(pool.map(convert, files))

    def usual(files: Sequence[Path], out: Path) -> None:
        for file, side in itertools.product(files, SIDES):
            resized = [str(file), "-auto-orient", "-resize", f"{side}x{side}>", "-quality", str(QUALITY)]
            subprocess.run([*command, *resized, f"{out}/{side}/{file.name}"], check=True)

    return {"best": best, "usual": usual}


_CONTESTANTS: Final[dict[str, Callable[[], _Variants]]] = {
    "imageconverter, bare engine": _engine,
    "imageconverter convert --local": _local,
    "sharp": _sharp,
    "pyvips": _pyvips,
    "OpenCV": _opencv,
    "vipsthumbnail": _vipsthumbnail,
    "ImageMagick 6": _imagemagick,
    "GraphicsMagick": _graphicsmagick,
}
