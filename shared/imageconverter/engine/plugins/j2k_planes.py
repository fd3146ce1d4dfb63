"""The components of a JPEG 2000 code stream as planes, each at its own resolution."""

from dataclasses import dataclass

import numpy as np

from imageconverter.engine import j2k
from imageconverter.engine.decoder_errors import raise_refusal
from imageconverter.engine.j2k import Area, Codestream, Component
from imageconverter.engine.plugins import openjpeg
from imageconverter.engine.plugins.decoded import Samples, to_levels

_MIN_TILE_BYTES = 14  # of a file: the marker segments that begin one
_MAX_BLOCKS = 4_000_000  # for each of which OpenJPEG takes some hundred bytes
_BYTE, _WORD = 8, 16  # bits of a sample in memory; if there are more it takes four bytes


@dataclass
class Planes:
    """Decoded components; samples that are missing are 0."""

    samples: dict[int, Samples]
    """Levels from 0 to 255, or indices of a palette, of each component that is needed."""
    missing: float | None = None
    """The share of the image that is missing, 0 if only detail is; None if the code stream is whole."""
    missing_detail: float = 0.0
    """The share of its bytes that are missing."""


class PlaneDecoder:
    """Decodes the components of a code stream that are needed."""

    def __init__(
        self, codestream: Codestream, used: frozenset[int], indices: frozenset[int], reduction: int = 0
    ) -> None:
        """Prepare to decode the *used* components at 1/2^*reduction* of the scale; *indices* are kept as they are."""
        self._codestream, self._indices, self._reduction = codestream, indices, reduction
        self._areas = {number: self._scaled(codestream.area, number) for number in used}
        self._decoded = 0

    def decode(self, data: bytes, start: int) -> Planes:
        """Decode the code stream that begins at *start* of *data*. Raises OSError if nothing can be decoded."""
        if max(self._codestream.tiles * _MIN_TILE_BYTES, self._codestream.precincts) > 2 * len(data):
            raise OSError("most of it is missing")
        if self._codestream.blocks > _MAX_BLOCKS:
            raise MemoryError
        planes = Planes({})
        for number, (left, top, right, bottom) in self._areas.items():
            kind = np.uint16 if number in self._indices else np.uint8
            planes.samples[number] = np.zeros((bottom - top, right - left), kind)
        try:
            for tile in openjpeg.tiles(data, start, len(data), reduce=self._reduction):
                self._add(planes, tile)
        except OSError as error:
            raise_refusal(error)
            if not self._decoded:
                raise
            planes.missing = max(0.0, 1 - self._decoded / _pixels(self._codestream.area))
            planes.missing_detail = max(0.0, 1 - (len(data) - start) / (j2k.end_of_tiles(data, start) - start))
        return planes

    def _scaled(self, area: Area, number: int) -> Area:
        component = self._codestream.components[number]
        return j2k.scaled(area, (component.dx, component.dy), self._reduction)

    def _add(self, planes: Planes, tile: openjpeg.Tile) -> None:
        """Copy the samples of a *tile* to their places."""
        at = 0
        for number, component in enumerate(self._codestream.components):
            left, top, right, bottom = self._scaled(tile.area, number)
            width, height, size = right - left, bottom - top, _bytes(component)
            data = tile.data[at : at + width * height * size]
            at += data.size
            if number in planes.samples:
                samples = data.view(f"u{size}").reshape(height, width)
                x, y = left - self._areas[number][0], top - self._areas[number][1]
                part = planes.samples[number][y : y + height, x : x + width]
                part[:] = _unsigned(samples, component) if number in self._indices else _levels(samples, component)
        self._decoded += _pixels(tile.area)


def _pixels(area: Area) -> int:
    left, top, right, bottom = area
    return (right - left) * (bottom - top)


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
