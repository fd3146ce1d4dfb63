"""What the header of a BMP says without its pixels: their number, and whether they can be decoded."""

import struct
from typing import IO

from imageconverter.engine.geometry import Size

_FILE_HEADER_BYTES = 14
_MIN_HEADER, _MAX_HEADER = 12, 124  # bytes
_ARRAY = b"BA"
_HUFFMAN, _CMYK = 3, (11, 12, 13)  # compressions
_DEPTHS = (1, 2, 4, 8, 16, 24, 32, 64)
_EMBEDDED = (4, 5)  # compressions that need no depth


def is_bmp(head: bytes) -> bool:
    """Whether a file that begins with *head* is a bitmap, or an array of them, with a header of a known length."""
    if head[:2] == _ARRAY:
        head = head[_FILE_HEADER_BYTES:]
    return head[:2] == b"BM" and _MIN_HEADER <= int.from_bytes(head[14:18], "little") <= _MAX_HEADER


def header_offset(source: IO[bytes]) -> int:
    """Return where the header of the bitmap begins, or of the first one in an array."""
    source.seek(0)
    return (2 if source.read(2) == _ARRAY else 1) * _FILE_HEADER_BYTES


def read_size(source: IO[bytes]) -> Size:
    """Read width and height; 0 for what is missing."""
    start = header_offset(source)
    source.seek(start)
    head = source.read(12).ljust(12, b"\0")
    if int.from_bytes(head[:4], "little") == _MIN_HEADER:
        width, height = struct.unpack_from("<HH", head, 4)
    else:
        width, height = struct.unpack_from("<ii", head, 4)
    return width, abs(height)


def unsupported(source: IO[bytes]) -> str:
    """Return the name of a variant that nothing here decodes, or ""."""
    source.seek(header_offset(source))
    head = source.read(20).ljust(20, b"\0")
    if int.from_bytes(head[:4], "little") == _MIN_HEADER:
        bits, compression = int.from_bytes(head[10:12], "little"), 0
    else:
        bits, compression = struct.unpack_from("<HI", head, 14)
    if bits == 1 and compression == _HUFFMAN:
        return "Huffman-coded BMP"
    if compression in _CMYK:
        return "CMYK BMP"
    return "" if bits in (0, *_DEPTHS) or compression in _EMBEDDED else f"{bits}-bit BMP"
