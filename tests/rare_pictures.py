"""Test pictures of the rarer formats, made by code; each function returns the bytes of one file."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image
from pillow_jxl import JpegXLImagePlugin  # noqa: F401 - registers its encoder

from tests import pictures
from tests.pictures import SIZE, Size


def jxl(size: Size = SIZE, *, picture: Image.Image | None = None, **options: Any) -> bytes:
    """Make a JPEG XL."""
    return _saved(picture or pictures.photo(size), "JXL", **{"quality": 95, "effort": 3, **options})


def jpeg2000(size: Size = SIZE, *, picture: Image.Image | None = None, bare: bool = False) -> bytes:
    """Make a JPEG 2000, in its container or as a *bare* code stream."""
    return _saved(picture or pictures.photo(size), "JPEG2000", no_jp2=bare)


def heic(size: Size = SIZE, *, picture: Image.Image | None = None, profile: bytes = b"") -> bytes:
    """Make a HEIC."""
    buffer = io.BytesIO()
    options = {"icc_profile": profile} if profile else {}
    pillow_heif.from_pillow(picture or pictures.photo(size)).save(buffer, quality=95, **options)
    return buffer.getvalue()


def psd(size: Size = SIZE, *, picture: Image.Image | None = None) -> bytes:
    """Make a PSD without layers: header, three empty sections, and the planes uncompressed."""
    image = picture or pictures.photo(size)
    mode = {"L": 1, "RGB": 3, "CMYK": 4}[image.mode]
    planes = np.asarray(image.convert(image.mode))
    planes = planes[..., None] if planes.ndim == 2 else planes
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, planes.shape[2], image.height, image.width, 8, mode)
    return header + bytes(12) + b"\0\0" + planes.transpose(2, 0, 1).tobytes()


def ico(size: Size = SIZE, *, picture: Image.Image | None = None) -> bytes:
    """Make an icon of one size, at most 256 pixels."""
    image = picture or pictures.photo(size)
    return _saved(image, "ICO", sizes=[image.size])


def tga(size: Size = SIZE, *, picture: Image.Image | None = None, packed: bool = False) -> bytes:
    """Make a Targa file."""
    return _saved(picture or pictures.photo(size), "TGA", compression="tga_rle" if packed else None)


def pnm(size: Size = SIZE, *, picture: Image.Image | None = None) -> bytes:
    """Make a PBM, PGM or PPM, whatever fits the picture's mode."""
    return _saved(picture or pictures.photo(size), "PPM")


def jxl_bomb() -> bytes:
    """A JPEG XL code stream of 2^30 by 2^30 pixels, of which only the header is there."""
    bits = 0  # not small; height: 30 bits; no ratio; width: 30 bits
    at = 1
    for _ in range(2):
        bits |= 3 << at
        bits |= ((1 << 30) - 1) << (at + 2)
        at += 32 + (3 if at == 1 else 0)
    return b"\xff\x0a" + bits.to_bytes(12, "little")


def pnm_bomb() -> bytes:
    """A PPM that announces 60,000 by 60,000 pixels."""
    return b"P6\n60000 60000\n255\n" + bytes(64)


def tga_bomb() -> bytes:
    """A packed TGA that announces 60,000 by 60,000 pixels."""
    return struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 60_000, 60_000, 24, 0) + bytes(64)


def psd_bomb() -> bytes:
    """A PSD that announces 300,000 by 300,000 pixels."""
    return struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 300_000, 300_000, 8, 3) + bytes(64)


def jpeg2000_bomb() -> bytes:
    """A JPEG 2000 of two thousand million pixels in both directions; the header of a small one is changed."""
    data = bytearray(jpeg2000())
    at = data.index(b"ihdr") + 4
    data[at : at + 8] = struct.pack(">II", 2_000_000_000, 2_000_000_000)
    siz = data.index(b"\xff\x4f\xff\x51") + 8
    data[siz : siz + 8] = struct.pack(">II", 2_000_000_000, 2_000_000_000)
    return bytes(data)


SOURCES: dict[str, Callable[[], bytes]] = {
    "JPEG XL": jxl,
    "JPEG XL lossless": lambda: jxl(lossless=True),
    "JPEG 2000": jpeg2000,
    "JPEG 2000 code stream": lambda: jpeg2000(bare=True),
    "HEIC": heic,
    "PSD": psd,
    "ICO": ico,
    "TGA": tga,
    "TGA packed": lambda: tga(packed=True),
    "PNM": pnm,
}
"""All show `pictures.photo`."""

BOMBS: dict[str, Callable[[], bytes]] = {
    "JPEG XL": jxl_bomb,
    "JPEG 2000": jpeg2000_bomb,
    "PSD": psd_bomb,
    "TGA": tga_bomb,
    "PNM": pnm_bomb,
}


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()
