"""The mask of an image with rounded corners."""

import math

import numpy as np
from PIL import Image

from imageconverter.engine.geometry import Size

_ROWS_AT_ONCE = 256
_OPAQUE = 255


def corner_mask(size: Size, radius: float) -> Image.Image:
    """Return how much of each pixel is inside of a rectangle of *size* with corners of *radius*, from 0 to 255.

    A radius is at most half of the shorter side.
    """
    radius = min(radius, min(size) / 2)
    corner = _corner(radius)
    mask = Image.new("L", size, _OPAQUE)
    mirrored = corner.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    right, bottom = size[0] - corner.width, size[1] - corner.height
    mask.paste(corner, (0, 0))
    mask.paste(mirrored, (right, 0))
    mask.paste(corner.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (0, bottom))
    mask.paste(mirrored.transpose(Image.Transpose.FLIP_TOP_BOTTOM), (right, bottom))
    return mask


def _corner(radius: float) -> Image.Image:
    """Return the top left corner: a pixel on the edge is covered by as much as its middle is inside, plus a half."""
    side = math.ceil(radius)
    corner = np.empty((side, side), np.uint8)
    distance = radius - 0.5 - np.arange(side, dtype=np.float32)  # of the middles, from that of the circle
    for top in range(0, side, _ROWS_AT_ONCE):
        band = np.hypot(distance[None, :], distance[top : top + _ROWS_AT_ONCE, None])
        corner[top : top + _ROWS_AT_ONCE] = np.clip(radius + 0.5 - band, 0, 1) * _OPAQUE + 0.5
    return Image.fromarray(corner)
