"""PNGs of photographs, in which only single bytes return: zlib looks for nothing else, and takes half the time."""

import io
from typing import Final

import numpy as np
from imagecodecs import PNG, png_encode
from PIL import Image

LEVEL: Final = 4
"""Of zlib, for all other images."""
RUNS_ONLY: Final = 3
"""zlib's strategy that looks for nothing but a byte that repeats."""
_MODES: Final = ("L", "LA", "RGB", "RGBA")
_MAX_PIXELS: Final = 16_000_000  # for the encoder takes a copy of them
_SAMPLE_ROWS, _MAX_GROWTH = 24, 1.02
_MIN_SHARE = 0.25  # of the bytes of its pixels that are left of a photograph, and less of a drawing


def is_photograph(image: Image.Image) -> bool:
    """Whether the rows in the middle of *image* have hardly any sequences of bytes that return."""
    top = max(0, (image.height - _SAMPLE_ROWS) // 2)
    sample = image.crop((0, top, image.width, min(image.height, top + _SAMPLE_ROWS)))
    runs = len(encode_photograph(sample))
    if runs < _MIN_SHARE * len(sample.getbands()) * sample.width * sample.height:
        return False
    ordinary = io.BytesIO()
    sample.save(ordinary, "PNG", compress_level=LEVEL)
    return runs <= _MAX_GROWTH * len(ordinary.getvalue())


def can_encode(image: Image.Image) -> bool:
    """Whether `encode_photograph` takes *image*."""
    return image.mode in _MODES and image.width * image.height <= _MAX_PIXELS


def encode_photograph(image: Image.Image) -> bytes:
    """Return a file with the pixels of *image*, and nothing else."""
    return bytes(png_encode(np.asarray(image), level=1, strategy=RUNS_ONLY, filter=PNG.FILTER.ALL))
