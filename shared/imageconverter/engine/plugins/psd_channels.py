"""The channels of a PSD's merged image, one after the other, each as an array of its rows."""

import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import IO

import imagecodecs
import numpy as np

from imageconverter.engine import psd
from imageconverter.engine.plugins.decoded import Samples, require_half

_RAW, _PACKED, _ZIP, _PREDICTED = range(4)  # compressions
_FLOAT_BYTES = 4
_UNPACKED_PER_BYTE = 64  # that PackBits unpacks


class Channels:
    """Reads one channel after the other, in any order."""

    def __init__(self, file: IO[bytes], structure: psd.Structure) -> None:
        """Read the compression. Raises ValueError if there is no such one."""
        self._file = file
        self._width, self._height = structure.size
        self._type = np.dtype({16: ">u2", 32: ">f4"}.get(structure.depth, "u1"))
        self._row = (self._width * structure.depth + 7) // 8
        self.rows = self._height
        """How many rows all channels so far have."""
        file.seek(structure.pixels)
        compression = int.from_bytes(file.read(2), "big")
        if compression > _PREDICTED:
            raise ValueError(f"its compression is {compression}")
        self._is_predicted = compression == _PREDICTED
        self._unzip, self._rest, self._plain = zlib.decompressobj(), b"", bytearray()
        self._read: Callable[[int], bytes] = self._unzipped
        if compression == _PACKED:
            kind = np.dtype(">u4" if structure.is_large else ">u2")
            counts = file.read(structure.channels * self._height * kind.itemsize)
            counted = np.frombuffer(counts, kind, len(counts) // kind.itemsize).astype("i8")
            self._ends = np.concatenate([np.zeros(1, "i8"), np.cumsum(counted)])
            self._read = self._unpacked
        elif compression == _RAW:
            self._read = self._stored
        self._start = file.tell()

    def read(self, channel: int) -> Samples:
        """Return the samples of a *channel*; those of a bitmap are packed. Missing rows are 0.

        Raises ValueError if more than half of the rows are missing.
        """
        data = self._read(channel)
        self.rows = min(self.rows, len(data) // self._row)
        require_half(self.rows, self._height)
        data = data.ljust(self._row * self._height, b"\0")
        if self._is_predicted:
            return self._summed(np.frombuffer(data, "u1"))
        return np.frombuffer(data, self._type).reshape(self._height, -1)

    def _stored(self, channel: int) -> bytes:
        self._file.seek(self._start + channel * self._row * self._height)
        return self._file.read(self._row * self._height)

    def _unzipped(self, channel: int) -> bytes:
        size = self._row * self._height
        if not self._rest and not self._plain:
            self._file.seek(self._start)
            self._rest = self._file.read()
        while self._rest and len(self._plain) < (channel + 1) * size:
            try:
                self._plain += self._unzip.decompress(self._rest, (channel + 1) * size - len(self._plain))
                self._rest = self._unzip.unconsumed_tail
            except zlib.error:  # what was unpacked before is good
                self._rest = b""
        return bytes(self._plain[channel * size : (channel + 1) * size])

    def _unpacked(self, channel: int) -> bytes:
        ends = self._ends[channel * self._height : (channel + 1) * self._height + 1]
        if ends.size < 2:  # noqa: PLR2004 - of a row
            return b""
        self._file.seek(self._start + int(ends[0]))
        ends = ends - ends[0]
        data, expected = self._file.read(int(ends[-1])), self._row * self._height
        require_half(len(data) * _UNPACKED_PER_BYTE, expected)
        if len(data) == ends[-1]:
            try:
                at_once = bytes(imagecodecs.packbits_decode(data, out=expected))
            except RuntimeError:
                at_once = b""
            if len(at_once) == expected:
                return at_once
        return b"".join(self._rows(data, ends.tolist()))

    def _rows(self, data: bytes, ends: list[int]) -> Iterator[bytes]:
        """Unpack row after row up to the first one that is cut off; one that is too short is filled up."""
        for start, end in pairwise(ends):
            if end > len(data):
                return
            try:
                row = bytes(imagecodecs.packbits_decode(data[start:end]))
            except RuntimeError:
                row = b""
            yield row[: self._row].ljust(self._row, b"\0")

    def _summed(self, data: Samples) -> Samples:
        """Undo the prediction, which stores the difference of each sample to the one before it in its row."""
        rows = data.reshape(self._height, -1)
        if self._type.kind == "f":  # all first bytes, all second bytes, ...
            planes = np.cumsum(rows, axis=1, dtype="u1").reshape(self._height, _FLOAT_BYTES, self._width)
            return np.ascontiguousarray(planes.transpose(0, 2, 1)).view(self._type)[..., 0]
        return np.cumsum(rows.view(self._type), axis=1, dtype=self._type.newbyteorder("="))
