"""The chunks of a WebP (RFC 9649) and its extents."""

import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

from imageconverter.engine.geometry import Size

HEADER_BYTES = 12
ALPHA, ANIMATION = 0x10, 0x02
"""Flags in the first byte of the chunk VP8X."""
ALPHA_IS_USED = 1 << 28
"""A bit after the signature of VP8L, which is a hint and does not say what is decoded."""
VP8L_SIGNATURE = b"\x2f"
_HEAD = struct.Struct("<4sI")
_VP8_MAGIC = b"\x9d\x01\x2a"
_SIDE_BITS = 14  # the others of a field of VP8 say how to scale the image, and are ignored by everybody
_MAX_SIDE = (1 << _SIDE_BITS) - 1
_MAX_HEADER = 64 * 1024


class Chunk(NamedTuple):
    """Where the content of a chunk is in a file; it ends with the file if that is cut off."""

    kind: bytes
    begin: int
    end: int
    is_whole: bool


def end_of(data: bytes) -> int:
    """Return where the file ends as its header says."""
    return _HEAD.size + int.from_bytes(data[4:8], "little")


def walk(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks of *data* that begin before its end, as far as they are there."""
    at, end = HEADER_BYTES, min(end_of(data), len(data))
    while at + _HEAD.size <= end:
        kind, length = _HEAD.unpack_from(data, at)
        begin, after = at + _HEAD.size, at + _HEAD.size + length
        yield Chunk(kind, begin, min(after, len(data)), after <= len(data))
        at = after + length % 2


def encoded(kind: bytes, content: bytes) -> bytes:
    """Write a chunk."""
    return _HEAD.pack(kind, len(content)) + content + bytes(len(content) % 2)


def read_size(source: IO[bytes]) -> Size:
    """Read width and height in pixels; they are below 1 if the header is broken."""
    source.seek(0)
    head = source.read(_MAX_HEADER)
    return next(filter(None, (size_of(chunk.kind, head[chunk.begin : chunk.end]) for chunk in walk(head))), (0, 0))


def size_of(kind: bytes, content: bytes) -> Size | None:
    """Return the extents that a chunk of this *kind* has; None if it has none."""
    if kind == b"VP8X" and len(content) >= 10:  # noqa: PLR2004 - of flags and extents
        return 1 + int.from_bytes(content[4:7], "little"), 1 + int.from_bytes(content[7:10], "little")
    if kind == b"VP8L" and len(content) >= 5 and content.startswith(VP8L_SIGNATURE):  # noqa: PLR2004 - likewise
        bits = int.from_bytes(content[1:5], "little")
        return 1 + (bits & _MAX_SIDE), 1 + (bits >> _SIDE_BITS & _MAX_SIDE)
    if kind == b"VP8 " and content[3:6] == _VP8_MAGIC and len(content) >= 10:  # noqa: PLR2004 - likewise
        width, height = struct.unpack_from("<HH", content, 6)
        return width & _MAX_SIDE, height & _MAX_SIDE
    return None
