"""The ICC profile in a GIF (ICC.1:2022, annex B.6), which Pillow does not read."""

from typing import IO

from imageconverter.engine.color.statements import Statements

_MAX_BYTES = 4 * 1024 * 1024  # before the first frame
_HEADER_BYTES = 13
_TABLE_FLAG, _TABLE_BITS = 0x80, 0x07
_EXTENSION, _APPLICATION = 0x21, 0xFF
_PROFILE = b"\x0bICCRGBG1012"


def read_gif(source: IO[bytes]) -> Statements:
    """Read the profile, if there is one before the first frame."""
    source.seek(0)
    data = source.read(_MAX_BYTES)
    flags = data[10] if len(data) > _HEADER_BYTES else 0
    at = _HEADER_BYTES + (3 << (flags & _TABLE_BITS) + 1 if flags & _TABLE_FLAG else 0)
    while data[at : at + 1] == bytes([_EXTENSION]):
        is_profile = data[at + 1 : at + 2] == bytes([_APPLICATION]) and data.startswith(_PROFILE, at + 2)
        at += 2
        parts = []
        while size := data[at] if at < len(data) else 0:
            parts.append(data[at + 1 : at + 1 + size])
            at += 1 + size
        if is_profile:
            return Statements(icc_profile=b"".join(parts[1:]))
        at += 1
    return Statements()
