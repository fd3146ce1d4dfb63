"""The compressions of TIFF: the bytes of a strip or tile become samples.

Those of TIFF 6.0 and its supplements, and those that libtiff, Adobe's DNG SDK and slide scanners have added.
"""

import io
import lzma
import struct
import zlib
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np

from imageconverter.engine import extents, jxl
from imageconverter.engine.plugins.tiff.layout import CCITT, JPEG, JPEG2000, LERC, LZW, Layout

Samples = np.ndarray[Any, np.dtype[Any]]
"""Rows, columns, samples of a pixel."""

REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
"""Each byte with its bits in the other order."""
_CHUNK = 4096
_LZMA_MEMORY = 128 * 1024 * 1024
_PADDING = bytes(128)  # the longest run of packed bits
_LZW_CLEAR, _LZW_END, _LZW_MIN_WIDTH, _LZW_MAX_WIDTH = 256, 257, 9, 12  # codes, and bits of a code
_LERC_DEFLATE, _LERC_ZSTD = 1, 2
_MAX_SURPLUS = 4  # times the pixels that a strip or tile has may be in its data
_SOME_PIXELS = 65_536  # that may be there in any case


def _stored(data: bytes, _: int) -> bytes:
    return data


def _lzw(data: bytes, length: int) -> bytes:
    """Decompress by libtiff, as an image of one row of bytes: the decoder of imagecodecs crashes on broken data."""
    tags = {256: length, 257: 1, 258: 8, 259: 5, 262: 1, 273: 8, 277: 1, 278: 1, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    head = b"II*\0" + struct.pack("<I", 8 + len(data) + len(data) % 2)
    listing = struct.pack("<H", len(tags)) + entries + bytes(4)
    return bytes(imagecodecs.tiff_decode(head + data + bytes(len(data) % 2) + listing))


def partial_lzw(data: bytes, length: int) -> bytes:
    """Return what LZW *data* begin with, up to *length* bytes: libtiff returns nothing of what is cut off.

    Slow: a megabyte takes a second.
    """
    table = [bytes([byte]) for byte in range(256)] + [b"", b""]
    parts: list[bytes] = []
    bits = count = 0
    width, previous = _LZW_MIN_WIDTH, b""
    for byte in data:
        bits, count = bits << 8 | byte, count + 8
        if count < width:
            continue
        count -= width
        code, bits = bits >> count, bits & (1 << count) - 1
        if code == _LZW_CLEAR:
            del table[_LZW_END + 1 :]
            width, previous = _LZW_MIN_WIDTH, b""
            continue
        if code == _LZW_END or code > len(table) or len(table) > 1 << _LZW_MAX_WIDTH:
            break
        entry = table[code] if code < len(table) else previous + previous[:1]
        parts.append(entry)
        length -= len(entry)
        if length <= 0 or not entry:
            break
        if previous:
            table.append(previous + entry[:1])
        previous = entry
        width = min(max(_LZW_MIN_WIDTH, (len(table) + 1).bit_length()), _LZW_MAX_WIDTH)
    return b"".join(parts)


def _packed_bits(data: bytes, length: int) -> bytes:
    try:
        return bytes(imagecodecs.packbits_decode(data, out=length))
    except RuntimeError:  # cut off, or too long
        return bytes(imagecodecs.packbits_decode(data[: 2 * length + _CHUNK] + _PADDING))


def _deflated(data: bytes, length: int) -> bytes:
    try:
        return bytes(imagecodecs.deflate_decode(data, out=length))
    except RuntimeError:  # cut off, or too long: a third of the speed
        return _streamed(zlib.decompressobj().decompress, data, length)


def _lzma(data: bytes, length: int) -> bytes:
    return _streamed(lzma.LZMADecompressor(memlimit=_LZMA_MEMORY).decompress, data, length)


def _zstandard(data: bytes, length: int) -> bytes:
    return bytes(imagecodecs.zstd_decode(data, out=length))


def _streamed(decompress: Callable[[bytes, int], bytes], data: bytes, length: int) -> bytes:
    """Decompress as much as can be: a decoder returns nothing of a piece that is broken."""
    parts: list[bytes] = []
    for at in range(0, len(data), _CHUNK):
        try:
            parts.append(decompress(data[at : at + _CHUNK], length))
        except (zlib.error, lzma.LZMAError, EOFError):
            break
        length -= len(parts[-1])
        if length <= 0:
            break
    return b"".join(parts)


BYTES: dict[int, Callable[[bytes, int], bytes]] = {
    1: _stored, LZW: _lzw, 8: _deflated, 32773: _packed_bits, 32946: _deflated, 34925: _lzma, 34926: _zstandard,
    50000: _zstandard,
}  # fmt: skip
"""Return up to as many bytes as are asked for, or a few more; less if the data are cut off or broken.

Those of LZW raise RuntimeError then."""


def image(data: bytes, layout: Layout, size: tuple[int, int]) -> Samples:
    """Decode *data*, which are an image of their own of *size* or nearly so.

    For the compressions that are not in `BYTES`. Raises ValueError or RuntimeError if they are broken.
    """
    width, height = size
    if layout.compression == LERC and layout.lerc == _LERC_DEFLATE:
        data = _deflated(data, 2 * width * height * layout.segment_samples * layout.bits + _CHUNK)
    elif layout.compression == LERC and layout.lerc == _LERC_ZSTD:
        data = _zstandard(data, 2 * width * height * layout.segment_samples * layout.bits + _CHUNK)
    declared = _declared_pixels(data, layout.compression)
    if declared > _MAX_SURPLUS * width * height + _SOME_PIXELS:
        raise ValueError("a strip or tile is larger than the directory says")
    samples: Samples = np.asarray(_decoded(data, layout, width, height))
    return samples if samples.ndim == 3 else samples[:, :, None]  # noqa: PLR2004 - rows, columns, samples


def _decoded(data: bytes, layout: Layout, width: int, height: int) -> object:  # noqa: PLR0911 - a table
    if layout.reversed_bits and layout.compression in CCITT:
        data = data.translate(REVERSED)
    match layout.compression:
        case 2 | 32771:
            return _fax(imagecodecs.ccittrle_decode, data, layout, width, height)
        case 3:
            return _fax(imagecodecs.ccittfax3_decode, data, layout, width, height, t4options=layout.t4_options)
        case 4:
            return _fax(imagecodecs.ccittfax4_decode, data, layout, width, height)
        case _ if layout.compression in JPEG:
            colors = ("YCBCR", "RGB") if layout.converts_ycbcr else (None, None)
            names = {1: ("GRAYSCALE",) * 2, 3: ("RGB",) * 2, 4: ("CMYK",) * 2}.get(layout.segment_samples, colors)
            stored, wanted = colors if layout.converts_ycbcr else names
            tables = layout.jpeg_tables or None
            return imagecodecs.jpeg8_decode(data, tables=tables, colorspace=stored, outcolorspace=wanted)
        case _ if layout.compression in JPEG2000:
            return imagecodecs.jpeg2k_decode(data, numthreads=1)
        case 34927 | 50001:
            return imagecodecs.webp_decode(data, hasalpha=layout.segment_samples == 4)  # noqa: PLR2004
        case 34887:
            return imagecodecs.lerc_decode(data)
        case 50002 | 52546:
            return imagecodecs.jpegxl_decode(data, numthreads=1, keeporientation=True)
        case _:
            raise ValueError(f"compression {layout.compression}")


def _fax(
    decode: Callable[..., Samples], data: bytes, layout: Layout, width: int, height: int, **options: int
) -> Samples:
    pixels = decode(data, height, width, **options)
    if layout.segment_samples == 1:
        return pixels
    row = np.zeros((len(pixels), width * layout.segment_samples), np.uint8)
    row[:, :width] = pixels  # as libtiff does: there are codes for one bit a pixel only
    return row.reshape(len(pixels), width, layout.segment_samples)


def _declared_pixels(data: bytes, compression: int) -> int:
    """Return how many pixels the data say that they have; 0 if they do not."""
    head = io.BytesIO(data)
    width = height = 0
    if compression == LERC:
        version = int.from_bytes(data[6:10], "little")
        at = 14 if version > 2 else 10  # noqa: PLR2004 - a checksum was added
        if not data.startswith(b"Lerc2 ") or len(data) < at + 12:
            raise ValueError("unknown version of LERC")
        width, height, values = struct.unpack_from("<3i", data, at)
        height *= max(values, 1) if version > 3 else 1  # noqa: PLR2004 - a number of values was added
    elif compression in JPEG2000:
        start = data.find(b"\xff\x4f\xff\x51", 0, _CHUNK)
        if start >= 0:
            right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
            width, height = right - left, bottom - top
    elif compression in (50002, 52546):
        width, height = jxl.read_size(head)
    elif compression in JPEG or compression in (34927, 50001):
        width, height = extents.by_imagesize(head)
    return width * height
