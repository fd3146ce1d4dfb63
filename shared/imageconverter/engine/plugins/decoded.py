"""What plugins of our own have in common: an image that is decoded as a whole, and samples that become levels."""

from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

Samples = np.ndarray[Any, np.dtype[Any]]
Levels = np.ndarray[Any, np.dtype[np.uint8]]

_WHITE = 255
_BLOCK = 1 << 20  # samples that are converted at once


class DecodedImageFile(ImageFile.ImageFile):
    """An image whose pixels `_decode` returns when they are first asked for."""

    def load(self) -> Any:
        """Decode the pixels at the first call."""
        if self._im is None:
            image = self._decode()
            self._mode, self.palette, self.readonly = image.mode, image.palette, image.readonly
            self.im = image.im
        return super().load()

    def _decode(self) -> Image.Image:
        raise NotImplementedError


def file_of(image: ImageFile.ImageFile) -> IO[bytes]:
    """Return the file that *image* is read from. Raises ValueError if it is closed."""
    if image.fp is None:
        raise ValueError("the file is closed")
    return image.fp


def to_levels(samples: Samples, maximum: int) -> Levels:
    """Scale samples of 8 or 16 bits from 0 to *maximum* to levels from 0 to 255; larger ones are clipped."""
    if maximum == _WHITE and samples.dtype == np.uint8:
        return samples
    every = np.arange(np.iinfo(samples.dtype).max + 1)
    table = np.minimum((every * 2 * _WHITE + maximum) // (2 * maximum), _WHITE)
    return mapped(samples, table.astype("u1"))


def mapped(samples: Samples, table: Levels) -> Levels:
    """Return the entries of *table* that *samples*, unsigned integers, are the indices of."""
    levels = np.empty(samples.shape, "u1")
    flat, source = levels.reshape(-1), np.ascontiguousarray(samples).reshape(-1)
    for at in range(0, flat.size, _BLOCK):  # numpy makes indices of eight bytes
        np.take(table, source[at : at + _BLOCK], out=flat[at : at + _BLOCK])
    return levels


def image_of(levels: Levels, mode: str, *, from_below: bool = False) -> Image.Image:
    """Make an image of an array of rows of pixels, the first of which is the lowest if they are *from_below*.

    The two share their memory if they can.
    """
    height, width = levels.shape[:2]
    step = -1 if from_below else 1
    return Image.frombuffer(mode, (width, height), np.ascontiguousarray(levels), "raw", mode, 0, step)


def require_half(there: int, wanted: int) -> None:
    """Raise ValueError if so few rows or pixels are *there* that the image will be refused.

    For use before memory is taken for all of them.
    """
    if 2 * there < wanted:
        raise ValueError(f"it is cut off after {there / wanted:.0%} of the image")


def set_missing(image: Image.Image, rows: int) -> None:
    """Note that only so many *rows* of *image* could be decoded."""
    if rows < image.height:
        image.info["missing"] = 1 - rows / image.height
