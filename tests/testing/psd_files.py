"""PSD and PSB files, made by code from the samples of their channels."""

import struct
import zlib
from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]

RAW, PACKED, ZIP, PREDICTED = range(4)
"""Compressions."""
BITMAP, GRAY, INDEXED, RGB, CMYK, MULTICHANNEL, DUOTONE, LAB = 0, 1, 2, 3, 4, 7, 8, 9
"""Modes."""


def psd(
    channels: Samples,
    mode: int = RGB,
    *,
    compression: int = RAW,
    layers: int | None = None,
    block: str = "",
    resources: dict[int, bytes] | None = None,
    palette: bytes = b"",
    large: bool = False,
    width: int = 0,
) -> bytes:
    """Make a file of *channels* (channel, row, column), of bytes, 16-bit integers, floats, or packed bits of *width*.

    *layers* is the number of layers that is stored, *block* the name of a further block of the layers.
    """
    count, height, columns = channels.shape
    depth = 1 if width else channels.itemsize * 8
    length = ">Q" if large else ">I"
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1 + large, count, height, width or columns, depth, mode)
    stored = b"".join(_resource(number, data) for number, data in (resources or {}).items())
    information = struct.pack(">h", layers) + bytes(2) if layers is not None and not block else b""
    section = struct.pack(length, len(information)) + information + bytes(4)
    if block:
        data = struct.pack(">h", layers) + bytes(2) if layers is not None else b""
        section += b"8BIM" + block.encode() + struct.pack(length, len(data)) + data
    if layers is None and not block:
        section = b""
    parts = [head, struct.pack(">I", len(palette)), palette, struct.pack(">I", len(stored)), stored]
    return b"".join([*parts, struct.pack(length, len(section)), section, _pixels(channels, compression, large=large)])


def packed_row(row: bytes) -> bytes:
    """Pack a row by PackBits: repeats of up to 128 bytes, or each other byte as a literal of its own."""
    packed = bytearray()
    at = 0
    while at < len(row):
        repeats = 1
        while repeats < 128 and row[at : at + 1] * (repeats + 1) == row[at : at + repeats + 1]:
            repeats += 1
        packed += bytes([257 - repeats if repeats > 1 else 0, row[at]])
        at += repeats
    return bytes(packed)


def _resource(number: int, data: bytes) -> bytes:
    return struct.pack(">4sHHI", b"8BIM", number, 0, len(data)) + data + bytes(len(data) % 2)


def _pixels(channels: Samples, compression: int, *, large: bool) -> bytes:
    stored = channels.astype(channels.dtype.newbyteorder(">"))
    start = struct.pack(">H", compression)
    if compression == PACKED:
        rows = [packed_row(row.tobytes()) for channel in stored for row in channel]
        return start + b"".join(struct.pack(">I" if large else ">H", len(row)) for row in rows) + b"".join(rows)
    if compression == PREDICTED:
        return start + zlib.compress(b"".join(_predicted(row) for channel in stored for row in channel))
    data = stored.tobytes()
    return start + (zlib.compress(data) if compression == ZIP else data)


def _predicted(row: Samples) -> bytes:
    if row.dtype.kind == "f":
        planes = row.view("u1").reshape(-1, 4).T.reshape(-1)
        return np.diff(planes, prepend=planes.dtype.type(0)).tobytes()
    return np.diff(row, prepend=row.dtype.type(0)).astype(row.dtype).tobytes()
