"""The pixels of a drawable: tiles of 64 by 64 pixels, decompressed on demand."""

import zlib
from functools import lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from rare_formats.xcf.structure import Compression, Document, Drawable

TILE = 64  # pixels, each way
# Decompressed rows of tiles are cached, because a band of the canvas may end within them.
_KEPT_BYTES = 64 << 20
_LONG_RUN = 127
_LONG_LITERAL = 128

Samples: TypeAlias = NDArray[Any]
"""Samples as they are stored: channel, row, column."""


class Tiles:
    """Reads rectangles of drawables. Raises ValueError or zlib.error for a broken tile."""

    def __init__(self, document: Document) -> None:
        self._fields = document.fields
        self._compression = document.compression
        self._dtype = document.precision.dtype
        row_bytes = TILE * (document.width + 2 * TILE) * 4 * self._dtype.itemsize
        self._row = lru_cache(maxsize=max(2, _KEPT_BYTES // row_bytes))(self._read_row)
        self._tables: dict[int, int] = {}

    def read(self, drawable: Drawable, left: int, top: int, right: int, bottom: int) -> Samples:
        """Return the samples of a rectangle within *drawable*, in pixels from its upper left corner."""
        first, last = left // TILE, -(-right // TILE)
        rows = []
        for number in range(top // TILE, -(-bottom // TILE)):
            row = self._row(drawable, number, first, last)
            start = number * TILE
            rows.append(row[:, max(top - start, 0) : bottom - start, left - first * TILE : right - first * TILE])
        return rows[0] if len(rows) == 1 else np.concatenate(rows, axis=1)

    def _read_row(self, drawable: Drawable, number: int, first: int, last: int) -> Samples:
        """Decompress the tiles *first* to *last* (exclusive) of row *number* of tiles."""
        height = min(TILE, drawable.height - number * TILE)
        across = -(-drawable.width // TILE)
        width = min(last * TILE, drawable.width) - first * TILE
        row = np.zeros((drawable.channels, height, width), self._dtype)
        table = self._table(drawable)
        if table == 0:
            return row
        self._fields.seek(table + (number * across + first) * self._fields.pointer_size)
        pointers = self._fields.pointers(last - first + 1)
        for index, pointer in enumerate(pointers[:-1]):
            at = index * TILE
            row[:, :, at : at + TILE] = self._tile(
                pointer, pointers[index + 1], drawable.channels, height, min(TILE, width - at)
            )
        return row

    def _table(self, drawable: Drawable) -> int:
        """Return the offset of the pointers to the tiles of *drawable*; 0 if it has none."""
        if drawable.hierarchy not in self._tables:
            fields = self._fields
            fields.seek(drawable.hierarchy)
            expected = (drawable.width, drawable.height)
            *size, pixel_bytes = fields.integers(3)
            if tuple(size) != expected or pixel_bytes != drawable.channels * self._dtype.itemsize:
                raise ValueError("the pixels do not have the layer's size and type")
            fields.seek(fields.pointer())
            if fields.integers(2) != expected:
                raise ValueError("the tiles do not have the layer's size")
            table = fields.tell()
            self._tables[drawable.hierarchy] = table if fields.pointer() else 0
        return self._tables[drawable.hierarchy]

    def _tile(self, pointer: int, following: int, channels: int, height: int, width: int) -> Samples:
        if pointer == 0:
            raise ValueError("a tile is missing")
        pixels, pixel_bytes = height * width, channels * self._dtype.itemsize
        # A compressed tile can be longer than an uncompressed one. Tiles are usually contiguous.
        size = 2 * pixels * pixel_bytes + TILE
        if 0 < following - pointer < size:
            size = following - pointer
        self._fields.seek(pointer)
        data = self._fields.at_most(size)
        match self._compression:
            case Compression.RLE:
                planes = np.frombuffer(unpack_runs(data, pixel_bytes, pixels), np.uint8)
                interleaved = planes.reshape(pixel_bytes, pixels).T
            case Compression.ZLIB:
                data = zlib.decompressobj().decompress(data, pixels * pixel_bytes)
                interleaved = _bytes(data, pixels, pixel_bytes)
            case _:
                interleaved = _bytes(data, pixels, pixel_bytes)
        samples = np.ascontiguousarray(interleaved).view(self._dtype) if self._dtype.itemsize > 1 else interleaved
        return samples.T.reshape(channels, height, width)


def _bytes(data: bytes, pixels: int, pixel_bytes: int) -> NDArray[np.uint8]:
    if len(data) < pixels * pixel_bytes:
        raise ValueError("a tile ends too early")
    return np.frombuffer(data, np.uint8, pixels * pixel_bytes).reshape(pixels, pixel_bytes)


def unpack_runs(data: bytes, planes: int, size: int) -> bytes:
    """Decode *planes* planes of *size* bytes each that are run-length encoded one after another in *data*.

    A byte n of 0 to 126 repeats the next byte n + 1 times; 127 is followed by a count of two bytes and the byte to
    repeat; 128 by a count of two bytes and as many literal bytes; n of 129 to 255 by 256 - n literal bytes. Raises
    ValueError if *data* ends too early or a run exceeds its plane.
    """
    runs, at = [], 0
    try:
        for _ in range(planes):
            left = size
            while left > 0:
                code = data[at]
                if code < _LONG_RUN:
                    count = code + 1
                    runs.append(data[at + 1 : at + 2] * count)
                    at += 2
                elif code > _LONG_LITERAL:
                    count = 256 - code
                    runs.append(data[at + 1 : at + 1 + count])
                    at += 1 + count
                else:
                    count = data[at + 1] << 8 | data[at + 2]
                    if code == _LONG_LITERAL:
                        runs.append(data[at + 3 : at + 3 + count])
                        at += 3 + count
                    else:
                        runs.append(data[at + 3 : at + 4] * count)
                        at += 4
                left -= count
    except IndexError:
        raise ValueError("a tile ends too early") from None
    unpacked = b"".join(runs)
    if len(unpacked) != planes * size:
        raise ValueError("the runs of a tile do not fit its size")
    return unpacked
