"""One corpus for all: photographs of packages, at 12 and 2 MP, with noise and mixed orientations."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import skimage
from PIL import Image

from bench.peers import packages

SIZES: Final = {"12 MP": (4000, 3000), "2 MP": (1633, 1225)}
PHOTOGRAPHS: Final = 12
_PACKAGES: Final = ("mate-backgrounds", "lomiri-wallpapers-16.04", "lomiri-wallpapers-20.04")
_OF_SCIKIT_IMAGE: Final = ("coffee.png", "astronaut.png", "chelsea.png", "motorcycle_left.png", "rocket.jpg")
_SMALLEST: Final = 4_000_000  # pixels of a Debian photograph; less would be enlarged much
_NOISE: Final = 2.5  # of a sensor, as the standard deviation of its values in 8 bits
_QUALITY: Final = 90
_TURNS: Final = {  # by EXIF orientation, what a camera held differently stores
    1: None,
    6: Image.Transpose.ROTATE_90,
    8: Image.Transpose.ROTATE_270,
    3: Image.Transpose.ROTATE_180,
}
_ORIENTATION: Final = 0x0112


def corpus(size: str) -> list[Path]:
    """Return the photographs of a *size* of SIZES, which are made if they are not in the cache.

    Raises MissingError if no package with photographs can be had.
    """
    folder = packages.cache_folder() / "corpus" / size.replace(" ", "")
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for number, path in enumerate(_chosen()):
            (partial / f"{number:02}.jpg").write_bytes(_prepared(path, *SIZES[size], number))
        partial.rename(folder)
    return sorted(folder.glob("*.jpg"))


def repeated(paths: list[Path], count: int, folder: Path) -> list[Path]:
    """Return *count* files in *folder*, which are the photographs at *paths* in turn."""
    folder.mkdir(parents=True)
    copies = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, copy in enumerate(copies):
        shutil.copyfile(paths[number % len(paths)], copy)
    return copies


def _chosen() -> list[Path]:
    of_scikit_image = [Path(skimage.__file__).parent / "data" / name for name in _OF_SCIKIT_IMAGE]
    by_package = [list(_photographs_of(package)) for package in _PACKAGES]
    alternating = [paths[number] for number in range(PHOTOGRAPHS) for paths in by_package if number < len(paths)]
    needed = PHOTOGRAPHS - len(of_scikit_image)
    return [*alternating[:needed], *of_scikit_image]


def _photographs_of(package: str) -> Iterator[Path]:
    titles = set()
    for path in sorted(packages.debian(package).rglob("*.jpg")):
        title = path.stem.partition("_")[0]  # the same photograph at another size has the same one
        with Image.open(path) as image:
            if title not in titles and image.width * image.height >= _SMALLEST:
                titles.add(title)
                yield path


def _prepared(path: Path, width: int, height: int, number: int) -> bytes:
    """Return a JPEG that shows *width* by *height* pixels: cropped in the middle, with noise, in some orientation."""
    with Image.open(path) as image:
        upright = image.convert("RGB")
    scale = max(width / upright.width, height / upright.height)
    resized = upright.resize((round(upright.width * scale), round(upright.height * scale)), Image.Resampling.LANCZOS)
    left, top = (resized.width - width) // 2, (resized.height - height) // 2
    pixels = np.asarray(resized.crop((left, top, left + width, top + height)), dtype=np.float32)
    noise = np.random.default_rng(number).normal(scale=_NOISE, size=pixels.shape).astype(np.float32)
    shown = Image.fromarray((pixels + noise).clip(0, 255).astype(np.uint8))
    orientation, turn = list(_TURNS.items())[number % len(_TURNS)]
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    buffer = io.BytesIO()
    (shown if turn is None else shown.transpose(turn)).save(buffer, "JPEG", quality=_QUALITY, exif=exif)
    return buffer.getvalue()
