"""What can still be decoded of the compressed pixels of a PNG that is damaged or cut off."""

import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from imageconverter.engine.geometry import Size
from imageconverter.engine.png import PngHeader

_MAX_MISSING = 0.5
_ZLIB_HEADER_BYTES = 2
_PIECE = 64 * 1024
_FILTERS = 5
# Left, top, and the distances of columns and rows of each of the passes of an interlaced image.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_ALL_AT_ONCE = ((0, 0, 1, 1),)
_GRIDS = ((1, 2), (2, 2), (2, 4), (4, 4), (4, 8), (8, 8))
"""Distances of columns and rows that are there after the last pass but one, and so on back to the first one."""
_BAND = 256  # rows, a multiple of 8


@dataclass(frozen=True)
class Repaired:
    """Compressed pixels that can be decoded: what was missing is zero."""

    packed: bytes
    rows: list[int]
    """How many are there of each pass."""
    is_interlaced: bool
    missing: float = 0.0
    """The share of the rows that were missing."""
    missing_detail: float = 0.0
    """The share of the pixels that were missing if there are others in all parts of the image."""

    @property
    def is_damaged(self) -> bool:
        """Whether all pixels were there; what was wrong are the checksum, or data after them."""
        return not self.missing and not self.missing_detail


def repair(header: PngHeader, size: Size, packed: bytes) -> Repaired:
    """Decompress *packed* as far as possible. Raises OSError if less than half of the rows are there."""
    passes = [(len(range(x, size[0], dx)), len(range(y, size[1], dy))) for x, y, dx, dy in _passes(header)]
    lengths = [1 + -(-width * header.bits // 8) if width else 0 for width, _ in passes]
    expected = sum(length * rows for length, (_, rows) in zip(lengths, passes, strict=True))
    content = _inflated(packed, expected)
    found, at = [0] * len(passes), 0
    for number, (length, (_, rows)) in enumerate(zip(lengths, passes, strict=True)):
        if length:
            filters = np.frombuffer(content, np.uint8)[at : at + length * rows : length]
            whole = min(rows, (len(content) - at) // length)
            invalid = np.flatnonzero(filters[:whole] >= _FILTERS)
            found[number] = int(invalid[0]) if invalid.size else whole
            at += found[number] * length
        if length and found[number] < rows:
            break
    missing = 1 - found[0] / passes[0][1]
    if missing > _MAX_MISSING:
        raise OSError(f"it is cut off after {1 - missing:.0%} of the image")
    present = sum(width * rows for (width, _), rows in zip(passes, found, strict=True))
    detail = 0.0 if missing else 1 - present / (size[0] * size[1])
    filled = zlib.compress(content[:at] + bytes(expected - at), 0)
    return Repaired(filled, found, header.is_interlaced, missing, detail)


def completed(image: Image.Image, repaired: Repaired) -> Image.Image:
    """Return *image* (RGBA) with missing rows transparent, and other missing pixels like those left of and above."""
    if not repaired.is_interlaced:
        image.paste((0, 0, 0, 0), (0, repaired.rows[0], *image.size))
        return image
    pixels, known = np.array(image), np.zeros(image.size[::-1], bool)
    for (x, y, dx, dy), rows in zip(_PASSES, repaired.rows, strict=True):
        known[y : y + rows * dy : dy, x::dx] = True
    for top in range(0, image.height, _BAND):
        _fill(pixels[top : top + _BAND], known[top : top + _BAND])
    pixels[~known] = 0
    return Image.fromarray(pixels)


def _fill(pixels: np.ndarray[Any, Any], known: np.ndarray[Any, Any]) -> None:
    """Take unknown pixels from the next coarser grid that has them."""
    rows, columns = (np.arange(count) for count in known.shape)
    for dx, dy in _GRIDS:
        above, left = (rows // dy * dy)[:, None], (columns // dx * dx)[None, :]
        taken = known[above, left] & ~known
        pixels[taken] = pixels[above, left][taken]
        known |= taken


def _passes(header: PngHeader) -> tuple[tuple[int, int, int, int], ...]:
    return _PASSES if header.is_interlaced else _ALL_AT_ONCE


def _inflated(packed: bytes, max_bytes: int) -> bytes:
    """Decompress up to *max_bytes* bytes, to the first error; checksums do not matter."""
    content, stream = bytearray(), zlib.decompressobj(-zlib.MAX_WBITS)
    for at in range(_ZLIB_HEADER_BYTES, len(packed), _PIECE):
        piece, before = packed[at : at + _PIECE], stream.copy()
        try:
            content += stream.decompress(piece, max_bytes - len(content))
        except zlib.error:
            content += _until_error(before, piece, max_bytes - len(content))
            break
        if stream.eof or len(content) >= max_bytes:
            break
    return bytes(content)


def _until_error(stream: "zlib._Decompress", piece: bytes, max_bytes: int) -> bytes:
    """Decompress a *piece* that is broken byte by byte."""
    content = bytearray()
    for value in piece:
        try:
            content += stream.decompress(bytes([value]))
        except zlib.error:
            break
        if len(content) >= max_bytes:
            break
    return bytes(content[:max_bytes])
