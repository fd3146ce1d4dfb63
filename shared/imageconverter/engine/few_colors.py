"""A palette or gray for images of few colors: PNG stores them in a third of the bytes, with equal pixels."""

from typing import NamedTuple

import numpy as np
from PIL import Image

_MAX_COLORS = 256
_MAX_PACKED = 16  # colors, of which a byte holds two or more pixels
_ROWS_AT_ONCE = 256
_OPAQUE = 255

Color = tuple[int, int, int, int]


class Compact(NamedTuple):
    """An image in the mode that takes the fewest bytes."""

    image: Image.Image
    transparency: bytes = b""
    """The alpha of the first colors of its palette; "" if all are opaque."""


def compact(image: Image.Image) -> Compact:
    """Return *image* in gray or with a palette if it is RGB or RGBA and has no more than 256 colors.

    Black and white become a bitmap if it is L.
    """
    if image.mode not in ("L", "RGB", "RGBA") or (found := image.getcolors(_MAX_COLORS)) is None:
        return Compact(image)
    if image.mode == "L":
        is_bilevel = {level for _, level in found} <= {0, _OPAQUE}
        return Compact(image.convert("1", dither=Image.Dither.NONE) if is_bilevel else image)
    colors = sorted({_rgba(color) for _, color in found}, key=lambda color: (color[3], color))
    if len(colors) > _MAX_PACKED and all(r == g == b and alpha == _OPAQUE for r, g, b, alpha in colors):
        return Compact(image.convert("L"))
    indexed = Image.fromarray(_indices(image, colors), "P")
    indexed.putpalette(bytes(level for color in colors for level in color[:3]))
    return Compact(indexed, bytes(color[3] for color in colors if color[3] < _OPAQUE))


def _rgba(color: float | tuple[int, ...]) -> Color:
    levels = color if isinstance(color, tuple) else (int(color),)
    gray_or_rgb, alpha = (levels, _OPAQUE) if len(levels) in (1, 3) else (levels[:-1], levels[-1])
    red, green, blue = gray_or_rgb * (3 // len(gray_or_rgb))
    return red, green, blue, alpha


def _indices(image: Image.Image, colors: list[Color]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Return the number of each pixel's color among *colors*."""
    packed = np.array(colors, np.uint8).view(np.uint32)[:, 0]
    order = np.argsort(packed)
    ascending, numbers = packed[order], order.astype(np.uint8)
    indices = np.empty((image.height, image.width), np.uint8)
    for top in range(0, image.height, _ROWS_AT_ONCE):  # for indices have eight bytes at first
        band = image.crop((0, top, image.width, min(image.height, top + _ROWS_AT_ONCE))).convert("RGBA")
        pixels = np.asarray(band).view(np.uint32)[..., 0]
        indices[top : top + band.height] = numbers[np.searchsorted(ascending, pixels)]
    return indices
