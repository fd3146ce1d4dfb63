"""Bitmaps of Windows and OS/2, made by code from their pixels as they are stored."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]

RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS = range(7)
"""Compressions; 4 is RLE24 and 3 Huffman's code in OS/2."""


def bmp(
    pixels: Samples | bytes,
    bits: int,
    *,
    size: tuple[int, int] = (0, 0),
    header: int = 40,
    compression: int = RGB,
    palette: Sequence[tuple[int, int, int]] = (),
    masks: Sequence[int] = (),
    top_down: bool = False,
    profile: bytes = b"",
    reserved: int = 0,
    gap: int = 0,
) -> bytes:
    """Make a file of *pixels*: rows of integers of *bits*, the uppermost first, or finished data of *size*.

    *header* is the length of the header, *gap* that between the palette and the pixels; an ICC *profile* needs 124.
    """
    if isinstance(pixels, bytes):
        data, (width, height) = pixels, size
    else:
        data = b"".join(_row(row, bits) for row in (pixels if top_down else pixels[::-1]))
        height, width = pixels.shape
    start = _header(width, -height if top_down else height, bits, header, compression, len(palette))
    after = b""
    if masks and header < 52:
        after = struct.pack(f"<{len(masks)}I", *masks)
    elif masks:
        stored = struct.pack("<4I", *masks, *[0] * (4 - len(masks)))[: header - 40]
        start = start[:40] + stored + start[40 + len(stored) :]
    if profile:
        space = b"DEBM" + start[60:112] + struct.pack("<II", header + len(after) + len(data) + gap, len(profile))
        start = start[:56] + space + start[120:]
    colors = b"".join(bytes(color[::-1]) + b"\0" * (header > 12) for color in palette)
    offset = 14 + len(start) + len(after) + len(colors) + gap
    body = start + after + colors + bytes(gap) + data + profile
    return struct.pack("<2sIII", b"BM", 14 + len(body), reserved, offset) + body


def rle(rows: Samples, bits: int) -> bytes:
    """Encode rows of indices, the uppermost first: runs, the first five pixels of each row as they are."""
    data = bytearray()
    for row in rows[::-1]:
        first = row[:5]
        data += bytes([0, len(first)]) + _padded(_indices(first, bits), 2)
        at = len(first)
        while at < len(row):
            count = 1
            while at + count < len(row) and count < 255 and row[at + count] == row[at]:
                count += 1
            value = int(row[at])
            data += bytes([count, value if bits == 8 else value * 17])
            at += count
        data += b"\0\0"
    return bytes(data + b"\0\1")


def rle24(rows: Samples) -> bytes:
    """Encode rows of RGB as runs of one pixel, the first three of each row as they are."""
    data = bytearray()
    for row in rows[::-1, :, ::-1]:
        data += b"\0\3" + row[:3].tobytes() + b"\0"
        data += b"".join(b"\1" + pixel.tobytes() for pixel in row[3:]) + b"\0\0"
    return bytes(data + b"\0\1")


def _header(width: int, height: int, bits: int, length: int, compression: int, colors: int) -> bytes:
    if length == 12:
        return struct.pack("<IHHHH", length, width, height, 1, bits)
    fields = struct.pack("<IiiHHIIiiII", length, width, height, 1, bits, compression, 0, 2835, 2835, colors, 0)
    return fields[:length].ljust(length, b"\0")


def _row(row: Samples, bits: int) -> bytes:
    if bits <= 8:
        return _padded(_indices(row, bits), 4)
    pixels = row.astype("<u8").view("u1").reshape(-1, 8)[:, : bits // 8]
    return _padded(pixels.tobytes(), 4)


def _indices(row: Samples, bits: int) -> bytes:
    each = np.unpackbits(row.astype("u1")[:, None], axis=1)[:, 8 - bits :]
    return np.packbits(each).tobytes()


def _padded(data: bytes, unit: int) -> bytes:
    return data + bytes(-len(data) % unit)
