"""ICC profiles, written by code."""

import struct
from functools import cache
from typing import Any

import numpy as np
from PIL import ImageCms

_TABLE_STEPS = 9


@cache
def p3_profile() -> bytes:
    """Write the ICC profile (version 4, matrix and curve) of Display P3."""
    return _p3_profile({})


@cache
def with_cicp(primaries: int, transfer: int) -> bytes:
    """Write the same profile with a tag that says something else by the numbers of ITU-T H.273."""
    return _p3_profile({b"cicp": b"cicp" + bytes(4) + bytes([primaries, transfer, 0, 1])})


@cache
def with_black_primaries() -> bytes:
    """Write the same profile with a red and a blue that are black: its white is green."""
    return _p3_profile({b"rXYZ": _xyz(0, 0, 0), b"bXYZ": _xyz(0, 0, 0)})


def _p3_profile(more: dict[bytes, bytes]) -> bytes:
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += b"".join(_fixed(value) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    primaries = {b"r": (0.515121, 0.241196, -0.001053), b"g": (0.291977, 0.692245, 0.041885)}
    primaries[b"b"] = (0.157104, 0.066574, 0.784073)
    tags = {name + b"XYZ": _xyz(*value) for name, value in primaries.items()}
    tags |= {name + b"TRC": curve for name in primaries} | more
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags, version=4)


@cache
def grey_profile(*, gamma: float = 1.0) -> bytes:
    """Write the ICC profile of a gray scale with one exponent."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve}, version=2)


@cache
def cmyk_profile() -> bytes:
    """Write the ICC profile of a printer whose four inks act as filters: cyan is not (0, 255, 255).

    Its paper is white and its darkest black is a dark gray, as in all printing.
    """
    inks = np.array([(0, 158, 224), (229, 0, 125), (255, 236, 0), (40, 38, 37)]) / 255
    light_of_inks = np.where(inks <= 0.04045, inks / 12.92, ((inks + 0.055) / 1.055) ** 2.4)
    light = np.prod(1 - _grid(4)[..., None] * (1 - light_of_inks), axis=1)
    to_xyz = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    x, y, z = np.cbrt(np.clip(light @ to_xyz.T / to_xyz.sum(axis=1), 0.009, None)).T
    lab = np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], axis=1)
    # The inverse table is coarse; it is only used to find the black point.
    inks_of_grey = 1 - _grid(3)[:, :1].repeat(4, axis=1)
    tags = {b"A2B0": _lut(lab, 4, 3), b"B2A0": _lut(inks_of_grey * 255, 3, 4)}
    return _profile(b"prtr", b"CMYK", b"Lab ", tags, version=2)


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def of_class(device_class: bytes) -> bytes:
    """Return the profile of Display P3 as if it were of another class."""
    return p3_profile()[:12] + device_class + p3_profile()[16:]


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(x) + _fixed(y) + _fixed(z)


def _grid(channels: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the points of a table over *channels*, in the order of ICC profiles."""
    steps = np.linspace(0, 1, _TABLE_STEPS)
    return np.stack(np.meshgrid(*[steps] * channels, indexing="ij"), axis=-1).reshape(-1, channels)


def _lut(values: np.ndarray[Any, np.dtype[np.float64]], inputs: int, outputs: int) -> bytes:
    """Lay out a table of an ICC profile, between curves that change nothing."""
    unity = (65536 if n % 4 == 0 else 0 for n in range(9))
    head = struct.pack(">4s4xBBBx9i", b"mft1", inputs, outputs, _TABLE_STEPS, *unity)
    table: bytes = np.clip(np.rint(values), 0, 255).astype(np.uint8).tobytes()
    return head + bytes(range(256)) * inputs + table + bytes(range(256)) * outputs


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes], *, version: int) -> bytes:
    """Lay out an ICC profile: a header of 128 bytes, a table of tags, the tags."""
    name = b"Made for tests"
    if version == 4:  # version 4 encodes texts differently
        wide = name.decode().encode("utf-16-be")
        text = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(wide), 28) + wide
        texts = {b"desc": text, b"cprt": text}
    else:
        described = struct.pack(">I", len(name) + 1) + name + bytes(1 + 4 + 4 + 2 + 1 + 67)
        texts = {b"desc": b"desc" + bytes(4) + described, b"cprt": b"text" + bytes(4) + name + b"\0"}
    every = {**texts, b"wtpt": _xyz(0.9642, 1.0, 0.8249), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(every)
    for tag, content in every.items():
        table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    illuminant = _fixed(0.9642) + _fixed(1.0) + _fixed(0.8249)
    header = struct.pack(">I4xI4s4s4s", start + len(body), version << 24, kind, space, connection)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + illuminant + bytes(48)
    return header + struct.pack(">I", len(every)) + table + body
