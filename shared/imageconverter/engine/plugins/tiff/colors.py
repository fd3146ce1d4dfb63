"""What the samples of a TIFF mean: the scale of each channel, and an image of the levels."""

import math
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

from imageconverter.engine.color import to_srgb
from imageconverter.engine.plugins.tiff.layout import Layout
from imageconverter.engine.plugins.tiff.levels import Levels, Scale, Segments, find_range
from imageconverter.engine.tiff_directory import Directory

_COLOR_MAP, _COEFFICIENTS, _REFERENCE, _NO_DATA = 320, 529, 532, 42113
_TABLE_BITS = 16
_BT601 = (0.299, 0.587, 0.114)
_FULL_RANGE = (0.0, 255.0, 128.0, 255.0, 128.0, 255.0)
_BLOCK_ROWS = 64
_MODES = {1: "L", 3: "RGB", 4: "CMYK"}


def scales(layout: Layout, directory: Directory, decode: Callable[[], Segments]) -> list[Scale]:
    """Return the scale of each channel, of which a palette makes three; *decode* is called if the range is not known.

    Raises ValueError if there is no palette.
    """
    colors = [channel for channel in layout.channels if channel != layout.alpha]
    if layout.color == "palette":
        made = [Scale(0, table) for table in _palette(directory, layout.bits)]
    elif layout.color in ("cielab", "icclab", "itulab"):
        made = [_lab_scale(layout, channel) for channel in colors]
    elif layout.kind == "unsigned" and layout.bits <= _TABLE_BITS:
        is_plain = layout.bits in (8, 16) and layout.color != "white"
        table = None if is_plain else _table(layout.bits, inverted=layout.color == "white")
        made = [Scale(channel, table) for channel in colors]
    else:
        low, high = find_range(layout, decode, _no_data(directory)).ends(layout.kind, layout.bits)
        ends = (high, low) if layout.color == "white" else (low, high)
        made = [Scale(channel, ends=ends) for channel in colors]
    return made if layout.alpha is None else [*made, _alpha_scale(layout, layout.alpha)]


def image(layout: Layout, directory: Directory, levels: Levels, profile: bytes | None) -> Image.Image:
    """Return an image of a mode that the engine knows, with straight alpha.

    What has a color space that no such mode has, or that has none with alpha, is converted to sRGB; *profile* is used
    then, and only then.
    """
    has_alpha = layout.alpha is not None
    colors = levels.shape[2] - has_alpha
    if layout.color == "cmy":
        levels[:, :, :colors] ^= 255
    alpha = Image.fromarray(levels[:, :, -1]) if has_alpha else None
    if layout.color == "ycbcr":
        made = _rgb_of_ycbcr(levels, directory)
    elif alpha is not None and colors in (1, 3) and not _is_lab(layout):
        mode = "L" if colors == 1 else "RGB"
        return _of_levels(mode + ("a" if layout.associated else "A"), levels).convert(mode + "A")
    elif _is_lab(layout):
        made = Image.merge("LAB", [Image.fromarray(levels[:, :, channel]) for channel in range(3)])
    else:
        made = _of_levels(_MODES[colors], levels[:, :, :colors])
    if alpha is None:
        return made
    if layout.associated:
        channels = (Image.merge("La", (channel, alpha)).convert("LA").getchannel("L") for channel in made.split())
        made = Image.merge(made.mode, [*channels])
    made = to_srgb(made, profile)
    made.putalpha(alpha)
    return made


def _of_levels(mode: str, levels: Levels) -> Image.Image:
    pixels = np.ascontiguousarray(levels)
    return Image.frombuffer(mode, (pixels.shape[1], pixels.shape[0]), pixels, "raw", mode, 0, 1)


def keeps_profile(layout: Layout) -> bool:
    """Whether `image` leaves it to the engine to apply the profile."""
    return layout.alpha is None or not (layout.color == "cmyk" or _is_lab(layout))


def _is_lab(layout: Layout) -> bool:
    return layout.color in ("cielab", "icclab", "itulab")


@lru_cache(maxsize=4)
def _table(bits: int, *, inverted: bool) -> Levels:
    highest = (1 << bits) - 1
    values = np.arange(highest + 1, dtype=np.uint32)
    table: Levels = ((values * 510 + highest) // (2 * highest)).astype(np.uint8)
    return table[::-1].copy() if inverted else table


def _alpha_scale(layout: Layout, sample: int) -> Scale:
    if layout.kind == "float":
        return Scale(sample, ends=(0.0, 1.0))
    if layout.kind == "unsigned" and layout.bits <= _TABLE_BITS:
        return Scale(sample, None if layout.bits in (8, 16) else _table(layout.bits, inverted=False))
    return Scale(sample, ends=(0.0, float((1 << layout.bits - (layout.kind == "signed")) - 1)))


def _palette(directory: Directory, bits: int) -> list[Levels]:
    """Return the tables of red, green and blue; values that all are below 256 are levels already."""
    count = 1 << bits
    values = directory.integers(_COLOR_MAP, at_most=3 * count)
    if len(values) < 3:  # noqa: PLR2004 - not a single color
        raise ValueError("it has no palette")
    entries = len(values) // 3
    found = np.array(values[: 3 * entries], np.int64).reshape(3, entries)
    found = found if found.max() < 256 else (found + 128) // 257  # noqa: PLR2004
    tables = np.zeros((3, count), np.uint8)
    tables[:, :entries] = found.clip(0, 255)
    return [*tables]


def _lab_scale(layout: Layout, channel: int) -> Scale:
    """Return the scale to the levels of the mode LAB: L* times 2.55, and 128 more than a* or b*."""
    if layout.kind == "float":
        return Scale(channel, ends=(0.0, 100.0) if channel == 0 else (-128.0, 127.0))
    bits = min(layout.bits, _TABLE_BITS)
    values = np.arange(1 << bits, dtype=np.float64)
    unit = 2.0 ** (bits - 8)
    if layout.color == "icclab":  # 16 bits of L* end at 0xFF00
        levels = values / unit
    elif channel == 0:
        levels = values * 255 / values[-1]
    elif layout.color == "cielab":  # two's complement
        levels = np.where(values < len(values) / 2, values, values - len(values)) / unit + 128
    else:  # ITU-T T.42: a* from -85 to 85, b* from -75 to 125
        levels = (values / unit - (128 if channel == 1 else 96)) * (170 if channel == 1 else 200) / 255 + 128
    return Scale(channel, (levels + 0.5).clip(0, 255).astype(np.uint8))


def _no_data(directory: Directory) -> float:
    """Return the value that GDAL writes for pixels without one; NaN if there is none."""
    try:
        return float(directory.data(_NO_DATA).split(b"\0")[0].decode("ascii"))
    except ValueError:
        return math.nan


def _rgb_of_ycbcr(levels: Levels, directory: Directory) -> Image.Image:
    """Convert Y, Cb and Cr by the coefficients and the range that the directory gives."""
    red, green, blue = (*directory.numbers(_COEFFICIENTS), 0, 0, 0)[:3]
    reference = tuple(map(float, directory.numbers(_REFERENCE)))
    if len(reference) < 6 or not all(reference[at] < reference[at + 1] for at in (0, 2, 4)):  # noqa: PLR2004
        reference = _FULL_RANGE
    if min(red, green, blue) <= 0:
        red, green, blue = _BT601
    usual = all(abs(a - b) < 0.001 for a, b in zip((red, green, blue), _BT601, strict=True))  # noqa: PLR2004
    if usual and reference == _FULL_RANGE:
        return _of_levels("YCbCr", levels[:, :, :3]).convert("RGB")
    made = np.empty((*levels.shape[:2], 3), np.uint8)
    black, white, blue_zero, blue_end, red_zero, red_end = reference
    for top in range(0, len(levels), _BLOCK_ROWS):
        part = levels[top : top + _BLOCK_ROWS, :, :3].astype(np.float32)
        y = (part[..., 0] - black) * (255 / (white - black))
        cb = (part[..., 1] - blue_zero) * (127 / (blue_end - blue_zero))
        cr = (part[..., 2] - red_zero) * (127 / (red_end - red_zero))
        r, b = y + cr * (2 - 2 * red), y + cb * (2 - 2 * blue)
        g = (y - red * r - blue * b) / green
        made[top : top + _BLOCK_ROWS] = (np.stack([r, g, b], axis=-1) + 0.5).clip(0, 255)
    return Image.fromarray(made)
