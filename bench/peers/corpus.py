"""One corpus for all: photographs of packages, at 12 and 2 MP, with noise and mixed orientations."""

import io
import shutil
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from bench.corpus import photographs
from bench.peers import packages

SIZES: Final = {"12 MP": (4000, 3000), "2 MP": (1633, 1225)}
PHOTOGRAPHS: Final = 12
_SMALL: Final = 5  # of the photographs, which are enlarged
_LARGE: Final = 4_000_000  # pixels
_ANY_SIDE: Final = 100_000
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
    """Return the photographs of a *size* of SIZES, which are made if they are not in the cache."""
    folder = packages.cache_folder() / "corpus" / size.replace(" ", "")
    if not folder.exists():
        partial = folder.with_suffix(".partial")
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        for number, image in enumerate(_chosen()):
            (partial / f"{number:02}.jpg").write_bytes(_prepared(image, *SIZES[size], number))
        partial.rename(folder)
    return sorted(folder.glob("*.jpg"))


def repeated(paths: list[Path], count: int, folder: Path) -> list[Path]:
    """Return *count* files in *folder*, which are the photographs at *paths* in turn."""
    folder.mkdir(parents=True)
    copies = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, copy in enumerate(copies):
        shutil.copyfile(paths[number % len(paths)], copy)
    return copies


def _chosen() -> list[Image.Image]:
    """Return large photographs and some small ones; as many large ones as there are, if there are few."""
    small: list[Image.Image] = []
    large: list[Image.Image] = []
    for _, image in photographs(_ANY_SIDE):
        (large if image.width * image.height >= _LARGE else small).append(image)
        if len(large) == PHOTOGRAPHS - _SMALL and len(small) >= _SMALL:
            break
    return [*large, *small][:PHOTOGRAPHS]


def _prepared(upright: Image.Image, width: int, height: int, number: int) -> bytes:
    """Return a JPEG that shows *width* by *height* pixels: cropped in the middle, with noise, in some orientation."""
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
