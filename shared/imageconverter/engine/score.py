"""How good a coded image looks: the gradient magnitude similarity deviation, on the scale of SSIMULACRA2.

GMSD (Xue, Zhang, Mou and Bovik, 2014) compares the edges of both images at half of their resolution, in gray.
docs/decisions.md has how well it agrees with SSIMULACRA2.
"""

import io
import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from PIL import Image
from PIL.AvifImagePlugin import AvifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.WebPImagePlugin import WebPImageFile

Encoder = Literal["libjpeg", "jpegli", "webp", "avif"]
_READERS: Mapping[Encoder, type[ImageFile]] = {
    "libjpeg": JpegImageFile,
    "jpegli": JpegImageFile,
    "webp": WebPImageFile,
    "avif": AvifImageFile,
}
_FLAT = 170.0  # the constant of the publication, below which gradients hardly count
_ROWS_AT_ONCE = 64  # which stay in the processor's cache
# SSIMULACRA2 is about 100 - scale * GMSD ** _POWER; GMSD sees no colors, which libjpeg keeps worst.
_SCALES: Mapping[Encoder, float] = {"libjpeg": 307, "jpegli": 245, "webp": 243, "avif": 243}
_POWER = 0.467

_Levels = np.ndarray[Any, np.dtype[np.floating[Any]]]


class Reference:
    """An image that coded ones are compared with."""

    def __init__(self, image: Image.Image) -> None:
        """Prepare *image*: L, LA, RGB or RGBA."""
        self._half = _half(image)

    def score(self, data: bytes, encoder: Encoder) -> float:
        """Return how good the file *data* of the *encoder* looks: 100 if nothing differs, below 50 it is bad.

        Raises what the decoder raises if it cannot be read.
        """
        with _READERS[encoder](io.BytesIO(data)) as coded:
            deviation = _deviation(self._half, _half(coded))
        return float(100 - _SCALES[encoder] * deviation**_POWER)


def _half(image: Image.Image) -> Image.Image:
    """Return the gray image at half of the resolution; what is transparent is on white."""
    gray = image.convert("L")
    if image.mode in ("LA", "RGBA"):
        white = Image.new("L", image.size, "white")
        white.paste(gray, mask=image.getchannel("A"))
        gray = white
    return gray.reduce(2)


def _deviation(one: Image.Image, other: Image.Image) -> float:
    """Return the standard deviation of the similarity of gradients, 0 to 1."""
    total = squares = 0.0
    for top in range(0, one.height, _ROWS_AT_ONCE):
        similarity = _similarity(*(_gradients(image, top) for image in (one, other)))
        total += float(similarity.sum(dtype=np.float64))
        squares += float(np.square(similarity).sum(dtype=np.float64))
    pixels = one.width * one.height
    return math.sqrt(max(0.0, squares / pixels - (total / pixels) ** 2))


def _similarity(one: _Levels, other: _Levels) -> _Levels:
    return (2 * one * other + _FLAT) / (one * one + other * other + _FLAT)


def _gradients(image: Image.Image, top: int) -> _Levels:
    """Return the gradient magnitude (Prewitt) of some rows from *top* on; pixels at the border are repeated."""
    first, last = max(0, top - 1), min(image.height, top + _ROWS_AT_ONCE + 1)
    rows = np.asarray(image.crop((0, first, image.width, last)), dtype=np.float32)
    margins = (int(top == 0), int(top + _ROWS_AT_ONCE >= image.height))
    levels = np.pad(rows, (margins, (1, 1)), mode="edge")
    sums = levels[:-2] + levels[1:-1] + levels[2:]
    across = sums[:, 2:] - sums[:, :-2]
    sums = levels[:, :-2] + levels[:, 1:-1] + levels[:, 2:]
    down = sums[2:] - sums[:-2]
    magnitude: _Levels = np.sqrt(across * across + down * down) / 3
    return magnitude
