"""FITS, the astronomers' format: the first image of a file, its values stretched from black to white.

Source: FITS Standard 4.0 (IAU FITS Working Group, 2016). A header consists of cards of 80 characters in blocks of
2,880 bytes; the data after it is big-endian, with its first row at the bottom.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from PIL import (
    FitsImagePlugin,  # noqa: F401 - registers itself before the plugin below replaces it
    Image,
    ImageFile,
)

_CARD, _BLOCK = 80, 2880  # bytes
_MAX_BLOCKS = 2000  # of headers in a file; real ones have a few
_TYPES = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
_STRIP = 1 << 19  # samples that are converted at once
_MAX_AXES = 999
_COLORS = 3  # planes of a color image
_LEVEL_BITS = 8  # of samples that can be used as levels of gray

_Samples = np.ndarray[Any, np.dtype[Any]]


class _Header:
    """The keywords of one header.

    Raises KeyError for a missing keyword, ValueError for an invalid value.
    """

    def __init__(self, cards: dict[str, str]) -> None:
        self._cards = cards
        self.kind = cards.get("XTENSION", "").strip("' ")
        self.bits = self.integer("BITPIX")
        if self.bits not in _TYPES:
            raise ValueError(f"BITPIX is {self.bits}")
        self.axes = [self.integer(f"NAXIS{axis + 1}") for axis in range(min(self.integer("NAXIS"), _MAX_AXES))]
        if min(self.axes, default=0) < 0:
            raise ValueError("an axis is negative")

    def integer(self, keyword: str, default: int | None = None) -> int:
        """Return an integer, which is required if there is no *default*."""
        if keyword not in self._cards and default is not None:
            return default
        return int(self._cards[keyword])

    def number(self, keyword: str, default: float) -> float:
        """Return a finite number, which may be in Fortran's notation."""
        value = float(self._cards.get(keyword, str(default)).upper().replace("D", "E"))
        if not math.isfinite(value):
            raise ValueError(f"{keyword} is not a number")
        return value

    @property
    def blank(self) -> int | None:
        """The stored number of samples without a value."""
        return self.integer("BLANK") if self.bits > 0 and "BLANK" in self._cards else None

    @property
    def data_bytes(self) -> int:
        """Length of the data without the padding of the last block."""
        if not self.axes:
            return 0
        elements = math.prod(self.axes) + self.integer("PCOUNT", 0)
        return abs(self.bits) // 8 * max(self.integer("GCOUNT", 1), 1) * max(elements, 0)


@dataclass(frozen=True)
class _Values:
    """How to convert stored samples to values."""

    type: str
    blank: int | None
    """The stored number of samples without a value."""
    negative: bool
    """Whether larger samples mean smaller values."""
    stretched: bool
    """Whether the smallest value becomes black and the largest white; otherwise samples are levels of gray."""


class FitsImageFile(ImageFile.ImageFile):
    """The first image of a FITS file, of mode L, or RGB if it has three planes."""

    format = "FITS"
    format_description = "Flexible Image Transport System"

    def _open(self) -> None:
        header, self._start = _first_image(_file(self))
        width, height, planes = (*header.axes, 1, 1)[:3]
        self._size = width, height
        self._mode = "RGB" if planes == _COLORS else "L"
        scale, zero = header.number("BSCALE", 1), header.number("BZERO", 0)
        # A value is BZERO + BSCALE · sample. After stretching, only the sign of BSCALE matters.
        are_levels = header.bits == _LEVEL_BITS and (scale, zero) == (1, 0)
        self._values = _Values(_TYPES[header.bits], header.blank, negative=scale < 0, stretched=not are_levels)

    def load(self) -> Any:
        """Decode the pixels at the first call."""
        if self._im is None:
            self.im = self._decoded().im
        return super().load()

    def _decoded(self) -> Image.Image:
        planes = len(self.mode) if self.mode == "RGB" else 1
        levels = np.zeros(planes * self.width * self.height, "u1")
        at = 0
        for strip in self._levels(levels.size):
            levels[at : at + strip.size] = strip
            at += strip.size
        # Rows are stored from the bottom.
        bands = [Image.frombytes("L", self.size, band, "raw", "L", 0, -1) for band in np.split(levels, planes)]
        return Image.merge(self.mode, bands)

    def _levels(self, count: int) -> Iterator[_Samples]:
        if not self._values.stretched:
            for samples, known in self._strips(count):
                yield np.where(known, samples, 0)
            return
        low, high = self._extremes(count)
        # Halves, so that the difference of two large numbers does not overflow.
        start, span = (low if not self._values.negative else high) / 2, high / 2 - low / 2
        for samples, known in self._strips(count):
            if span > 0:
                halves = np.where(known, samples, low).astype("f8") / 2
                yield np.where(known, np.abs(halves - start) / span * 255 + 0.5, 0).astype("u1")
            else:
                yield np.zeros(samples.size, "u1")

    def _extremes(self, count: int) -> tuple[float, float]:
        low, high = math.inf, -math.inf
        for samples, known in self._strips(count):
            if (values := samples[known]).size:
                low, high = min(low, float(values.min())), max(high, float(values.max()))
        return (low, high) if low <= high else (0.0, 0.0)

    def _strips(self, count: int) -> Iterator[tuple[_Samples, _Samples]]:
        """Yield the first *count* samples, a strip at a time, with a mask of those that have a value."""
        file, kind = _file(self), np.dtype(self._values.type)
        file.seek(self._start)
        for first in range(0, count, _STRIP):
            samples = np.frombuffer(file.read(min(_STRIP, count - first) * kind.itemsize), kind)
            if kind.kind == "f":
                known = np.isfinite(samples)
            elif self._values.blank is None:
                known = np.ones(samples.size, bool)
            else:
                known = samples != self._values.blank
            yield samples, known


def _file(image: ImageFile.ImageFile) -> IO[bytes]:
    if image.fp is None:
        raise ValueError("the file is closed")
    return image.fp


def _first_image(file: IO[bytes]) -> tuple[_Header, int]:
    """Return the header of the first image that is not empty, and the offset of its data."""
    length = file.seek(0, 2)
    at = blocks = 0
    while at < length:
        file.seek(at)
        cards, read = _cards(file, _MAX_BLOCKS - blocks)
        blocks += read
        header = _Header(cards)
        at += read * _BLOCK
        is_image = at == read * _BLOCK or header.kind == "IMAGE"
        if is_image and header.axes and all(header.axes):
            if header.data_bytes > length - at:
                raise ValueError("the file is truncated")
            return header, at
        if cards.get("ZIMAGE") == "T":
            raise ValueError("compressed FITS images are not supported")
        at += -(-header.data_bytes // _BLOCK) * _BLOCK
    raise ValueError("there is no image in the file")


def _cards(file: IO[bytes], max_blocks: int) -> tuple[dict[str, str], int]:
    """Read the header at the file's position. Returns its values as text, and its length in blocks."""
    cards: dict[str, str] = {}
    for blocks in range(1, max_blocks + 1):
        block = file.read(_BLOCK).decode("latin-1")
        if len(block) < _BLOCK:
            raise ValueError("the header has no end")
        for start in range(0, _BLOCK, _CARD):
            card = block[start : start + _CARD]
            keyword = card[:8].rstrip()
            if keyword == "END":
                return cards, blocks
            if card[8] == "=":
                cards.setdefault(keyword, card[9:].split("/")[0].strip())
    raise ValueError("the header is too long")


def _accept(prefix: bytes) -> bool:
    return prefix.startswith(b"SIMPLE")


Image.register_open(FitsImageFile.format, FitsImageFile, _accept)
Image.register_extensions(FitsImageFile.format, [".fits", ".fit", ".fts"])
Image.register_mime(FitsImageFile.format, "image/fits")
