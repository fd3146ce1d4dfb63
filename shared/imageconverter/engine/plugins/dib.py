"""The header of a bitmap of Windows or OS/2, as BMP and ICO have it, and its palette.

Sources: Microsoft's descriptions of BITMAPCOREHEADER to BITMAPV5HEADER, IBM's of OS/2 bitmaps, and what Chromium
shows of the files of BMP Suite.
"""

import struct
from dataclasses import dataclass
from typing import IO

import numpy as np
from PIL import Image

from imageconverter.engine.plugins.decoded import Levels, image_of, mapped

RGB, RLE8, RLE4, BITFIELDS, JPEG, PNG, ALPHA_BITFIELDS = range(7)
RLE24, HUFFMAN = 101, 102
"""Compressions; OS/2 has 3 and 4 for the last two."""

CORE_BYTES, INFO_BYTES, V2_BYTES, V3_BYTES, V4_BYTES, V5_BYTES = 12, 40, 52, 56, 108, 124
Masks = tuple[int, int, int, int]
"""The bits of red, green, blue and alpha in a pixel; those of alpha are 0 if there is none."""

_INFO = struct.Struct("<IiiHHIIiiII")
_MASKS = {16: (0x7C00, 0x3E0, 0x1F, 0), 24: (0xFF0000, 0xFF00, 0xFF, 0), 32: (0xFF0000, 0xFF00, 0xFF, 0)}
_PALETTE_BITS = (1, 2, 4, 8)
_RUNS = {1: HUFFMAN, 24: RLE24}  # by the bits of a pixel


@dataclass(frozen=True)
class Header:
    """What a bitmap's header and the data between it and the pixels say."""

    width: int
    height: int
    """Sides in pixels."""
    is_top_down: bool
    bits: int
    """Of a pixel."""
    compression: int
    masks: Masks
    palette: bytes
    """RGB triples."""
    pixels: int
    """Their offset in the file."""

    @property
    def stride(self) -> int:
        """Bytes of a row that is not compressed."""
        return (self.width * self.bits + 31) // 32 * 4

    @property
    def has_palette(self) -> bool:
        """Whether a pixel is an index."""
        return self.bits in _PALETTE_BITS


def read_header(file: IO[bytes], start: int, pixels: int = 0) -> Header:
    """Read the header at *start*; *pixels* is the offset of the pixels, 0 if they follow.

    Raises ValueError if it is broken.
    """
    file.seek(start)
    data = file.read(4)
    length = int.from_bytes(data, "little")
    if not CORE_BYTES <= length <= V5_BYTES:
        raise ValueError(f"its header has {length} bytes")
    data += file.read(length - 4)
    if len(data) < length:
        raise ValueError("the header is cut off")
    if length == CORE_BYTES:
        width, height, _, bits = struct.unpack_from("<4H", data, 4)
        compression = colors = 0
    else:
        _, width, height, _, bits, compression, _, _, _, colors, _ = _INFO.unpack(
            data.ljust(INFO_BYTES, b"\0")[:INFO_BYTES]
        )
        if bits in _RUNS and compression == {HUFFMAN: BITFIELDS, RLE24: JPEG}[_RUNS[bits]]:
            compression = _RUNS[bits]
    if width < 1 or height == 0 or (bits < 1 and compression not in (JPEG, PNG)):
        raise ValueError("the image is empty")
    masks, end = _read_masks(file, data, bits, compression)
    end += start + length
    palette = b""
    if bits in _PALETTE_BITS:
        entry = 3 if length == CORE_BYTES else 4
        count = min(colors or 1 << bits, 1 << bits)
        if pixels > end:  # one of those that are wrong is the end of the header
            count = min(count, (pixels - end) // entry)
        file.seek(end)
        stored = np.frombuffer(file.read(count * entry), "u1")
        stored = stored[: stored.size // entry * entry].reshape(-1, entry)
        palette = stored[:, 2::-1].tobytes()
        end += count * entry
    return Header(width, abs(height), height < 0, bits, compression, masks, palette, max(pixels, end))


def indexed(indices: Levels, palette: bytes, *, from_below: bool = False) -> Image.Image:
    """Return an image of *indices* into a *palette*; of mode L if all colors are gray. There, the rest is black."""
    colors = np.frombuffer(palette, "u1").reshape(-1, 3)
    if (colors == colors[:, :1]).all():
        table = np.zeros(256, "u1")
        table[: len(colors)] = colors[:, 0]
        return image_of(mapped(indices, table), "L", from_below=from_below)
    image = image_of(indices, "P", from_below=from_below)
    image.putpalette(palette)
    return image


def _read_masks(file: IO[bytes], header: bytes, bits: int, compression: int) -> tuple[Masks, int]:
    """Return the masks, and the length of those after the header; that of alpha counts for each compression."""
    usual = _MASKS.get(bits, (0, 0, 0, 0))
    after = 0
    if compression in (BITFIELDS, ALPHA_BITFIELDS):
        stored = header[INFO_BYTES:V3_BYTES]
        if not stored:
            after = 16 if compression == ALPHA_BITFIELDS else 12
            stored = file.read(after)
        red, green, blue, alpha = struct.unpack("<4I", stored.ljust(16, b"\0"))
        return (red, green, blue, alpha) if red | green | blue else usual, after
    if len(header) >= V4_BYTES:
        return (*usual[:3], int.from_bytes(header[V2_BYTES:V3_BYTES], "little")), after
    return usual, after
