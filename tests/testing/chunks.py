"""Parts of image files, and malformed files."""

import struct
import zlib
from collections.abc import Mapping
from functools import cache

from tests.testing import broken_files, image_files

MEBIBYTE = 1 << 20
GIBIBYTE = 1 << 30
PNG = b"\x89PNG\r\n\x1a\n"

Size = tuple[int, int]
Chunk = tuple[bytes, bytes]
Tags = Mapping[int, tuple[int, int, int]]
"""A directory of a TIFF: type, count, and value or offset by tag."""

SHORT, LONG = 3, 4


@cache
def zeros(length: int) -> bytes:
    """Compress *length* zeros, a multiple of a MiB, to about a thousandth of that size."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    piece = packer.compress(bytes(MEBIBYTE)) + packer.flush(zlib.Z_FULL_FLUSH)
    count = length // MEBIBYTE
    checksum = length % 65_521 << 16 | 1  # Adler-32 of that many zeros
    return head + piece * (count - 1) + b"\x03\0" + struct.pack(">I", checksum)


def chunk(kind: bytes, content: bytes, *, length: int | None = None, checksum: int | None = None) -> bytes:
    """Write a chunk of a PNG, whose *length* and *checksum* may be wrong."""
    right = zlib.crc32(kind + content)
    head = struct.pack(">I", len(content) if length is None else length)
    return head + kind + content + struct.pack(">I", right if checksum is None else checksum)


def ihdr(size: Size, depth: int = 8, color_type: int = 2, *, interlace: int = 0) -> bytes:
    """Write the header of a PNG."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, interlace))


IEND = chunk(b"IEND", b"")
PIXELS = chunk(b"IDAT", zlib.compress(bytes(8 * 25)))
"""Of a PNG of 8 by 8 pixels and three channels."""


def small_png(*chunks: Chunk) -> bytes:
    """Make a PNG of 8 by 8 black pixels with *chunks* before them."""
    return image_files.raw_png((8, 8), 8, 2, [bytes(24)] * 8, *chunks)


def png_of_zeros(size: Size, depth: int, color_type: int, length: int) -> bytes:
    """Make a PNG with at least *length* zero bytes of pixel data."""
    packed = zeros(-(-length // MEBIBYTE) * MEBIBYTE)
    return PNG + ihdr(size, depth, color_type) + chunk(b"IDAT", packed) + IEND


def segment(marker: int, content: bytes) -> bytes:
    """Write a segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, 2 + len(content)) + content


def jpeg_with(*segments: bytes) -> bytes:
    """Make a small JPEG with *segments* after its first marker."""
    data = image_files.jpeg((40, 30))
    return data[:2] + b"".join(segments) + data[2:]


def frame_header(data: bytes | bytearray) -> int:
    """Return the offset of the frame header of a baseline JPEG: its marker's second byte."""
    return data.index(b"\xff\xc0") + 1


def jpeg_of_size(size: Size) -> bytes:
    """Make a JPEG that declares *size* and has the data of a small one."""
    data = bytearray(image_files.jpeg((40, 30)))
    struct.pack_into(">HH", data, frame_header(data) + 4, size[1], size[0])
    return bytes(data)


def tiff(*directories: Tags, data: bytes = b"", following: int | None = None, order: str = "<") -> bytes:
    """Make a TIFF of *directories* from byte 8 on, then *data*; *following* is the offset after the last one."""
    parts, at = [], 8
    for number, tags in enumerate(directories):
        end = at + 6 + 12 * len(tags)
        is_last = number == len(directories) - 1
        after = (following or 0) if is_last else end
        entries = b"".join(struct.pack(f"{order}HHII", tag, *value) for tag, value in tags.items())
        parts.append(struct.pack(f"{order}H", len(tags)) + entries + struct.pack(f"{order}I", after))
        at = end
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(f"{order}I", 8) + b"".join(parts) + data


def gray(
    size: Size, *, compression: int = 1, depth: int = 8, length: int = 0, offset: int = 8
) -> dict[int, tuple[int, int, int]]:
    """Return the tags of a gray image in one strip."""
    return {
        256: (LONG, 1, size[0]),
        257: (LONG, 1, size[1]),
        258: (SHORT, 1, depth),
        259: (SHORT, 1, compression),
        262: (SHORT, 1, 1),
        273: (LONG, 1, offset),
        277: (SHORT, 1, 1),
        278: (LONG, 1, size[1]),
        279: (LONG, 1, length),
    }


def strip_tiff(size: Size, data: bytes, *, compression: int, depth: int = 8) -> bytes:
    """Make a TIFF of one strip of *data*."""
    tags = gray(size, compression=compression, depth=depth, length=len(data))
    tags[273] = (LONG, 1, 8 + 6 + 12 * len(tags))
    return tiff(tags, data=data)


def exif(*directories: Tags, data: bytes = b"", following: int | None = None, order: str = "<") -> bytes:
    """Write the EXIF segment of a JPEG."""
    return segment(0xE1, b"Exif\0\0" + tiff(*directories, data=data, following=following, order=order))


def riff(kind: bytes, content: bytes) -> bytes:
    """Write a chunk of a WebP."""
    return kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def webp(*chunks: bytes) -> bytes:
    """Make a WebP of *chunks*."""
    return riff(b"RIFF", b"WEBP" + b"".join(chunks))


def webp_canvas(size: Size, *, animated: bool = False) -> bytes:
    """Write the header of an extended WebP."""
    flags = 0x02 if animated else 0
    return riff(b"VP8X", struct.pack("<I", flags) + _three(size[0] - 1) + _three(size[1] - 1))


def webp_frame(size: Size) -> bytes:
    """Write one frame of an animation, of one color."""
    place = _three(0) * 2 + _three(size[0] - 1) + _three(size[1] - 1) + _three(100) + b"\0"
    return riff(b"ANMF", place + flat(size))


def flat(size: Size) -> bytes:
    """Write the pixels of a WebP of one color: 22 bytes, regardless of its size."""
    return broken_files.flat_webp(size)[12:] + b"\0"[: len(broken_files.flat_webp(size)) % 2]


def _three(value: int) -> bytes:
    return value.to_bytes(3, "little")


def gif(size: Size, *frames: bytes, colors: bytes = bytes(6)) -> bytes:
    """Make a GIF of *frames*; without *colors* it has no color table."""
    flags = 0x80 if colors else 0
    return b"GIF89a" + struct.pack("<HHBBB", *size, flags, 0, 0) + colors + b"".join(frames) + b";"


def gif_frame(size: Size, *, code_size: int = 2, data: bytes = b"\x02\x4c\x01\0") -> bytes:
    """Write one frame of a GIF: with data for one pixel, regardless of *size*."""
    return b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + bytes([code_size]) + data


def bmp(size: Size, *, depth: int = 24, compression: int = 0, data: bytes = b"", colors: bytes = b"") -> bytes:
    """Make a BMP."""
    offset = 54 + len(colors)
    head = struct.pack("<2sIIIIiiHHIIiiII", b"BM", 0, 0, offset, 40, *size, 1, depth, compression, 0, 0, 0, 0, 0)
    return head + colors + data
