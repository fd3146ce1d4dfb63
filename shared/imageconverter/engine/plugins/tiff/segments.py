"""The strips and tiles of a TIFF, decoded one after the other."""

import io
import math
from collections.abc import Iterator
from typing import IO

import imagecodecs
import numpy as np

from imageconverter.engine.decoder_errors import ignore_decoder_errors
from imageconverter.engine.plugins.tiff import codecs
from imageconverter.engine.plugins.tiff.codecs import Samples
from imageconverter.engine.plugins.tiff.layout import LZW, Layout, Segment

_HORIZONTAL, _FLOATING_POINT = 2, 3
_MAX_READ = 4  # times the size of the file: real files have no byte in many strips
_SOME_BYTES = 1 << 20
_MAX_SLOW = 1 << 20  # bytes of all strips and tiles that are decompressed as far as they go


class Decoder:
    """Decodes the segments of one image, and counts what is missing."""

    def __init__(self, source: IO[bytes], layout: Layout) -> None:
        """Prepare to decode the image of *layout* in *source*."""
        self._source, self._layout = source, layout
        self._file_bytes = source.seek(0, io.SEEK_END)
        self._slow_bytes = _MAX_SLOW
        self.missing = 0.0
        """Share of the image that could not be decoded, of the last `decode`."""

    def decode(self) -> Iterator[tuple[Segment, Samples]]:
        """Yield each segment that is needed with its samples in the byte order of this machine.

        The rows and columns may be more than the segment or the image has, the rows also less. Raises ValueError as
        soon as it is certain that more than half is missing.
        """
        layout = self._layout
        planes = layout.channels if layout.planar else (0,)
        segments = [segment for segment in layout.segments if segment.plane in planes]
        area = layout.width * layout.height * len(planes)
        lost = sum(
            math.prod(self._extents(each)) for each in segments if not self._is_there(each) and not each.is_hole
        )
        readable = _MAX_READ * self._file_bytes + _SOME_BYTES
        is_empty = True
        for segment in segments:
            if 2 * lost > area:
                raise ValueError(f"it is cut off after {1 - lost / area:.0%} of the image")
            if not self._is_there(segment):
                continue
            data = self._read(segment, readable)
            readable -= len(data)
            samples: Samples = np.empty((0, 0, 0))
            if data:
                with ignore_decoder_errors():
                    samples = self._samples(segment, data)
            rows, columns = self._extents(segment)
            lost += (rows - min(int(rows * self._share(segment, data)), len(samples), rows)) * columns
            if len(samples):
                is_empty = False
                yield segment, samples
        if is_empty:
            raise ValueError("no part of the image can be decoded")
        self.missing = lost / area

    def _extents(self, segment: Segment) -> tuple[int, int]:
        """Return how many rows and columns of the segment are in the image."""
        rows = min(segment.height, self._layout.height - segment.top)
        return rows, min(segment.width, self._layout.width - segment.left)

    def _is_there(self, segment: Segment) -> bool:
        return 0 < segment.offset < self._file_bytes and not segment.is_hole

    def _read(self, segment: Segment, readable: int) -> bytes:
        length = segment.length if segment.length >= 0 else self._file_bytes
        self._source.seek(segment.offset)
        return self._source.read(max(0, min(length, readable)))

    def _share(self, segment: Segment, data: bytes) -> float:
        """Return how much of the compressed data is in the file: some decoders do not notice that they end early."""
        is_raw = self._layout.compression in codecs.BYTES
        return 1 if is_raw or segment.length <= 0 else len(data) / segment.length

    def _samples(self, segment: Segment, data: bytes) -> Samples:
        layout = self._layout
        horizontal, vertical = layout.subsampling if layout.is_subsampled else (1, 1)
        width, height = segment.width, segment.height
        if segment.plane:  # of colors, if it is subsampled
            width, height = math.ceil(width / horizontal), math.ceil(height / vertical)
        if layout.compression not in codecs.BYTES:
            samples = codecs.image(data, layout, (width, height))
            if samples.shape[1] < width or samples.shape[2] < layout.segment_samples:
                raise ValueError("a strip or tile is smaller than the directory says")
        elif layout.is_subsampled and not layout.planar:
            return self._data_units(data, width, height)
        else:
            samples = self._unpacked(data, width, height, layout.segment_samples)
        if segment.plane and layout.is_subsampled:
            samples = samples.repeat(vertical, axis=0).repeat(horizontal, axis=1)
        return samples

    def _unpacked(self, data: bytes, width: int, height: int, count: int) -> Samples:
        """Return rows of *width* pixels of *count* samples from compressed *data*; as many as are there."""
        layout = self._layout
        row_bytes = math.ceil(width * count * layout.bits / 8)
        if layout.reversed_bits:
            data = data.translate(codecs.REVERSED)
        try:
            unpacked = codecs.BYTES[layout.compression](data, row_bytes * height)
        except RuntimeError:
            if layout.compression != LZW:
                raise
            data = data[: self._slow_bytes]
            self._slow_bytes -= len(data)
            unpacked = codecs.partial_lzw(data, row_bytes * height)
        height = min(height, len(unpacked) // row_bytes)
        unpacked = unpacked[: height * row_bytes]
        shape = (height, width, count)
        size = layout.bits // 8
        if layout.predictor == _FLOATING_POINT and layout.kind == "float":
            return _floats(_unpredicted(unpacked, shape, size), size).reshape(shape)
        if layout.bits % 8 or size not in (1, 2, 3, 4, 8):
            wide = np.uint8 if layout.bits < 8 else np.uint16 if layout.bits <= 16 else np.uint32  # noqa: PLR2004
            samples = imagecodecs.packints_decode(unpacked, wide, layout.bits, runlen=width * count)
            return _signed(samples.reshape(shape), layout)
        rows = np.frombuffer(unpacked, np.uint8).reshape(height, width * count, size)
        if size == 3:  # noqa: PLR2004 - there is no type of 24 bits
            high_first = rows if layout.big_endian else rows[:, :, ::-1]
            if layout.kind == "float":
                return _floats(high_first, size).reshape(shape)
            wider = np.zeros((height, width * count, 4), np.uint8)
            wider[:, :, 1:] = high_first
            return _signed(wider.view(">u4").astype(np.uint32).reshape(shape), layout)
        integers = rows.reshape(height, -1).view(f"{'>' if layout.big_endian else '<'}u{size}").reshape(shape)
        native = integers.astype(f"=u{size}", copy=False)
        if layout.predictor == _HORIZONTAL:
            native = imagecodecs.delta_decode(native, axis=1)
        return native.view({"unsigned": f"u{size}", "signed": f"i{size}", "float": f"f{max(size, 2)}"}[layout.kind])

    def _data_units(self, data: bytes, width: int, height: int) -> Samples:
        """Return Y, Cb and Cr of data units: the Y of some pixels, then the Cb and Cr that these have together."""
        layout = self._layout
        horizontal, vertical = layout.subsampling
        across, down = math.ceil(width / horizontal), math.ceil(height / vertical)
        units = self._unpacked(data, across, down, horizontal * vertical + 2)
        down = len(units)
        luma = units[:, :, :-2].reshape(down, across, vertical, horizontal).swapaxes(1, 2)
        chroma = units[:, :, -2:].repeat(vertical, axis=0).repeat(horizontal, axis=1)
        return np.concatenate([luma.reshape(down * vertical, across * horizontal, 1), chroma], axis=2)


def _signed(samples: Samples, layout: Layout) -> Samples:
    """Return *samples* of fewer bits than their type as signed, if they are."""
    if layout.kind != "signed":
        return samples
    sign = 1 << layout.bits - 1
    return (samples.astype(np.int64) ^ sign) - sign


def _unpredicted(data: bytes, shape: tuple[int, int, int], size: int) -> Samples:
    """Undo the predictor of floating point: rows, samples, and the *size* bytes of a sample, the highest first."""
    height, width, count = shape
    differences = np.frombuffer(data, np.uint8).reshape(height, width * size, count)
    planes = imagecodecs.delta_decode(differences, axis=1)
    return planes.reshape(height, size, width * count).swapaxes(1, 2)


def _floats(highest_first: Samples, size: int) -> Samples:
    """Make floating point numbers of their bytes, which are the last axis."""
    data = np.ascontiguousarray(highest_first)
    if size == 3:  # noqa: PLR2004 - 1 bit sign, 7 bits exponent, 16 bits mantissa
        return np.asarray(imagecodecs.float24_decode(data.tobytes(), byteorder=">")).reshape(data.shape[:2])
    return data.view(f">f{size}")[..., 0].astype(f"=f{size}")
