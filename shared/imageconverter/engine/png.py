"""The chunks of a PNG (PNG, third edition, section 5) and its header."""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

from imageconverter.engine.geometry import Size

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, PALETTE, GRAY_ALPHA, RGB_ALPHA = 0, 2, 3, 4, 6
"""The color types."""
_HEAD = struct.Struct(">I4s")
_CRC = struct.Struct(">I")
_HEADER = struct.Struct(">IIBBBBB")
_MAX_SIDE = 0x7FFFFFFF
_DEPTHS = {GRAY: (1, 2, 4, 8, 16), RGB: (8, 16), PALETTE: (1, 2, 4, 8), GRAY_ALPHA: (8, 16), RGB_ALPHA: (8, 16)}
_CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGB_ALPHA: 4}
_APPLE = b"CgBI"  # comes before the header in files for the iPhone
_MAX_BEFORE_HEADER = 64  # bytes


class Chunk(NamedTuple):
    """Where the content of a chunk is in a file; it ends with the file if that is cut off."""

    kind: bytes
    begin: int
    end: int
    is_whole: bool


@dataclass(frozen=True)
class PngHeader:
    """The chunk IHDR."""

    size: Size
    depth: int
    """Bits of a sample."""
    color_type: int
    is_interlaced: bool

    @property
    def bits(self) -> int:
        """Bits of a pixel."""
        return self.depth * _CHANNELS[self.color_type]


def walk(data: bytes, at: int = len(SIGNATURE)) -> Iterator[Chunk]:
    """Yield the chunks of *data* from the offset *at* on, until something else than a chunk."""
    length = len(data)
    while at + _HEAD.size <= length:
        size, kind = _HEAD.unpack_from(data, at)
        if not kind.isalpha():
            return
        begin = at + _HEAD.size
        at = begin + size + _CRC.size
        yield Chunk(kind, begin, min(begin + size, length), at <= length)


def is_intact(data: bytes, chunk: Chunk) -> bool:
    """Whether the checksum of a *chunk* is right."""
    if not chunk.is_whole:
        return False
    checksum = zlib.crc32(memoryview(data)[chunk.begin - len(chunk.kind) : chunk.end])
    return bool(checksum == _CRC.unpack_from(data, chunk.end)[0])


def read_header(data: bytes, chunk: Chunk) -> PngHeader:
    """Read the chunk IHDR. Raises SyntaxError if its values have no meaning."""
    if chunk.kind != b"IHDR" or chunk.end - chunk.begin != _HEADER.size or not is_intact(data, chunk):
        raise SyntaxError("its header is damaged")
    width, height, depth, color_type, compression, filtering, interlace = _HEADER.unpack_from(data, chunk.begin)
    if depth not in _DEPTHS.get(color_type, ()) or compression or filtering or interlace > 1:
        raise SyntaxError("its header is not valid")
    if not 0 < width <= _MAX_SIDE or not 0 < height <= _MAX_SIDE:
        raise SyntaxError("its extents are not valid")
    return PngHeader((width, height), depth, color_type, bool(interlace))


def read_size(source: IO[bytes]) -> Size:
    """Read width and height in pixels; they are below 1 if the header is broken."""
    source.seek(0)
    head = source.read(_MAX_BEFORE_HEADER)
    for chunk in walk(head):
        if chunk.kind == b"IHDR" and chunk.end - chunk.begin == _HEADER.size:
            width, height = _HEADER.unpack_from(head, chunk.begin)[:2]
            return (width, height) if max(width, height) <= _MAX_SIDE else (0, 0)
        if chunk.kind != _APPLE:
            break
    return 0, 0


def is_apple(source: IO[bytes]) -> bool:
    """Whether the file is of the variant of Apple's tools for the iPhone."""
    source.seek(len(SIGNATURE) + _CRC.size)
    return source.read(len(_APPLE)) == _APPLE
