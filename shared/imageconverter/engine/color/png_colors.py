"""What the chunks of a PNG say about its colors (PNG, third edition, section 11.3.2)."""

import struct
import zlib
from dataclasses import replace
from typing import IO

from imageconverter.engine.color.primaries import Primaries
from imageconverter.engine.color.statements import CodePoints, Statements

_SIGNATURE_BYTES = 8
_MAX_CHUNKS = 1000  # before the pixels
_CHUNK = struct.Struct(">I4s")
# By kind, the length of what is read.
_LENGTHS = {b"cICP": 4, b"sRGB": 1, b"gAMA": 4, b"cHRM": 32, b"cLLI": 8}
_PARTS = 100_000  # of one, in gAMA and cHRM
_PARTS_OF_NIT = 10_000


def read_png(source: IO[bytes]) -> Statements:
    """Read all chunks but iCCP; those with a wrong checksum or length do not count."""
    found = Statements()
    at = _SIGNATURE_BYTES
    for _ in range(_MAX_CHUNKS):
        source.seek(at)
        head = source.read(_CHUNK.size)
        if len(head) < _CHUNK.size or head[4:] == b"IDAT":
            break
        length, kind = _CHUNK.unpack(head)
        if _LENGTHS.get(kind) == length:
            content, checksum = source.read(length), source.read(4)
            if zlib.crc32(kind + content).to_bytes(4, "big") == checksum:
                found = _with(found, kind, content)
        at += _CHUNK.size + length + 4
    return found


def _with(found: Statements, kind: bytes, content: bytes) -> Statements:
    match kind:
        case b"cICP":
            return replace(found, code_points=CodePoints(*content))
        case b"gAMA":
            return replace(found, gamma=int.from_bytes(content, "big") / _PARTS)
        case b"cHRM":
            white_x, white_y, *corners = (part / _PARTS for part in struct.unpack(">8i", content))
            red, green, blue = zip(corners[::2], corners[1::2], strict=True)
            return replace(found, primaries=Primaries(red, green, blue, (white_x, white_y)))
        case b"cLLI":
            return replace(found, peak=int.from_bytes(content[:4], "big") / _PARTS_OF_NIT)
        case _:
            return replace(found, is_srgb=True)
