"""Samples of linear light: they get sRGB's curve before 8 bits are made of them, else shadows would show steps."""

import struct

import numpy as np

from imageconverter.engine.plugins.decoded import Levels, Samples

_STEPS = 0xFFFF
_STRIP = 1 << 20  # samples that are converted at once
_TAG_TABLE, _TAG = (
    128,
    struct.Struct(">4sII"),
)  # of an ICC profile (ICC.1:2022): offset of the number of tags, an entry
_MAX_TAGS = 100
_CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
# A parametric curve of type 3 with sRGB's gamma, a, b, c and d (IEC 61966-2-1), in sixteenths of 16 bits.
_SRGB = struct.pack(
    ">4s4xHxx5i", b"para", 3, *(round(n * 65536) for n in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)


def levels_of_light(samples: Samples) -> Levels:
    """Return the sRGB levels of floating point samples from 0 to 1; what is outside is clipped."""
    light = np.arange(_STEPS + 1) / _STEPS
    curve = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)  # noqa: PLR2004 - sRGB's
    table = (curve * 255 + 0.5).astype("u1")
    levels = np.empty(samples.shape, "u1")
    flat, source = levels.reshape(-1), samples.reshape(-1)
    for at in range(0, flat.size, _STRIP):
        strip = np.nan_to_num(source[at : at + _STRIP].astype("f4"), nan=0, posinf=1, neginf=0)
        flat[at : at + _STRIP] = table[(np.clip(strip, 0, 1) * _STEPS + 0.5).astype("u2")]
    return levels


def with_srgb_curve(profile: bytes) -> bytes:
    """Return an ICC *profile* of linear light with sRGB's curve; any other one as it is."""
    if len(profile) < _TAG_TABLE + 4:
        return profile
    count = int.from_bytes(profile[_TAG_TABLE : _TAG_TABLE + 4], "big")
    if count > _MAX_TAGS or len(profile) < _TAG_TABLE + 4 + count * _TAG.size:
        return profile
    start = len(profile) + -len(profile) % 4
    changed = bytearray(profile.ljust(start, b"\0") + _SRGB)
    changed[:4] = struct.pack(">I", len(changed))
    for number in range(count):
        at = _TAG_TABLE + 4 + number * _TAG.size
        name, offset, length = _TAG.unpack_from(profile, at)
        if name in _CURVES:
            if not _is_straight(profile[offset : offset + length]):
                return profile
            _TAG.pack_into(changed, at, name, start, len(_SRGB))
    return bytes(changed)


def _is_straight(curve: bytes) -> bool:
    """Whether a curve is that of linear light: none at all, or an exponent of 1."""
    if curve.startswith(b"para"):
        parameters = struct.unpack(f">{len(curve[12:]) // 4}i", curve[12 : len(curve) // 4 * 4])
        return parameters in ((1 << 16,), (1 << 16, 1 << 16, 0, 0, 0))  # of the types 0 and 3
    return curve.startswith(b"curv") and curve[8:14] in (b"\0\0\0\0", b"\0\0\0\0\0\0", b"\0\0\0\1\1\0")
