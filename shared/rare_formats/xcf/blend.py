"""The blend functions of the layer modes: the color where layer and backdrop overlap, before opacity is applied.

Every function takes and returns colors of one or three planes, mostly between 0 and 1, without alpha. The formulas
are those of GIMP 2.10 (app/operations/layer-modes/gimpoperationlayermode-blend.c), implemented independently.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from rare_formats.xcf.spaces import Color, Plane, luminance

Blend: TypeAlias = Callable[[Color, Color], Color]

_TINY = 1e-6
# Below this chroma a pixel is gray, and its hue is noise of the arithmetic. (GIMP uses that noise as a hue.)
_MIN_CHROMA = 0.05
_MIDDLE = 0.5
# The legacy modes compute with bytes, whose middle is 128.
_OLD_MIDDLE = 128 / 255


def _quotient(dividend: Color, divisor: Color) -> Color:
    """Divide with a bounded result; a dividend close to 0 gives 0."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        quotient = np.clip(dividend / divisor, -1 / _TINY, 1 / _TINY)
    return np.where(np.abs(dividend) > _TINY, quotient, 0).astype(np.float32)


def _minimum(color: Color) -> Plane:
    minimum: Plane = color.min(axis=0)
    return minimum


def _maximum(color: Color) -> Plane:
    maximum: Plane = color.max(axis=0)
    return maximum


def normal(_base: Color, layer: Color) -> Color:
    """Replace the backdrop."""
    return layer


def multiply(base: Color, layer: Color) -> Color:
    """Multiply: darken like slides on top of each other."""
    return base * layer


def screen(base: Color, layer: Color) -> Color:
    """Multiply the inverses: lighten like two projectors."""
    return 1 - (1 - base) * (1 - layer)


def overlay(base: Color, layer: Color) -> Color:
    """Multiply if the backdrop is dark, screen if it is light."""
    return np.where(base < _MIDDLE, 2 * base * layer, 1 - 2 * (1 - layer) * (1 - base))


def difference(base: Color, layer: Color) -> Color:
    """Return the absolute difference."""
    return np.abs(base - layer)


def addition(base: Color, layer: Color) -> Color:
    """Add."""
    return base + layer


def subtract(base: Color, layer: Color) -> Color:
    """Subtract the layer from the backdrop."""
    return base - layer


def darken(base: Color, layer: Color) -> Color:
    """Return the smaller of each component."""
    return np.minimum(base, layer)


def lighten(base: Color, layer: Color) -> Color:
    """Return the larger of each component."""
    return np.maximum(base, layer)


def divide(base: Color, layer: Color) -> Color:
    """Divide the backdrop by the layer."""
    return _quotient(base, layer)


def dodge(base: Color, layer: Color) -> Color:
    """Divide the backdrop by the inverse of the layer."""
    return _quotient(base, 1 - layer)


def burn(base: Color, layer: Color) -> Color:
    """Divide the inverse of the backdrop by the layer."""
    return 1 - _quotient(1 - base, layer)


def hard_light(base: Color, layer: Color, middle: float = _MIDDLE) -> Color:
    """Multiply if the layer is dark, screen if it is light."""
    light = 1 - (1 - base) * (1 - (layer - middle) * 2)
    return np.minimum(np.where(layer > middle, light, 2 * base * layer), 1)


def old_hard_light(base: Color, layer: Color) -> Color:
    """Do the same around the middle of a byte."""
    return hard_light(base, layer, _OLD_MIDDLE)


def soft_light(base: Color, layer: Color) -> Color:
    """Mix multiply and screen, weighted by the backdrop."""
    return (1 - base) * (base * layer) + base * screen(base, layer)


def grain_extract(base: Color, layer: Color, middle: float = _MIDDLE) -> Color:
    """Subtract, around the middle."""
    return base - layer + np.float32(middle)


def old_grain_extract(base: Color, layer: Color) -> Color:
    """Do the same around the middle of a byte."""
    return grain_extract(base, layer, _OLD_MIDDLE)


def grain_merge(base: Color, layer: Color, middle: float = _MIDDLE) -> Color:
    """Add, around the middle."""
    return base + layer - np.float32(middle)


def old_grain_merge(base: Color, layer: Color) -> Color:
    """Do the same around the middle of a byte."""
    return grain_merge(base, layer, _OLD_MIDDLE)


def vivid_light(base: Color, layer: Color) -> Color:
    """Burn if the layer is dark, dodge if it is light."""
    dark, light = burn(base, 2 * layer), _quotient(base, 2 * (1 - layer))
    return np.where(layer <= _MIDDLE, np.maximum(dark, 0), np.minimum(light, 1))


def pin_light(base: Color, layer: Color) -> Color:
    """Darken if the layer is dark, lighten if it is light."""
    return np.where(layer > _MIDDLE, np.maximum(base, 2 * layer - 1), np.minimum(base, 2 * layer))


def linear_light(base: Color, layer: Color) -> Color:
    """Add twice the layer, around the middle."""
    return base + 2 * layer - 1


def hard_mix(base: Color, layer: Color) -> Color:
    """Return 0 or 1 for each component."""
    return (base + layer >= 1 - _TINY).astype(np.float32)


def exclusion(base: Color, layer: Color) -> Color:
    """Return the difference with less contrast."""
    return 0.5 - 2 * (base - 0.5) * (layer - 0.5)


def linear_burn(base: Color, layer: Color) -> Color:
    """Add, and subtract 1."""
    return base + layer - 1


def luma_darken(base: Color, layer: Color) -> Color:
    """Return the pixel of the smaller luminance."""
    return np.where(luminance(base) <= luminance(layer), base, layer)


def luma_lighten(base: Color, layer: Color) -> Color:
    """Return the pixel of the larger luminance."""
    return np.where(luminance(base) >= luminance(layer), base, layer)


def luminance_of_layer(base: Color, layer: Color) -> Color:
    """Give the backdrop the luminance of the layer."""
    return base * _quotient(luminance(layer), luminance(base))


def hsv_hue(base: Color, layer: Color) -> Color:
    """Give the backdrop the hue of the layer, if the layer has one."""
    spread = _maximum(layer) - _minimum(layer)
    ratio = (_maximum(base) - _minimum(base)) / np.maximum(spread, _TINY)
    return np.where(spread > _TINY, layer * ratio + (_maximum(base) - _maximum(layer) * ratio), base)


def hsv_saturation(base: Color, layer: Color) -> Color:
    """Give the backdrop the saturation of the layer."""
    maximum, spread = _maximum(base), _maximum(base) - _minimum(base)
    saturation = _quotient(_maximum(layer) - _minimum(layer), _maximum(layer))
    ratio = saturation * maximum / np.maximum(spread, _TINY)
    return np.where(spread > _TINY, base * ratio + (1 - ratio) * maximum, maximum)


def old_hsv_saturation(base: Color, layer: Color) -> Color:
    """Do the same, with red as the hue of a gray backdrop."""
    saturated = hsv_saturation(base, layer)
    if len(base) == 1:
        return saturated
    maximum = _maximum(base)
    rest = maximum * (1 - _quotient(_maximum(layer) - _minimum(layer), _maximum(layer)))
    return np.where(maximum - _minimum(base) > _TINY, saturated, np.stack((maximum, rest, rest)))


def hsv_value(base: Color, layer: Color) -> Color:
    """Give the backdrop the value of the layer."""
    maximum, value = _maximum(base), _maximum(layer)
    return np.where(np.abs(maximum) > _TINY, base * _quotient(value, maximum), value)


def hsl_color(base: Color, layer: Color) -> Color:
    """Give the backdrop the hue and the saturation of the layer."""
    lightness = (_maximum(base) + _minimum(base)) / 2
    own = (_maximum(layer) + _minimum(layer)) / 2
    reach, own_reach = np.minimum(lightness, 1 - lightness), np.minimum(own, 1 - own)
    ratio = reach / np.maximum(own_reach, _TINY)
    offset = np.where(lightness > _MIDDLE, 1 - 2 * reach, 0) + np.where(own > _MIDDLE, 2 * reach - ratio, 0)
    return np.where(own_reach > _TINY, layer * ratio + offset, lightness)


def lch_hue(base: Color, layer: Color) -> Color:
    """Give the backdrop the hue of the layer, in L*a*b*."""
    chroma = np.hypot(layer[1], layer[2])
    ratio = np.hypot(base[1], base[2]) / np.maximum(chroma, _TINY)
    colored = chroma > _MIN_CHROMA
    return np.stack((base[0], *(np.where(colored, layer[axis] * ratio, base[axis]) for axis in (1, 2))))


def lch_chroma(base: Color, layer: Color) -> Color:
    """Give the backdrop the chroma of the layer, in L*a*b*."""
    chroma = np.hypot(base[1], base[2])
    ratio = np.where(chroma > _MIN_CHROMA, np.hypot(layer[1], layer[2]) / np.maximum(chroma, _TINY), 1)
    return np.stack((base[0], base[1] * ratio, base[2] * ratio))


def lch_color(base: Color, layer: Color) -> Color:
    """Give the backdrop the hue and the chroma of the layer, in L*a*b*."""
    return np.stack((base[0], layer[1], layer[2]))


def lch_lightness(base: Color, layer: Color) -> Color:
    """Give the backdrop the lightness of the layer, in L*a*b*."""
    return np.stack((layer[0], base[1], base[2]))


def erased_share(base: Color, color: Color) -> tuple[Color, Plane]:
    """Remove *color* from the backdrop: return the rest and the alpha with which it looks the same on *color*."""
    inside, out = np.clip(base, 0, 1), np.clip(color, 0, 1)
    shares = np.where(inside > out, _quotient(inside - out, 1 - out), _quotient(out - inside, out))
    share = np.clip(shares.max(axis=0), 0, 1)
    rest = (base - color) / np.maximum(share, _TINY) + color
    return np.where(share > _TINY, rest, 0).astype(np.float32), share
