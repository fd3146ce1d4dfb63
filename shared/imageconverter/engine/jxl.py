"""The extents of a JPEG XL image, from its first bytes (ISO/IEC 18181-1, headers; 18181-2, boxes)."""

import io
import struct
from typing import IO

_CODESTREAM = b"\xff\x0a"
_MAX_BOXES = 64
_HEADER_BYTES = 16  # bytes of a code stream that hold the extents and the orientation
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_SIDEWAYS = range(5, 9)


def read_size(source: IO[bytes]) -> tuple[int, int]:
    """Return width and height in pixels of the upright image, or (0, 0) if they cannot be found."""
    source.seek(0)
    start = source.read(_HEADER_BYTES)
    if not start.startswith(_CODESTREAM):
        start = _first_codestream(source)
    if not start.startswith(_CODESTREAM) or len(start) < _HEADER_BYTES:
        return 0, 0
    bits = _Bits(start[2:])
    width, height = _size(bits)
    return (height, width) if _orientation(bits) in _SIDEWAYS else (width, height)


def _first_codestream(source: IO[bytes]) -> bytes:
    """Return the first bytes of the code stream in a container, the parts of which may be of any length."""
    at, found, end = 0, b"", source.seek(0, io.SEEK_END)
    for _ in range(_MAX_BOXES):
        source.seek(min(at, end))  # which numbers of 8 bytes can exceed
        head = source.read(16)
        if len(head) < 8:  # noqa: PLR2004 - of a box
            break
        length, kind, content = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1 and len(head) == 16:  # noqa: PLR2004 - with a long length
            length, content = struct.unpack_from(">Q", head, 8)[0], 16
        is_last = length == 0
        if kind in (b"jxlc", b"jxlp"):
            content += 4 if kind == b"jxlp" else 0
            source.seek(at + content)
            wanted = _HEADER_BYTES - len(found)
            found += source.read(wanted if is_last else max(0, min(wanted, length - content)))
        if is_last or length < content or len(found) == _HEADER_BYTES:
            break
        at += length
    return found


class _Bits:
    """The bits of a code stream, the lowest of each byte first."""

    def __init__(self, data: bytes) -> None:
        self._bits = int.from_bytes(data, "little")

    def take(self, count: int) -> int:
        """Return the number in the next *count* bits."""
        value = self._bits & ((1 << count) - 1)
        self._bits >>= count
        return value


def _size(bits: _Bits) -> tuple[int, int]:
    """Read the SizeHeader: width and height as stored."""
    small = bits.take(1)

    def side() -> int:
        return 8 * (1 + bits.take(5)) if small else 1 + bits.take((9, 13, 18, 30)[bits.take(2)])

    height = side()
    ratio = bits.take(3)
    if ratio == 0:
        return side(), height
    numerator, denominator = _RATIOS[ratio - 1]
    return height * numerator // denominator, height


def _orientation(bits: _Bits) -> int:
    """Read the begin of the ImageMetadata: the orientation, 1 to 8."""
    is_default = bits.take(1)
    has_extra_fields = not is_default and bits.take(1)
    return 1 + bits.take(3) if has_extra_fields else 1
