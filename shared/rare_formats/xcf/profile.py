"""Color profiles of images whose samples do not follow the profile's own curves."""

import struct

_HEADER = 128  # bytes
_ENTRY = 12
_MAX_TAGS = 100
_CURVES = (b"rTRC", b"gTRC", b"bTRC", b"kTRC")
_TABLES = (b"A2B0", b"A2B1", b"A2B2", b"B2A0", b"B2A1", b"B2A2")
# A parametric curve of type 3, as in the specification of ICC.1: gamma, a, b, c and d of sRGB in 16.16 fixed point.
_SRGB_CURVE = b"para" + bytes(4) + struct.pack(">HH5i", 3, 0, *(
    round(value * 65536) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
))  # fmt: skip


def with_srgb_curves(profile: bytes) -> bytes | None:
    """Return *profile* with the curve of sRGB in place of its own curves; None if it is based on tables.

    GIMP uses only the primaries of the profile of an image in linear light. Its samples get the curve of sRGB here,
    because 8 bits are too few for linear light. Raises ValueError for a broken profile.
    """
    if len(profile) < _HEADER + 4:
        raise ValueError("the color profile is too short")
    count = int.from_bytes(profile[_HEADER : _HEADER + 4], "big")
    start = _HEADER + 4
    end = start + count * _ENTRY
    if count > _MAX_TAGS or end > len(profile):
        raise ValueError("the color profile has too many tags")
    tags = [struct.unpack_from(">4s2I", profile, at) for at in range(start, end, _ENTRY)]
    names = {name for name, _, _ in tags}
    if names.isdisjoint(_CURVES) or not names.isdisjoint(_TABLES):
        return None
    body = profile[end:] + bytes(-len(profile) % 4)
    curve_at = end + len(body)
    table = b"".join(
        struct.pack(">4s2I", name, curve_at, len(_SRGB_CURVE))
        if name in _CURVES
        else struct.pack(">4s2I", name, at, size)
        for name, at, size in tags
    )
    length = curve_at + len(_SRGB_CURVE)
    header = length.to_bytes(4, "big") + profile[4:84] + bytes(16) + profile[100:_HEADER]  # without its checksum
    return header + profile[_HEADER:start] + table + body + _SRGB_CURVE
