"""The extents of a JPEG XL image, from its first bytes (ISO/IEC 18181-1, SizeHeader; 18181-2, boxes)."""

import struct
from typing import IO

_CODESTREAM = b"\xff\x0a"
_MAX_BOXES = 64
_HEADER_BYTES = 16  # bytes of a code stream that hold the extents
_RATIOS = ((1, 1), (12, 10), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))


def read_size(source: IO[bytes]) -> tuple[int, int]:
    """Return width and height in pixels as stored, or (0, 0) if they cannot be found."""
    source.seek(0)
    start = source.read(_HEADER_BYTES)
    if not start.startswith(_CODESTREAM):
        start = _first_codestream(source)
    return _size(start[2:]) if start.startswith(_CODESTREAM) and len(start) == _HEADER_BYTES else (0, 0)


def _first_codestream(source: IO[bytes]) -> bytes:
    """Return the first bytes of the code stream in a container, or b""."""
    at = 0
    for _ in range(_MAX_BOXES):
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:  # noqa: PLR2004 - of a box
            break
        length, kind, content = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1 and len(head) == 16:  # noqa: PLR2004 - with a long length
            length, content = struct.unpack_from(">Q", head, 8)[0], 16
        if kind in (b"jxlc", b"jxlp"):
            source.seek(at + content + (4 if kind == b"jxlp" else 0))
            return source.read(_HEADER_BYTES)
        if length < content:
            break
        at += length
    return b""


def _size(header: bytes) -> tuple[int, int]:
    bits = int.from_bytes(header, "little")

    def take(count: int) -> int:
        nonlocal bits
        value = bits & ((1 << count) - 1)
        bits >>= count
        return value

    small = take(1)

    def side() -> int:
        return 8 * (1 + take(5)) if small else 1 + take((9, 13, 18, 30)[take(2)])

    height = side()
    ratio = take(3)
    if ratio == 0:
        return side(), height
    numerator, denominator = _RATIOS[ratio - 1]
    return height * numerator // denominator, height
