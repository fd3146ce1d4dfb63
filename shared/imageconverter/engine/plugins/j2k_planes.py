"""The components of a JPEG 2000 code stream as planes, each at its own resolution."""

from dataclasses import dataclass, field

import numpy as np

from imageconverter.engine import j2k
from imageconverter.engine.decoder_errors import raise_refusal
from imageconverter.engine.j2k import Area, Codestream, Component
from imageconverter.engine.plugins import openjpeg
from imageconverter.engine.plugins.decoded import Samples, to_levels

_MIN_TILE_BYTES = 14  # of a file: the marker segments that begin one
_BYTE, _WORD = 8, 16  # bits of a sample in memory; if there are more it takes four bytes


@dataclass
class Planes:
    """Decoded components; samples that are missing are 0."""

    samples: list[Samples]
    """Levels from 0 to 255, or indices of a palette."""
    missing: float | None = None
    """The share of the image that is missing, 0 if only detail is; None if the code stream is whole."""
    missing_detail: float = 0.0
    """The share of its bytes that are missing."""
    decoded: int = field(default=0, repr=False)
    """Pixels of the reference grid."""


def decode(data: bytes, start: int, codestream: Codestream, *, indices: frozenset[int], reduction: int) -> Planes:
    """Decode the *codestream* that begins at *start* of *data*, at 1/2^*reduction* of its scale.

    The components whose numbers are *indices* are not scaled to levels. Raises OSError if nothing can be decoded.
    """
    if codestream.tiles * _MIN_TILE_BYTES > 2 * len(data):
        raise OSError("most of its tiles are missing")
    areas = [j2k.scaled(codestream.area, (each.dx, each.dy), reduction) for each in codestream.components]
    planes = Planes([
        np.zeros((area[3] - area[1], area[2] - area[0]), np.uint16 if number in indices else np.uint8)
        for number, area in enumerate(areas)
    ])  # fmt: skip
    try:
        for tile in openjpeg.tiles(data, start, len(data), reduce=reduction):
            _add(planes, tile, codestream, areas, indices, reduction)
    except OSError as error:
        raise_refusal(error)
        if not planes.decoded:
            raise
        left, top, right, bottom = codestream.area
        planes.missing = max(0.0, 1 - planes.decoded / ((right - left) * (bottom - top)))
        expected = j2k.end_of_tiles(data, start) - start
        planes.missing_detail = max(0.0, 1 - (len(data) - start) / expected)
    return planes


def _add(
    planes: Planes,
    tile: openjpeg.Tile,
    codestream: Codestream,
    areas: list[Area],
    indices: frozenset[int],
    reduction: int,
) -> None:
    """Copy the samples of a *tile* to their places."""
    at = 0
    for number, component in enumerate(codestream.components):
        left, top, right, bottom = j2k.scaled(tile.area, (component.dx, component.dy), reduction)
        width, height = right - left, bottom - top
        size = width * height * _bytes(component)
        samples = tile.data[at : at + size].view(f"u{_bytes(component)}").reshape(height, width)
        at += size
        x, y = left - areas[number][0], top - areas[number][1]
        part = planes.samples[number][y : y + height, x : x + width]
        part[:] = _unsigned(samples, component) if number in indices else _levels(samples, component)
    left, top, right, bottom = tile.area
    planes.decoded += (right - left) * (bottom - top)


def _bytes(component: Component) -> int:
    return 1 if component.bits <= _BYTE else 2 if component.bits <= _WORD else 4


def _unsigned(samples: Samples, component: Component) -> Samples:
    """Move signed samples up, so that the least becomes 0."""
    if not component.is_signed:
        return samples
    kind = samples.dtype.type
    moved: Samples = (samples + kind(1 << (component.bits - 1))) & kind((1 << component.bits) - 1)
    return moved


def _levels(samples: Samples, component: Component) -> Samples:
    maximum, unsigned = (1 << component.bits) - 1, _unsigned(samples, component)
    if component.bits <= _WORD:
        return to_levels(unsigned, maximum)
    return np.minimum(unsigned * (255 / maximum) + 0.5, 255).astype(np.uint8)
