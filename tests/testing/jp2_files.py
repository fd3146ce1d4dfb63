"""JPEG 2000 files: boxes around a code stream."""

import struct
from collections.abc import Sequence

import numpy as np
from PIL import Image

from tests.testing.j2k_encoder import Samples, encode

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"


def codestream(image: Image.Image, *, tile: int = 0) -> bytes:
    """Encode the channels of *image* without loss."""
    pixels = np.asarray(image)
    planes = pixels if pixels.ndim == 3 else pixels[..., None]
    return encode(*(Samples(plane) for plane in np.moveaxis(planes, 2, 0)), tile=tile)


def box(kind: bytes, *contents: bytes) -> bytes:
    """Write a box."""
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def jp2(stream: bytes, *boxes: bytes, brand: bytes = b"jp2 ", after: bytes = b"") -> bytes:
    """Write a file with *boxes* in its header, and *after* the code stream."""
    header = box(b"ihdr", bytes(8), bytes(2), b"\xff\7\1\0")  # the extents are those of the code stream
    file_type = box(b"ftyp", brand, bytes(4), brand)
    return SIGNATURE + file_type + box(b"jp2h", header, *boxes) + box(b"jp2c", stream) + after


def color(number: int, parameters: bytes = b"") -> bytes:
    """Write a color specification by number."""
    return box(b"colr", b"\1\0\0", struct.pack(">I", number), parameters)


def profile(data: bytes, method: int = 2) -> bytes:
    """Write a color specification by profile."""
    return box(b"colr", bytes([method, 0, 0]), data)


def channels(*entries: tuple[int, int, int]) -> bytes:
    """Write a channel definition: channel, kind, color."""
    return box(b"cdef", struct.pack(">H", len(entries)), *(struct.pack(">HHH", *entry) for entry in entries))


def palette(entries: Sequence[Sequence[int]], *, bits: int = 8) -> bytes:
    """Write a palette."""
    count, columns = len(entries), len(entries[0])
    layout = ">" + ("H" if bits > 8 else "B") * columns
    rows = b"".join(struct.pack(layout, *entry) for entry in entries)
    return box(b"pclr", struct.pack(">HB", count, columns), bytes([bits - 1] * columns), rows)


def mapping(*entries: tuple[int, int, int]) -> bytes:
    """Write a component mapping: component, whether by the palette, column."""
    return box(b"cmap", *(struct.pack(">HBB", *entry) for entry in entries))
