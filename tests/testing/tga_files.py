"""TGA files, made by code from the bytes of their pixels."""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]


def tga(
    pixels: Samples,
    kind: int = 2,
    *,
    depth: int = 0,
    colors: Sequence[bytes] = (),
    first_color: int = 0,
    map_bits: int = 0,
    alpha_bits: int = 0,
    from_right: bool = False,
    from_above: bool = False,
    identifier: bytes = b"",
    attributes: int | None = None,
) -> bytes:
    """Make a file of *pixels* (row, column, byte) as they are seen; a *kind* from 9 on is run-length encoded.

    *attributes* are those of an extension area, which there is none of without them.
    """
    height, width, length = pixels.shape
    flags = alpha_bits | 0x10 * from_right | 0x20 * from_above
    fields = (len(identifier), bool(colors), kind, first_color, len(colors), map_bits, 0, 0, width, height)
    head = struct.pack("<BBBHHBHHHHBB", *fields, depth or length * 8, flags)
    rows = pixels[:: 1 if from_above else -1, :: -1 if from_right else 1]
    data = packed(rows.reshape(-1, length)) if kind > 8 else rows.tobytes()
    body = head + identifier + b"".join(colors) + data
    if attributes is None:
        return body
    extension = struct.pack("<H", 495) + bytes(492) + bytes([attributes])
    return body + extension + struct.pack("<II", len(body), 0) + b"TRUEVISION-XFILE.\0"


def packed(pixels: Samples) -> bytes:
    """Encode *pixels* without regard to rows: packets of runs, and of up to seven pixels as they are."""
    data = bytearray()
    stored = [pixel.tobytes() for pixel in pixels]
    at = 0
    while at < len(stored):
        run = 1
        while run < 128 and stored[at : at + run + 1] == [stored[at]] * (run + 1):
            run += 1
        if run > 1:
            data += bytes([0x7F + run]) + stored[at]
        else:
            run = min(7, len(stored) - at)
            data += bytes([run - 1]) + b"".join(stored[at : at + run])
        at += run
    return bytes(data)
