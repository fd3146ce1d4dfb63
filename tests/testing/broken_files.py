"""Broken image files, and bombs: small files that declare large images."""

import struct
from collections.abc import Callable

import numpy as np

from tests.testing.drawings import Size
from tests.testing.image_files import avif, raw_png


def truncated(data: bytes, *, share: float = 0.5) -> bytes:
    """Cut *data* off after a *share* of it."""
    return data[: int(len(data) * share)]


def garbage(length: int = 4000, *, seed: int = 1) -> bytes:
    """Return random bytes."""
    return np.random.default_rng(seed).bytes(length)


MAGICS: dict[str, bytes] = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF89a",
    "WebP": b"RIFF\x10\0\0\0WEBP",
    "AVIF": b"\0\0\0\x1cftypavif",
    "TIFF": b"II*\0",
    "BMP": b"BM" + bytes(12) + b"\x28\0\0\0",
}
"""Leading bytes that announce an image of each source format."""


def flat_webp(size: Size) -> bytes:
    """Write a lossless WebP of one color by hand: 34 bytes, regardless of its size."""
    bits = (size[0] - 1) | (size[1] - 1) << 14 | 1 << 28
    position = 28 + 1 + 3 + 3  # extents, alpha, version; no transform, no color cache, no groups
    for _ in range(5):  # each of the five prefix codes has one symbol
        bits |= 1 << position
        position += 4
    stream = b"\x2f" + bits.to_bytes(13, "little")
    return b"RIFF" + struct.pack("<I", 12 + len(stream)) + b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream


def webp_bomb() -> bytes:
    """Make a WebP of 34 bytes and 268 megapixels, which libwebp allocates when it reads the size."""
    return flat_webp((16383, 16383))


def png_bomb() -> bytes:
    """Make a PNG whose header declares 2,500 megapixels."""
    return raw_png((50_000, 50_000), 8, 2, [bytes(150_000)] * 3)


def jpeg_bomb() -> bytes:
    """Make a JPEG that consists of a header that declares 4,290 megapixels."""
    return b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 8, 65_500, 65_500, 3) + bytes(9) + b"\xff\xd9"


def gif_bomb() -> bytes:
    """Make a GIF whose screen has 4,295 megapixels."""
    return b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6) + b";"


def gif_frame_bomb(size: Size = (60_000, 60_000)) -> bytes:
    """Make a GIF with a screen of one pixel and a frame of *size*."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + b"\x02\x02\x4c\x01\0;"


def tiff_bomb() -> bytes:
    """Make a TIFF whose header declares 10,000 megapixels."""
    entries = {256: 100_000, 257: 100_000, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 100_000, 279: 100}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


def bmp_bomb() -> bytes:
    """Make a BMP whose header declares 3,600 megapixels."""
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 0, 0, 54, 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0)


def avif_bomb() -> bytes:
    """Make an AVIF whose container declares 900 megapixels."""
    data = avif(size=(16, 16))
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 30_000, 30_000) + data[at + 8 :]


BOMBS: dict[str, Callable[[], bytes]] = {
    "WebP": webp_bomb,
    "PNG": png_bomb,
    "JPEG": jpeg_bomb,
    "GIF": gif_bomb,
    "GIF frame": gif_frame_bomb,
    "TIFF": tiff_bomb,
    "BMP": bmp_bomb,
    "AVIF": avif_bomb,
}
