"""The spot colors of a multichannel PSD: how each of its channels is shown.

Specification: Adobe Photoshop File Formats Specification (November 2019), DisplayInfo. It does not say which white
Lab is relative to: Photoshop stores sRGB's cyan, magenta and yellow as they are relative to D65. Inks are mixed by
multiplying what they let through, as in KImageFormats, so that these three are the complements of RGB.
"""

import struct
from collections.abc import Iterable

import numpy as np
from PIL import Image, ImageChops

from imageconverter.engine.plugins.linear import levels_of_light

Ink = tuple[int, ...]
"""The color of full ink in sRGB."""

_VERSION_BYTES, _ENTRY = 4, struct.Struct(">h4hHB")
_RGB, _CMYK, _LAB, _GRAY = 0, 2, 7, 8  # color spaces
_SPOT = 2  # kind of a channel
_MAX_INKS = 64
_D65 = (0.9505, 1.0, 1.089)
# From XYZ to linear RGB (IEC 61966-2-1, annex F).
_TO_RGB = ((3.2406, -1.5372, -0.4986), (-0.9689, 1.8758, 0.0415), (0.0557, -0.2040, 1.0570))


def inks(display: bytes) -> list[Ink | None]:
    """Read the ink of each channel from the resource DisplayInfo; None if it is a selection or its color unknown."""
    found: list[Ink | None] = []
    end = min(len(display) - _ENTRY.size, _VERSION_BYTES + _MAX_INKS * _ENTRY.size)
    for at in range(_VERSION_BYTES, end + 1, _ENTRY.size):
        space, *values, _, kind = _ENTRY.unpack_from(display, at)
        found.append(_ink(space, values) if kind == _SPOT else None)
    return found


def mixed(channels: Iterable[tuple[Image.Image, Ink]], size: tuple[int, int]) -> Image.Image:
    """Return white paper with all inks on it; *channels* are of mode L, 255 where there is no ink."""
    bands = list(Image.new("RGB", size, (255, 255, 255)).split())
    for channel, ink in channels:
        for number, level in enumerate(ink):
            let_through = channel.point([255 - round((255 - amount) * (255 - level) / 255) for amount in range(256)])
            bands[number] = ImageChops.multiply(bands[number], let_through)
    return Image.merge("RGB", bands)


def _ink(space: int, values: list[int]) -> Ink | None:
    """Convert a color; its values have 16 bits, in CMYK 0 is full ink, those of Lab are hundredths."""
    levels = [(value & 0xFFFF) >> 8 for value in values]
    if space == _LAB:
        return _of_lab(*(value / 100 for value in values[:3]))
    if space == _CMYK:
        return tuple(level * levels[3] // 255 for level in levels[:3])
    if space == _GRAY:
        level = min(values[0] & 0xFFFF, 10_000) * 255 // 10_000
        return (255 - level,) * 3
    return tuple(levels[:3]) if space == _RGB else None


def _of_lab(lightness: float, a: float, b: float) -> Ink:
    """Convert CIELab; colors outside of sRGB are clipped."""
    middle = (lightness + 16) / 116
    bent = np.array([middle + a / 500, middle, middle - b / 200])
    relative = np.where(bent > 6 / 29, bent**3, (bent - 4 / 29) * 3 * (6 / 29) ** 2)  # CIE 015, section 8.2.1
    return tuple(levels_of_light(np.array(_TO_RGB) @ (relative * _D65)).tolist())
