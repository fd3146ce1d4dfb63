"""Icons and cursors of Windows, made by code."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from tests.testing.bmp_files import bmp

Samples = np.ndarray[Any, np.dtype[Any]]


def ico(*images: bytes, cursor: bool = False, listed: Sequence[tuple[int, int]] = ()) -> bytes:
    """Make an icon of finished *images*, whose sizes the directory has as *listed*, or as 1 x 1."""
    entries, data = b"", b""
    start = 6 + 16 * len(images)
    for number, image in enumerate(images):
        width, height = listed[number] if listed else (1, 1)
        entries += struct.pack("<4BHHII", width & 0xFF, height & 0xFF, 0, 0, 1, 0, len(image), start + len(data))
        data += image
    return struct.pack("<HHH", 0, 2 if cursor else 1, len(images)) + entries + data


def bitmap(pixels: Samples, bits: int, mask: Samples | None = None, **fields: Any) -> bytes:
    """Make a bitmap in an icon: *pixels* as for `bmp_files.bmp`, 1 in the *mask* where they are transparent."""
    height, width = pixels.shape
    data = bytearray(bmp(pixels, bits, **fields)[14:])
    at = 6 if fields.get("header") == 12 else 8
    kind = "<H" if at == 6 else "<i"
    data[at : at + struct.calcsize(kind)] = struct.pack(kind, 2 * height)
    rows = np.packbits(np.zeros((height, width), "u1") if mask is None else mask.astype("u1"), axis=1)[::-1]
    return bytes(data) + b"".join(row.tobytes().ljust((width + 31) // 32 * 4, b"\0") for row in rows)
