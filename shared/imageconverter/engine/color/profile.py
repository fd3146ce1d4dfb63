"""ICC profiles made from primaries and a transfer function (ICC.1:2022), so that LittleCMS converts them too."""

import struct
from functools import lru_cache

from imageconverter.engine.color.primaries import Primaries
from imageconverter.engine.color.transfer import Curve

_D50 = (0.9642, 1.0, 0.8249)
_VERSION = 0x04400000
_HEADER_BYTES, _ENTRY_BYTES = 128, 12
_NAME = "RGB".encode("utf-16-be")


@lru_cache(maxsize=32)
def build_profile(primaries: Primaries, curve: Curve) -> bytes:
    """Return the profile of a display. Raises ValueError if there is none for these *primaries*."""
    red, green, blue = primaries.to_xyz().T
    a_text = struct.pack(">4s4xII2s2sII", b"mluc", 1, 12, b"en", b"US", len(_NAME), 28) + _NAME
    a_curve = struct.pack(">4s4xHH", b"para", 3, 0) + _fixed(*curve)
    return _laid_out(
        [
            ((b"desc", b"cprt"), a_text),
            ((b"wtpt",), _xyz(*_D50)),
            ((b"rXYZ",), _xyz(*red)),
            ((b"gXYZ",), _xyz(*green)),
            ((b"bXYZ",), _xyz(*blue)),
            ((b"rTRC", b"gTRC", b"bTRC"), a_curve),
        ]
    )


def _laid_out(contents: list[tuple[tuple[bytes, ...], bytes]]) -> bytes:
    """Lay out a profile from each content and the tags that share it."""
    count = sum(len(tags) for tags, _ in contents)
    start = _HEADER_BYTES + 4 + _ENTRY_BYTES * count
    table, body = struct.pack(">I", count), b""
    for tags, content in contents:
        for tag in tags:
            table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI4s4s4s", start + len(body), _VERSION, b"mntr", b"RGB ", b"XYZ ")
    header += struct.pack(">6H4s28x", 2026, 1, 1, 0, 0, 0, b"acsp") + _fixed(*_D50)
    return header.ljust(_HEADER_BYTES, b"\0") + table + body


def _xyz(*values: float) -> bytes:
    return struct.pack(">4s4x", b"XYZ ") + _fixed(*values)


def _fixed(*values: float) -> bytes:
    """Encode *values* as s15Fixed16Number. Raises ValueError if one does not fit."""
    try:
        return struct.pack(f">{len(values)}i", *(round(value * 65536) for value in values))
    except struct.error:
        raise ValueError("a number of the color space is too large") from None
