"""Pixels of XCF files for tests, and the results of the plugin."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from rare_formats.xcf import XcfImageFile
from tests.testing.xcf_files import (
    Layer,
    xcf,
)  # fmt: skip

WIDTH, HEIGHT = 70, 66  # two tiles in both directions, the second one narrow
SIZE = (WIDTH, HEIGHT)


def patterned(channels: int = 3) -> NDArray[np.uint8]:
    """Return runs and noise; no pixel is fully transparent, because the color of such pixels is not kept."""
    random = np.random.default_rng(7)
    photo = random.integers(0, 256, (HEIGHT, WIDTH, channels), np.uint8)
    photo[:20] = photo[:20, :1]
    photo[30:34, 5:] = 9
    photo[..., -1] |= channels in (2, 4)
    return photo


def flat(*color: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Return pixels of one color."""
    return np.full((height, width, len(color)), color, np.uint8)


def opened(data: bytes) -> Image.Image:
    """Open a file with the plugin and load it."""
    image = Image.open(io.BytesIO(data), formats=[XcfImageFile.format])
    image.load()
    return image


def pixels_of(data: bytes, mode: str = "RGB") -> NDArray[np.uint8]:
    """Return the pixels of a file, whose mode must be *mode*."""
    image = opened(data)
    assert image.mode == mode
    return np.asarray(image)


def color_of(*layers: Layer, mode: str = "RGB", **fields: Any) -> list[int]:
    """Return the single color of an image of flat layers."""
    pixels = pixels_of(xcf(layers, SIZE, **fields), mode)
    assert (pixels == pixels[0, 0]).all()
    return [int(level) for level in np.atleast_1d(pixels[0, 0])]
