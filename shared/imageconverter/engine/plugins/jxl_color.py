"""Which color space the pixels of a JPEG XL image have, and the way to 8 bits."""

from dataclasses import dataclass

import numpy as np

from imageconverter.engine.plugins import libjxl
from imageconverter.engine.plugins.libjxl import BasicInfo, ColorEncoding, Decoder, Samples

_Cicp = tuple[int, int, int, int]
_BT709_PRIMARIES, _FULL_RANGE = 1, 1
# ITU-T H.273 by the primaries and the white point of libjxl.
_PRIMARIES = {
    (libjxl.SRGB_PRIMARIES, libjxl.D65): 1,
    (libjxl.BT2100_PRIMARIES, libjxl.D65): 9,
    (libjxl.P3_PRIMARIES, libjxl.DCI_WHITE): 11,
    (libjxl.P3_PRIMARIES, libjxl.D65): 12,
}
_DEEP = 8  # bits


@dataclass(frozen=True)
class Color:
    """The color space of decoded pixels: sRGB if nothing else is said."""

    cicp: _Cicp | None = None
    """By the numbers of H.273."""
    profile: bytes = b""
    """By an ICC profile."""
    is_hdr: bool = False
    """Whether its transfer function is PQ or HLG."""
    curve: Samples | None = None
    """What samples of 16 bits become at 8: with another curve than sRGB's, dark ones would become too few levels."""


def choose(decoder: Decoder, header: BasicInfo) -> Color:
    """Choose the color space that *decoder* will deliver, at COLOR_ENCODING.

    An image in the decoder's own color space can become any other, in floating point; its profile says only where it
    came from. Others are delivered as they are.
    """
    encoding = decoder.encoding()
    if encoding is not None and encoding.transfer in (libjxl.PQ, libjxl.HLG):
        return _hdr(decoder, header, encoding)
    if not header.uses_original_profile:
        space = libjxl.GRAY if header.color_channels == 1 else libjxl.RGB
        if decoder.convert(space, libjxl.SRGB_PRIMARIES, libjxl.SRGB):
            return Color()
    if encoding is not None and (primaries := _cicp_primaries(encoding)):
        cicp = None if primaries == _BT709_PRIMARIES else (primaries, libjxl.SRGB, 0, _FULL_RANGE)
        if encoding.transfer == libjxl.SRGB:
            return Color(cicp)
        if header.bits > _DEEP and (curve := _curve(encoding)) is not None:
            return Color(cicp, curve=curve)
    return Color(profile=decoder.profile())


def _hdr(decoder: Decoder, header: BasicInfo, encoding: ColorEncoding) -> Color:
    """Return a color space with the transfer function PQ or HLG."""
    primaries = _cicp_primaries(encoding) or libjxl.BT2100_PRIMARIES
    if not header.uses_original_profile and encoding.color_space == libjxl.RGB:
        decoder.convert(libjxl.RGB, libjxl.BT2100_PRIMARIES, encoding.transfer)
        primaries = libjxl.BT2100_PRIMARIES
    return Color((primaries, encoding.transfer, 0, _FULL_RANGE), is_hdr=True)


def _cicp_primaries(encoding: ColorEncoding) -> int:
    """Return the number of the primaries, 0 if they have none; gray has those of sRGB."""
    if encoding.color_space == libjxl.GRAY:
        return _BT709_PRIMARIES if encoding.white_point == libjxl.D65 else 0
    return _PRIMARIES.get((encoding.primaries, encoding.white_point), 0)


def _curve(encoding: ColorEncoding) -> Samples | None:
    """Return the table from 16-bit samples to 8-bit ones with sRGB's transfer function; None if they have that."""
    samples = np.arange(65536) / 65535
    match encoding.transfer:
        case libjxl.LINEAR:
            linear = samples
        case libjxl.GAMMA:
            linear = samples ** (1 / encoding.gamma)
        case libjxl.DCI:
            linear = samples**2.6
        case libjxl.BT709:
            linear = np.where(samples < 4.5 * 0.018, samples / 4.5, ((samples + 0.099) / 1.099) ** (1 / 0.45))
        case _:
            return None
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)  # noqa: PLR2004
    return (srgb * 255 + 0.5).astype(np.uint8)
