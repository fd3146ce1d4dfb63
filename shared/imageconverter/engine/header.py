"""Checking a source image by its header alone, without any decoder: the gateway's look at an upload."""

import io
import struct
from typing import IO

import imagesize

from imageconverter.engine.geometry import Size
from imageconverter.engine.jxl import read_size
from imageconverter.engine.limits import Limits
from imageconverter.engine.source import HEAD_BYTES, SourceType, identify
from imageconverter.errors import ImageTooLarge, NotAnImage, Undecodable

_OS2_HEADER = b"\x0c\0\0\0"
# Of these imagesize knows the extents, in all or in most of their variants.
_KNOWN_TO_IMAGESIZE = ("JPEG", "PNG", "WEBP", "BMP", "TIFF", "AVIF", "HEIF", "JPEG2000", "PPM")
_SOME_VARIANTS_ONLY = ("TIFF", "AVIF", "HEIF", "JPEG2000", "PPM")
# What may be read of a header; a JPEG takes four reads for each of its segments before the extents.
_MAX_READS, _MAX_BYTES = 10_000, 1024 * 1024
_EXPENSIVE_PIXELS = 32_000_000
_MAX_TEXT = 4096  # bytes of a PNM, of whose digits imagesize copies all so far for each one more


class _BoundedReader:
    """A file of which only so much can be read: imagesize goes through all of one that is made of nothing else."""

    def __init__(self, file: IO[bytes], max_bytes: int) -> None:
        self._file = file
        self._reads, self._bytes = _MAX_READS, max_bytes

    def read(self, size: int = -1) -> bytes:
        """Read as from any file; raises ValueError where that has become too much."""
        data = self._file.read(min(size, self._bytes + 1) if size >= 0 else self._bytes + 1)
        self._reads -= 1
        self._bytes -= len(data)
        if min(self._reads, self._bytes) < 0:
            raise ValueError("the header is too long")
        return data

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move as in any file."""
        return self._file.seek(offset, whence)


def check_header(source: IO[bytes], limits: Limits) -> SourceType:
    """Identify *source* and check its extents against *limits* without any decoder.

    Raises NotAnImage where the format is unknown, Undecodable where the header is broken, ImageTooLarge
    where it has too many pixels.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES)
    found = identify(head)
    if found is None:
        raise NotAnImage("The file is not of a supported image format.")
    size = _extents(source, found, head)
    if size is not None:
        check_extents(size, limits)
    source.seek(0)
    return found


def probe(data: bytes, limits: Limits) -> SourceType:
    """Check *data* as `check_header` does; for callers that hold the whole file."""
    return check_header(io.BytesIO(data), limits)


def is_expensive(source: IO[bytes]) -> bool:
    """Whether *source* says that it has so many pixels that decoding takes a good part of a second or more.

    A JPEG, which is decoded at a smaller scale, takes less. What does not say its extents is taken for cheap.
    """
    source.seek(0)
    head = source.read(HEAD_BYTES)
    found = identify(head)
    if found is None or found.decoder == "JPEG":
        return False
    try:
        size = _extents(source, found, head)
    except Undecodable:
        return False
    return size is not None and size[0] * size[1] > _EXPENSIVE_PIXELS


def check_extents(size: Size, limits: Limits) -> None:
    """Raise ImageTooLarge where *size*, in pixels, is above the limit."""
    if size[0] * size[1] > limits.pixels:
        raise ImageTooLarge(f"The image has more than {limits.pixels / 1e6:g} megapixels.")


def _extents(source: IO[bytes], found: SourceType, head: bytes) -> Size | None:
    """Read the stored width and height; None where it takes the decoder to tell, which it does before it allocates.

    Raises Undecodable where they are not there.
    """
    if found.decoder == "GIF":  # imagesize takes these two for signed …
        size = struct.unpack_from("<HH", head.ljust(HEAD_BYTES, b"\0"), 6)
    elif found.decoder == "BMP" and head[14:18] == _OS2_HEADER:  # … and knows only the longer header of these
        size = struct.unpack_from("<HH", head.ljust(HEAD_BYTES, b"\0"), 18)
    elif found.decoder == "JXL":  # its decoder knows the extents only with the pixels
        size = read_size(source)
    elif found.decoder in _KNOWN_TO_IMAGESIZE:
        size = imagesize.get(
            _BoundedReader(source, _MAX_TEXT if found.decoder == "PPM" else _MAX_BYTES), exif_rotation=False
        )
    else:
        return None
    if min(size) > 0:
        return size[0], size[1]
    if found.decoder in _SOME_VARIANTS_ONLY:
        return None
    raise Undecodable(f"The {found.name} file is broken.")
