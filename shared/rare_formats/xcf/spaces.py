"""The color spaces for blending and compositing: linear light, the curve of sRGB, and CIE L*a*b*."""

from collections.abc import Callable
from enum import IntEnum
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Plane: TypeAlias = NDArray[np.floating[Any]]
"""One value for each pixel."""
Color: TypeAlias = NDArray[np.floating[Any]]
"""One or three planes of 32-bit floats."""

_STEPS = 65535
_BEND, _BEND_IN_LIGHT = 0.04045, 0.0031308  # where the linear part of the curve of sRGB ends


class Space(IntEnum):
    """A color space, numbered as in the file."""

    LINEAR = 1
    PERCEPTUAL = 2
    LAB = 3


def _linear(values: Color) -> Color:
    """Decode the curve of sRGB to linear light."""
    high = np.power((np.maximum(values, _BEND) + 0.055) / 1.055, 2.4)
    return np.where(values <= _BEND, values / 12.92, high).astype(np.float32)


def _perceptual(values: Color) -> Color:
    """Encode linear light by the curve of sRGB."""
    high = np.power(np.maximum(values, _BEND_IN_LIGHT), 1 / 2.4) * 1.055 - 0.055
    return np.where(values <= _BEND_IN_LIGHT, values * 12.92, high).astype(np.float32)


_CURVES: dict[tuple[Space, Space], Callable[[Color], Color]] = {
    (Space.PERCEPTUAL, Space.LINEAR): _linear,
    (Space.LINEAR, Space.PERCEPTUAL): _perceptual,
}

# From linear sRGB to XYZ with the white point D50, as in color profiles; the middle row is the luminance.
_TO_XYZ = np.array(
    [[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]], np.float32
)
_FROM_XYZ = np.linalg.inv(_TO_XYZ).astype(np.float32)
_WHITE = _TO_XYZ.sum(axis=1).reshape(3, 1, 1)
_LAB_LINEAR_BELOW, _LAB_SLOPE = (6 / 29) ** 3, (29 / 6) ** 2 / 3


def converted(color: Color, source: Space, target: Space) -> Color:
    """Convert *color* to another space. Values are not clipped to 0 to 1; one plane means three equal ones."""
    if source is target:
        return color
    if source is Space.LAB:
        return converted(_from_lab(color), Space.LINEAR, target)
    if target is Space.LAB:
        return _to_lab(converted(color, source, Space.LINEAR))
    if color.size and color.min() >= 0 and color.max() <= 1:  # a table is several times as fast as a power
        looked_up: Color = _table(source, target)[(color * _STEPS + 0.5).astype(np.uint16)]
        return looked_up
    return _CURVES[source, target](color)


@lru_cache
def _table(source: Space, target: Space) -> Color:
    return _CURVES[source, target](np.linspace(0, 1, _STEPS + 1, dtype=np.float32))


def luminance(color: Color) -> Plane:
    """Return the weighted sum of red, green and blue."""
    if len(color) == 1:
        return np.asarray(color[0])
    weighted: Plane = np.tensordot(_TO_XYZ[1], color, 1)
    return weighted


def _to_lab(color: Color) -> Color:
    color = np.broadcast_to(color, (3, *color.shape[1:]))
    xyz = np.tensordot(_TO_XYZ, color, 1) / _WHITE
    bent = np.where(xyz > _LAB_LINEAR_BELOW, np.cbrt(xyz), xyz * _LAB_SLOPE + 4 / 29).astype(np.float32)
    x, y, z = bent
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)))


def _from_lab(color: Color) -> Color:
    y = (color[0] + 16) / 116
    bent = np.stack((y + color[1] / 500, y, y - color[2] / 200))
    xyz = np.where(bent > 6 / 29, bent**3, (bent - 4 / 29) / _LAB_SLOPE).astype(np.float32)
    return np.tensordot(_FROM_XYZ, xyz * _WHITE, 1).astype(np.float32)
