"""Readers of an image's extents, that is width and height in pixels as stored, from its header without a decoder.

A reader takes a seekable file. It returns None if only the decoder can know the extents, and sides below 1 if the
header is broken.
"""

import io
import struct
from collections.abc import Callable
from typing import IO

import imagesize

from imageconverter.engine.geometry import Size

ExtentsReader = Callable[[IO[bytes]], Size | None]

# The most that is read of a header; a JPEG takes four reads for each of its segments before the extents.
_MAX_READS, _MAX_BYTES = 10_000, 1024 * 1024


def fixed(layout: str, offset: int) -> Callable[[IO[bytes]], Size]:
    """Return a reader of two integers in the `struct` *layout* at *offset*."""
    fields = struct.Struct(layout)

    def read(source: IO[bytes]) -> Size:
        source.seek(offset)
        width, height = fields.unpack(source.read(fields.size).ljust(fields.size, b"\0"))
        return width, height

    return read


def by_imagesize(source: IO[bytes]) -> Size:
    """Read the extents of a type that imagesize knows in all of its variants."""
    return _imagesize(source, _MAX_BYTES)


def if_known_to_imagesize(source: IO[bytes]) -> Size | None:
    """Read the extents of a type that imagesize knows in most of its variants."""
    return _known(_imagesize(source, _MAX_BYTES))


def _imagesize(source: IO[bytes], max_bytes: int) -> Size:
    source.seek(0)
    width, height = imagesize.get(_BoundedReader(source, max_bytes), exif_rotation=False)
    return width, height


def _known(size: Size) -> Size | None:
    return size if min(size) > 0 else None


class _BoundedReader:
    """A file of which a bounded amount can be read: imagesize reads hostile headers to their end."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._reads, self._bytes = _MAX_READS, max_bytes

    def read(self, size: int = -1) -> bytes:
        """Read as from any file. Raises ValueError if the bound is exceeded."""
        data = self._file.read(min(size, self._bytes + 1) if size >= 0 else self._bytes + 1)
        self._reads -= 1
        self._bytes -= len(data)
        if min(self._reads, self._bytes) < 0:
            raise ValueError("the header is too long")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Seek as in any file."""
        return self._file.seek(offset, whence)
