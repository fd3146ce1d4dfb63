"""Colors by the published numbers, computed without the engine: what an image of another color space is in sRGB."""

from typing import Any

import numpy as np
from PIL import Image
from skimage.color import deltaE_ciede2000, rgb2lab

Values = np.ndarray[Any, np.dtype[np.float64]]

# White, red, green, blue: x and y. ITU-R BT.709, SMPTE EG 432-1 with D65, ITU-R BT.2020, BT.470 System B, G.
_D65 = (0.3127, 0.3290)
PRIMARIES = {
    1: (_D65, (0.64, 0.33), (0.30, 0.60), (0.15, 0.06)),
    12: (_D65, (0.680, 0.320), (0.265, 0.690), (0.150, 0.060)),
    9: (_D65, (0.708, 0.292), (0.170, 0.797), (0.131, 0.046)),
    5: (_D65, (0.64, 0.33), (0.29, 0.60), (0.15, 0.06)),
}
"""By their number in ITU-T H.273."""


def to_srgb(image: Image.Image, primaries: int, exponent: float = 0.0) -> Values:
    """Return *image* in sRGB, in levels; its curve is a power with the *exponent*, without one that of sRGB."""
    values = np.asarray(image.convert("RGB"), dtype=np.float64) / 255
    light = values**exponent if exponent else srgb_to_light(values)
    return light_to_srgb(light @ matrix(primaries, 1).T)


def srgb_to_light(values: Values) -> Values:
    """Decode by IEC 61966-2-1."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def light_to_srgb(light: Values) -> Values:
    """Encode by IEC 61966-2-1, clipped, in levels."""
    light = np.clip(light, 0, 1)
    return 255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def matrix(source: int, target: int) -> Values:
    """Return the matrix between the linear light of two sets of primaries with the same white."""
    return np.linalg.inv(_to_xyz(target)) @ _to_xyz(source)


def _to_xyz(primaries: int) -> Values:
    white, *corners = (np.array([x / y, 1, (1 - x - y) / y]) for x, y in PRIMARIES[primaries])
    columns = np.stack(corners, axis=1)
    return columns * np.linalg.solve(columns, white)


def color_difference(image: Image.Image, expected: Values) -> float:
    """Return the mean CIEDE2000 between an image and levels of sRGB."""
    lab = rgb2lab(np.asarray(image.convert("RGB"))), rgb2lab(np.asarray(expected) / 255)
    return float(np.mean(deltaE_ciede2000(*lab)))
