"""Samples of all kinds and depths become levels of 8 bits."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from imageconverter.engine.plugins.tiff.codecs import Samples
from imageconverter.engine.plugins.tiff.layout import Kind, Layout, Segment

Levels = np.ndarray[Any, np.dtype[np.uint8]]
Segments = Iterable[tuple[Segment, Samples]]

_MAX_TABLE_BITS = 16
_IMPLAUSIBLE = 1e15  # a value of this size marks pixels without a value, or is an accident
_MAX_NEGATIVE = 0.25  # share of the values: colors outside of sRGB have some
_FAR_APART = 127  # half of 8 bits
_BLOCK = 1 << 18  # samples that are converted at once


@dataclass
class Range:
    """What the colors of an image are between, found by looking at all of them."""

    no_data: float = math.nan
    """A value that stands for none."""
    low: float = math.inf
    high: float = -math.inf
    values: int = 0
    """Number of values that are not zero, which often means that there is none."""
    negative: int = 0
    normal: int = 0
    """Number of values above 0 and up to 1."""

    def add(self, samples: Samples) -> None:
        """Take *samples* into account; those that are no number, infinite or implausible do not count."""
        if samples.dtype.kind == "f":
            limit = _IMPLAUSIBLE if samples.dtype.itemsize > 2 else math.inf  # noqa: PLR2004 - half floats end before
            samples = samples[np.abs(samples) < limit]  # NaN is not
            self.normal += int(np.count_nonzero((samples > 0) & (samples <= 1)))
        if not math.isnan(self.no_data):
            samples = samples[samples != self.no_data]
        if samples.size:
            self.low, self.high = min(self.low, float(samples.min())), max(self.high, float(samples.max()))
            self.values += int(np.count_nonzero(samples))
            self.negative += int(np.count_nonzero(samples < 0))

    def ends(self, kind: Kind, bits: int) -> tuple[float, float]:
        """Return the values of the lowest and the highest level for samples of *kind* and *bits*.

        Integers use the range of their type, as all readers agree; floating point numbers from 0 to 1, if most are
        there and few are negative. Otherwise, and where all integers would become the lowest level, it is the
        range that the values have.
        """
        if kind == "float":
            whole = (0.0, 1.0)
            is_usual = 2 * self.normal >= self.values and self.negative <= _MAX_NEGATIVE * self.values
        else:
            whole = (0.0, float((1 << bits) - 1))
            is_usual = self.low >= 0 and (self.high * 255 >= whole[1] or bits <= 8)  # noqa: PLR2004
        return whole if is_usual else (self.low, self.high)


@dataclass(frozen=True)
class Scale:
    """How the levels of one channel are made of the samples."""

    sample: int
    """The number of the sample in a pixel."""
    table: Levels | None = None
    """The level of each value; None if there is another way."""
    ends: tuple[float, float] | None = None
    """The values of level 0 and level 255. Without these and a table, samples of 8 bits are levels, and 16 bits are
    divided."""


def eight_bits(layout: Layout, decode: Callable[[], Segments], scales: Sequence[Scale]) -> Levels:
    """Return rows, columns and levels of the channels, one for each of *scales*, from the segments of *decode*."""
    levels = None
    for segment, samples in decode():
        if levels is None:  # there is something to be shown
            levels = np.zeros((layout.height, layout.width, len(scales)), np.uint8)
        part = samples[: layout.height - segment.top, : layout.width - segment.left]
        if layout.kind == "unsigned" and part.dtype.kind == "i":
            part = part.view(f"u{part.itemsize}")
        target = levels[segment.top :, segment.left :][: part.shape[0], : part.shape[1]]
        if not layout.planar and len({id(scale.table) for scale in scales}) == 1 and scales[0].ends is None:
            first, last = scales[0].sample, scales[-1].sample
            if [scale.sample for scale in scales] == list(range(first, last + 1)):
                _apply(scales[0], part[:, :, first : last + 1], target)
                continue
        for number, scale in enumerate(scales):
            if not layout.planar or scale.sample == segment.plane:
                _apply(scale, part[:, :, 0 if layout.planar else scale.sample], target[:, :, number])
    if levels is None:
        raise ValueError("there are no strips or tiles")
    return levels


def is_unsigned(decode: Callable[[], Segments]) -> bool:
    """Whether samples that are said to be signed are not: fewer neighbors are far apart if they are taken so."""
    surplus = 0
    for _, samples in decode():
        for block in _blocks(samples):
            as_signed, as_unsigned = block.astype(np.int16), block.view(np.uint8).astype(np.int16)
            surplus += int(np.count_nonzero(np.abs(np.diff(as_signed, axis=1)) > _FAR_APART))
            surplus -= int(np.count_nonzero(np.abs(np.diff(as_unsigned, axis=1)) > _FAR_APART))
    return surplus > 0


def find_range(layout: Layout, decode: Callable[[], Segments], no_data: float) -> Range:
    """Return the range of the colors, in which values of *no_data* do not count."""
    found = Range(no_data)
    colors = [channel for channel in layout.channels if channel != layout.alpha]
    for segment, samples in decode():
        if layout.planar and segment.plane not in colors:
            continue
        part = samples[: layout.height - segment.top, : layout.width - segment.left]
        for block in _blocks(part if layout.planar else part[:, :, : len(colors)]):
            found.add(block)
    return found


def _apply(scale: Scale, samples: Samples, target: Levels) -> None:
    if scale.ends is None:
        for block, into in zip(_blocks(samples), _blocks(target), strict=True):
            if scale.table is not None:
                into[:] = np.take(scale.table, block, mode="clip")
            elif block.dtype == np.uint16:
                into[:] = block.astype(np.uint32) * 255 + 32895 >> 16  # divided by 257 and rounded
            else:
                into[:] = block
        return
    low, high = scale.ends
    factor = 255 / (high - low) if high != low else 0.0
    for block, into in zip(_blocks(samples), _blocks(target), strict=True):
        with np.errstate(all="ignore"):  # NaN and infinity
            stretched = (block.astype(np.float64) - low) * factor + 0.5
        into[:] = np.nan_to_num(stretched.clip(0, 255), nan=0.0)


def _blocks(samples: Samples) -> Iterator[Samples]:
    rows = max(1, _BLOCK // max(1, samples[:1].size))
    for top in range(0, len(samples), rows):
        yield samples[top : top + rows]
