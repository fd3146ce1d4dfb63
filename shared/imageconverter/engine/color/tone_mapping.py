"""Images of high dynamic range (PQ and HLG of ITU-R BT.2100) become sRGB.

The tone mapping is the Reference White Tone Mapping Operator of SMPTE ST 2094-50 for a display without headroom,
which Chromium applies too: reference white is 203 nits (ITU-R BT.2408), light up to it is scaled, and a curve
compresses what is above it up to the peak of the image. It is applied to the greatest of the three channels in the
primaries of BT.2020, so that hues stay; colors outside of sRGB are clipped.
"""

import math
from dataclasses import dataclass
from functools import lru_cache, reduce
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine.color.primaries import BT709, BT2020, Primaries
from imageconverter.engine.color.transfer import HLG, Values, hlg_to_scene, pq_to_nits, srgb_encoded

REFERENCE_WHITE, DEFAULT_PEAK = 203.0, 1000.0  # nits
_HLG_GAMMA = 1.2  # of the display with the default peak (BT.2100, note 5f)
_BT2020_LUMINANCE = (0.2627, 0.6780, 0.0593)
_DARKEST_WHITE = 0.5  # share of the output's range that is left for reference white
_BEND = 0.65  # where the curve bends, between its start and the corner of the two tangents
_STRIP_PIXELS = 1 << 17
_ENCODED_STEPS = 1 << 16
_EIGHT_BITS = 255
_COLOR_CHANNELS = {1: 1, 2: 1, 3: 3, 4: 3}

Samples = np.ndarray[Any, np.dtype[np.unsignedinteger[Any]]]
Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Floats = np.ndarray[Any, np.dtype[np.float32]]


@dataclass(frozen=True)
class HighDynamicRange:
    """What the values of an image of high dynamic range mean."""

    transfer: int
    """`transfer.PQ` or `transfer.HLG`."""
    primaries: Primaries = BT2020
    peak: float = DEFAULT_PEAK
    """Luminance of the brightest pixel in nits; used for PQ only."""


def to_sdr(image: Image.Image, meant: HighDynamicRange) -> Image.Image:
    """Return *image* (L, LA, RGB or RGBA) in sRGB; the alpha channel is kept."""
    return Image.fromarray(levels_of(np.asarray(image), _EIGHT_BITS, meant))


def levels_of(samples: Samples, maximum: int, meant: HighDynamicRange) -> Bytes:
    """Return the levels of sRGB for *samples* from 0 to *maximum*: gray, or with two to four channels.

    The second and the fourth channel are alpha.
    """
    pixels = samples.reshape(-1, 1 if samples.ndim == 2 else samples.shape[2])  # noqa: PLR2004 - no channels
    colors = _COLOR_CHANNELS[pixels.shape[1]]
    made = np.empty(pixels.shape, np.uint8)
    light = _light(meant.transfer, maximum)
    for start in range(0, len(pixels), _STRIP_PIXELS):
        strip = slice(start, start + _STRIP_PIXELS)
        made[strip, :colors] = _mapped(np.take(light, pixels[strip, :colors], axis=0, mode="clip"), meant)
        if colors < pixels.shape[1]:
            made[strip, colors] = (pixels[strip, colors] * (_EIGHT_BITS / maximum) + 0.5).clip(0, _EIGHT_BITS)
    return made.reshape(samples.shape)


def _mapped(light: Floats, meant: HighDynamicRange) -> Bytes:
    """Map rows of linear light, in reference whites, with one or three channels."""
    if light.shape[1] > 1:
        light = light @ _matrix(meant.primaries, BT2020)
    if meant.transfer == HLG:
        scene = light @ np.array(_BT2020_LUMINANCE, dtype=np.float32) if light.shape[1] > 1 else light[:, 0]
        light *= np.maximum(scene, 0)[:, None] ** np.float32(_HLG_GAMMA - 1)
        light *= np.float32(DEFAULT_PEAK / REFERENCE_WHITE)
    peak = DEFAULT_PEAK if meant.transfer == HLG else meant.peak
    if peak > REFERENCE_WHITE:
        light *= _gains(reduce(np.maximum, light.T), peak / REFERENCE_WHITE)[:, None]  # `max` takes 15 times as long
    if light.shape[1] > 1:
        light = light @ _matrix(BT2020, BT709)
    light *= np.float32(_ENCODED_STEPS - 1)
    return np.take(_encoded(), light.astype(np.int32), mode="clip")


def _gains(brightest: Floats, peak: float) -> Floats:
    """Return what pixels are multiplied with for their *brightest* channel; few are above reference white."""
    gains = np.full_like(brightest, _white(peak))
    above = np.flatnonzero(brightest > 1)
    gains[above] = reference_white_curve(brightest[above], peak) / brightest[above]
    return gains


def reference_white_curve(light: Values, peak: float) -> Values:
    """Map *light* (reference white is 1) to the range 0 to 1; *peak*, above 1, becomes 1."""
    white = _white(peak)
    # A quadratic Bézier curve from (1, white) to (peak, 1), solved for the parameter of each x.
    x_bend, y_bend = 1 - _BEND + _BEND / white, (1 - _BEND) * white + _BEND
    square, double = 1 - 2 * x_bend + peak, 2 * x_bend - 2
    rest = np.clip(light, 1, peak) - 1
    t = 2 * rest / np.maximum(double + np.sqrt(np.maximum(double**2 + 4 * square * rest, 0)), 1e-9)
    bent = white + t * (2 * (y_bend - white) + t * (white - 2 * y_bend + 1))
    made: Values = np.where(light <= 1, light * white, bent)
    return made


def _white(peak: float) -> float:
    """Return what reference white becomes."""
    headroom = math.log2(peak) / math.log2(DEFAULT_PEAK / REFERENCE_WHITE)
    return 1 - (1 - _DARKEST_WHITE) * min(headroom, 1)


@lru_cache(maxsize=4)
def _light(transfer: int, maximum: int) -> Floats:
    """Return the linear light of each value: of the display in reference whites, for HLG of the scene."""
    values = np.arange(maximum + 1) / maximum
    light = hlg_to_scene(values) if transfer == HLG else pq_to_nits(values) / REFERENCE_WHITE
    return light.astype(np.float32)


@lru_cache(maxsize=16)
def _matrix(source: Primaries, target: Primaries) -> Floats:
    """Return a matrix to multiply rows of linear light with."""
    return source.to(target).T.astype(np.float32)


@lru_cache(maxsize=1)
def _encoded() -> Bytes:
    """Return the 8-bit value of sRGB for each step of linear light."""
    return np.rint(srgb_encoded(np.linspace(0, 1, _ENCODED_STEPS)) * 255).astype(np.uint8)
