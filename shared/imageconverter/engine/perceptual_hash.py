"""A hash of which most bits are the same for images that look alike.

pHash by its usual definition, which the package `ImageHash` has as well (`imagehash.phash`): the signs of the 8 x 8
lowest frequencies of 32 x 32 grays beside their median.
"""

import math

import numpy as np
from PIL import Image

_SIDE, _LOWEST = 32, 8
_MIDDLE = slice(_LOWEST**2 // 2 - 1, _LOWEST**2 // 2 + 1)
_MIN_CONTRAST = 2  # standard deviation of the grays; with less, noise decides on the bits
_PHASES = math.pi / (2 * _SIDE) * np.outer(np.arange(_LOWEST), 2 * np.arange(_SIDE) + 1)
_COSINES = np.cos(_PHASES)  # the rows of a discrete cosine transform (DCT-II)


def perceptual_hash(image: Image.Image) -> str:
    """Return the hash of L, LA, RGB or RGBA in 16 hexadecimal digits; "" if the image has hardly any contrast.

    What is transparent counts as white, because that is what a shop shows it on.
    """
    if image.mode in ("LA", "RGBA"):
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    grays = np.asarray(image.convert("L").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), np.float64)
    if grays.std() < _MIN_CONTRAST:
        return ""
    lowest = _COSINES @ grays @ _COSINES.T
    # Not by numpy.median, which imports a module when it is called: the sandbox refuses that.
    median = np.sort(lowest, axis=None)[
        _MIDDLE
    ].mean()  # not by numpy.median, which imports a module when it is called
    return np.packbits(lowest > median).tobytes().hex()
