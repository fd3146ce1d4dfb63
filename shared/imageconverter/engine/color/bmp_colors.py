"""What the header of a BMP says about its colors: BITMAPV4HEADER and BITMAPV5HEADER of the Windows SDK."""

import struct
from typing import IO

from imageconverter.engine.color.primaries import Chromaticity, Primaries
from imageconverter.engine.color.statements import Statements

_FILE_HEADER_BYTES = 14
_V4_BYTES, _V5_BYTES = 108, 124
_COLOR_SPACE, _ENDPOINTS, _GAMMAS, _PROFILE = 56, 60, 96, 112  # offsets in the header
_CALIBRATED, _EMBEDDED = 0, int.from_bytes(b"MBED", "big")
_ENDPOINT_UNIT, _GAMMA_UNIT = 1 << 30, 1 << 16
_MAX_PROFILE_BYTES = 16 * 1024 * 1024
_MIN_GAMMA = 0.3


def read_bmp(source: IO[bytes]) -> Statements:
    """Read an embedded profile, or primaries and gamma; a profile in another file is ignored."""
    source.seek(_FILE_HEADER_BYTES)
    header = source.read(_V5_BYTES)
    size = int.from_bytes(header[:4], "little")
    if size < _V4_BYTES or len(header) < _V4_BYTES:
        return Statements()
    (kind,) = struct.unpack_from("<I", header, _COLOR_SPACE)
    if kind == _CALIBRATED:
        return _calibrated(header)
    if kind == _EMBEDDED and size >= _V5_BYTES and len(header) == _V5_BYTES:
        offset, length = struct.unpack_from("<II", header, _PROFILE)
        source.seek(_FILE_HEADER_BYTES + offset)
        return Statements(icc_profile=source.read(min(length, _MAX_PROFILE_BYTES)))
    return Statements()


def _calibrated(header: bytes) -> Statements:
    """Read three colors as XYZ and the mean of three exponents; both are often left at zero, or without sense."""
    numbers = [part / _ENDPOINT_UNIT for part in struct.unpack_from("<9I", header, _ENDPOINTS)]
    exponent = sum(struct.unpack_from("<3I", header, _GAMMAS)) / 3 / _GAMMA_UNIT
    gamma = 1 / exponent if exponent > 1 else exponent  # some programs write the one, some the other
    sums = [sum(numbers[at : at + 3]) for at in (0, 3, 6)]
    if gamma < _MIN_GAMMA or not all(sums):
        return Statements()
    corners: list[Chromaticity] = [
        (numbers[3 * index] / total, numbers[3 * index + 1] / total) for index, total in enumerate(sums)
    ]
    red, green, blue = corners
    return Statements(gamma=gamma, primaries=Primaries(red, green, blue))
