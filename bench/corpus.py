"""Photographs of packages: fetched, never kept in the repository."""

import io
import subprocess
import tempfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import skimage
from PIL import Image

from bench.photographs import photograph

_PACKAGES = ("mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04", "ukui-wallpapers")
_DRAWN = (
    "abstract",
    "desktop",
    "Elephants_",
    "Transparent",
    "fluent-color",
)  # parts of paths of what is no photograph
_BUNDLED = (
    "astronaut.png",
    "chelsea.png",
    "coffee.png",
    "ihc.png",
    "motorcycle_left.png",
    "retina.jpg",
    "rocket.jpg",
)
_TYPES = (".jpg", ".png")
_GENERATED = 8


def photographs(side: int) -> Iterator[tuple[str, Image.Image]]:
    """Yield names and images in RGB, no larger than *side* in pixels: those of scikit-image and of Debian's packages.

    Without Debian's package manager, generated ones take their place.
    """
    bundled = (Path(skimage.__file__).parent / "data" / name for name in _BUNDLED)
    with tempfile.TemporaryDirectory() as folder:
        fetched = _fetched(Path(folder))
        for path in chain(bundled, fetched):
            with Image.open(path) as image:
                yield path.name, _shrunk(image, side)
        for seed in range(0 if fetched else _GENERATED):
            yield f"generated {seed}", _shrunk(Image.open(io.BytesIO(photograph(1600, 1200, seed))), side)


def _fetched(folder: Path) -> list[Path]:
    try:
        subprocess.run(("apt-get", "download", "-q", *_PACKAGES), cwd=folder, check=True, capture_output=True)
        for package in folder.glob("*.deb"):
            subprocess.run(("dpkg", "-x", package, folder), check=True)
    except (OSError, subprocess.CalledProcessError):
        return []
    found = sorted(path for path in (folder / "usr").rglob("*") if path.suffix in _TYPES and not path.is_symlink())
    return [path for path in found if not any(part in str(path.relative_to(folder)) for part in _DRAWN)]


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    shrunk = image.convert("RGB")
    shrunk.info.clear()  # encoders would write its profile
    shrunk.thumbnail((side, side), Image.Resampling.LANCZOS)
    return shrunk
