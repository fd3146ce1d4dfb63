"""TIFF files of every layout, written byte for byte as TIFF 6.0, its supplements and BigTIFF say."""

import lzma
import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import imagecodecs
import numpy as np

Samples = np.ndarray[Any, np.dtype[Any]]
"""Rows, columns, samples of a pixel, as they are stored."""
Order = Literal["<", ">"]
Values = int | Sequence[int] | Sequence[float] | bytes

NONE, CCITT_RLE, CCITT_3, CCITT_4, LZW, JPEG, DEFLATE, PACKBITS = 1, 2, 3, 4, 5, 7, 8, 32773
LZMA, LERC, JPEG2000, ZSTD, WEBP, JPEGXL = 34925, 34887, 34712, 50000, 50001, 50002
WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR, CIELAB, ICCLAB = 0, 1, 2, 3, 5, 6, 8, 9
UNSIGNED, SIGNED, FLOAT = 1, 2, 3

_BYTE, _SHORT, _LONG, _DOUBLE = 1, 3, 4, 12
_SIZES = {_BYTE: 1, _SHORT: 2, _LONG: 4, _DOUBLE: 8}
_OFFSETS, _LENGTHS = (273, 324), (279, 325)
_BYTE_CODECS: dict[int, Callable[[bytes], bytes]] = {
    NONE: bytes,
    LZW: lambda data: bytes(imagecodecs.lzw_encode(data)),
    DEFLATE: zlib.compress,
    PACKBITS: lambda data: b"".join(
        bytes([len(data[at : at + 128]) - 1]) + data[at : at + 128] for at in range(0, len(data), 128)
    ),
    LZMA: lzma.compress,
    ZSTD: lambda data: bytes(imagecodecs.zstd_encode(data)),
}
_IMAGE_CODECS: dict[int, Callable[[Samples], bytes]] = {
    JPEG: lambda samples: bytes(imagecodecs.jpeg8_encode(samples, 98, bitspersample=4 * (samples.itemsize + 1))),
    LERC: lambda samples: bytes(imagecodecs.lerc_encode(samples)),
    JPEG2000: lambda samples: bytes(imagecodecs.jpeg2k_encode(samples, codecformat="j2k", reversible=True)),
    WEBP: lambda samples: bytes(imagecodecs.webp_encode(samples, lossless=True)),
    JPEGXL: lambda samples: bytes(imagecodecs.jpegxl_encode(samples, lossless=True)),
}


def tiff(
    samples: Samples,
    *,
    photometric: int,
    bits: int = 8,
    kind: int = UNSIGNED,
    compression: int = NONE,
    predictor: int = 1,
    planar: bool = False,
    tile: tuple[int, int] | None = None,
    rows: int = 0,
    order: Order = "<",
    big: bool = False,
    reverse: bool = False,
    more: Mapping[int, Values] | None = None,
) -> bytes:
    """Make a TIFF of *samples*: of strips of so many *rows*, or of tiles of so many columns and rows.

    With *reverse* the lowest bit of a byte comes first. *more* are further tags; a value of None removes one.
    """
    height, width, count = samples.shape
    across, down = tile or (width, rows or height)
    segments = []
    for plane in range(count if planar else 1):
        part = samples[:, :, plane : plane + 1] if planar else samples
        for top in range(0, height, down):
            for left in range(0, width, across):
                piece = part[top : top + down, left : left + across]
                if tile:
                    missing = (0, down - piece.shape[0]), (0, across - piece.shape[1]), (0, 0)
                    piece = np.pad(piece, missing)
                segments.append(_encoded(piece, bits, kind, compression, predictor, order, reverse=reverse))
    tags: dict[int, Values] = {
        256: width, 257: height, 258: [bits] * count, 259: compression, 262: photometric,
        266: 2 if reverse else 1, 277: count, 284: 2 if planar else 1, 317: predictor, 339: [kind] * count,
    }  # fmt: skip
    tags |= {322: across, 323: down} if tile else {278: down}
    return directory(tags | dict(more or {}), segments, tiled=tile is not None, order=order, big=big)


def directory(
    tags: Mapping[int, Values],
    segments: Sequence[bytes],
    *,
    tiled: bool = False,
    order: Order = "<",
    big: bool = False,
) -> bytes:
    """Make a TIFF of one directory with *tags*, which describe the *segments*."""
    head = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    start = 16 if big else 8
    offsets, data = [], b""
    for segment in segments:
        offsets.append(start + len(data))
        data += segment + bytes(len(segment) % 2)
    all_tags = {**tags, 324 if tiled else 273: offsets, 325 if tiled else 279: [len(each) for each in segments]}
    entries, at, inline = [], start + len(data), 8 if big else 4
    values = b""
    for tag, value in sorted(all_tags.items()):
        kind, count, content = _value(value, order, tag)
        if len(content) > inline:
            place = at + len(values)
            values += content + bytes(len(content) % 2)
            content = struct.pack(order + ("Q" if big else "I"), place)
        entry = struct.pack(order + ("HHQ" if big else "HHI"), tag, kind, count)
        entries.append(entry + content.ljust(inline, b"\0"))
    place = at + len(values)
    head += struct.pack(order + "HHQ", 8, 0, place) if big else struct.pack(order + "I", place)
    listing = struct.pack(order + ("Q" if big else "H"), len(entries)) + b"".join(entries) + bytes(inline)
    return head + data + values + listing


def followed_by(first: bytes, second: bytes) -> bytes:
    """Put the directory of *second*, a file in the same order of bytes, after the last one of *first*."""
    shift = len(first) + len(first) % 2
    data = bytearray(first.ljust(shift, b"\0") + second)
    place = struct.unpack_from("<I", second, 4)[0]
    for at in range(shift + place + 2, len(data) - 4, 12):
        tag, kind, count, value = struct.unpack_from("<HHII", data, at)
        size = count * _SIZES[kind]
        if size > 4 or tag in _OFFSETS:
            struct.pack_into("<I", data, at + 8, value + shift)
        if tag in _OFFSETS and count > 1:
            raise ValueError("more than one strip")
    struct.pack_into("<I", data, len(first) - 4, shift + place)
    return bytes(data)


def cut_off(data: bytes, share: float) -> bytes:
    """Move the directory of a little-endian file to its start, and leave out the last *share* of its strips."""
    place = struct.unpack_from("<I", data, 4)[0]
    behind = min(_out_of_line(data, place), default=place)
    shift = len(data) - behind
    moved = bytearray(data[behind:])
    for at in range(place - behind + 2, len(moved) - 4, 12):
        tag, kind, count, value = struct.unpack_from("<HHII", moved, at)
        if count * _SIZES[kind] > 4:
            struct.pack_into("<I", moved, at + 8, value - behind + 8)
            if tag in _OFFSETS:
                for number in range(count):
                    there = value - behind + 4 * number
                    struct.pack_into("<I", moved, there, struct.unpack_from("<I", moved, there)[0] + shift)
        elif tag in _OFFSETS:
            struct.pack_into("<I", moved, at + 8, value + shift)
    strips = data[8:behind]
    return data[:4] + struct.pack("<I", 8 + place - behind) + moved + strips[: round(len(strips) * (1 - share))]


def with_hole(data: bytes) -> bytes:
    """Remove the second strip of a little-endian file from its directory."""
    changed = bytearray(data)
    place = struct.unpack_from("<I", data, 4)[0]
    for at in range(place + 2, len(data) - 4, 12):
        tag, _, _, value = struct.unpack_from("<HHII", data, at)
        if tag in (*_OFFSETS, *_LENGTHS):
            struct.pack_into("<I", changed, value + 4, 0)
    return bytes(changed)


def with_strips(data: bytes, count: int, *, offset: int, length: int) -> bytes:
    """Give a little-endian file *count* strips, all of them at *offset* and of *length*."""
    changed = bytearray(data)
    place = struct.unpack_from("<I", data, 4)[0]
    for at in range(place + 2, len(data) - 4, 12):
        tag = struct.unpack_from("<H", data, at)[0]
        if tag in (*_OFFSETS, *_LENGTHS):
            struct.pack_into("<II", changed, at + 4, count, len(changed))
            changed += struct.pack("<I", offset if tag in _OFFSETS else length) * count
    return bytes(changed)


def _out_of_line(data: bytes, place: int) -> list[int]:
    """Return the offsets of the values that are not in the directory itself."""
    entries = [struct.unpack_from("<HHII", data, at) for at in range(place + 2, len(data) - 4, 12)]
    return [value for _, kind, count, value in entries if count * _SIZES[kind] > 4]


def ycbcr(rgb: Samples, subsampling: tuple[int, int], *, compression: int = NONE, planar: bool = False) -> bytes:
    """Make a TIFF of Y, Cb and Cr by BT.601, of which Cb and Cr are of every so many columns and rows only."""
    red, green, blue = (rgb[:, :, channel].astype(float) for channel in range(3))
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    chroma = [128 + (blue - luma) / 1.772, 128 + (red - luma) / 1.402]
    across, down = subsampling
    height, width = luma.shape
    small = [np.round(plane[::down, ::across]).clip(0, 255).astype("u1") for plane in chroma]
    full = np.round(luma).astype("u1")
    if planar:
        segments = [full.tobytes(), *(plane.tobytes() for plane in small)]
    else:
        blocks = full.reshape(height // down, down, width // across, across).swapaxes(1, 2)
        units = blocks.reshape(height // down, width // across, -1)
        segments = [np.concatenate([units, small[0][..., None], small[1][..., None]], axis=2).tobytes()]
    tags: dict[int, Values] = {
        256: width, 257: height, 258: [8, 8, 8], 259: compression, 262: YCBCR, 277: 3, 278: height,
        284: 2 if planar else 1, 530: [across, down],
    }  # fmt: skip
    return directory(tags, [_BYTE_CODECS[compression](segment) for segment in segments])


def bars(*colors: Sequence[int] | float, dtype: str = "u1", width: int = 16, height: int = 8) -> Samples:
    """Return samples in vertical bars of these colors, or values of gray."""
    row = np.array([color if isinstance(color, Sequence) else [color] for color in colors], dtype)
    return np.tile(row.repeat(width // len(colors), axis=0), (height, 1, 1))


def _encoded(
    samples: Samples, bits: int, kind: int, compression: int, predictor: int, order: Order, *, reverse: bool
) -> bytes:
    if compression in _IMAGE_CODECS:
        squeezed = samples[:, :, 0] if samples.shape[2] == 1 else samples
        return _IMAGE_CODECS[compression](np.ascontiguousarray(squeezed))
    data = _BYTE_CODECS[compression](_stored(samples, bits, kind, predictor, order))
    return np.packbits(np.unpackbits(np.frombuffer(data, "u1"), bitorder="little")).tobytes() if reverse else data


def _stored(samples: Samples, bits: int, kind: int, predictor: int, order: Order) -> bytes:
    """Write rows of samples; those that fill no bytes go on bit for bit to the end of the row."""
    height, width, count = samples.shape
    size = bits // 8
    if kind == FLOAT:
        values = _float_bits(samples, bits)
    else:
        values = samples.astype(np.int64).astype(np.uint64) & np.uint64((1 << bits) - 1)
    if predictor == 3:
        split = values.astype(">u8").view("u1").reshape(height, width * count, 8)[:, :, 8 - size :]
        planes = split.swapaxes(1, 2).reshape(height, size * width, count)
        return np.diff(planes, axis=1, prepend=np.zeros_like(planes[:, :1])).tobytes()
    if predictor == 2:
        values = np.diff(values, axis=1, prepend=np.zeros_like(values[:, :1])) & np.uint64((1 << bits) - 1)
    if bits % 8:
        shifts = np.arange(bits - 1, -1, -1, dtype=np.uint64)
        digits = (values[..., None] >> shifts & np.uint64(1)).astype("u1").reshape(height, -1)
        return np.packbits(digits, axis=1).tobytes()
    last_first = values.astype("<u8").view("u1").reshape(*values.shape, 8)[..., :size]
    return (last_first if order == "<" else last_first[..., ::-1]).tobytes()


def _float_bits(samples: Samples, bits: int) -> Samples:
    if bits == 24:  # one of sign, 7 of exponent, 16 of mantissa
        single = samples.astype("f4").view("u4").astype(np.uint64)
        exponent = (single >> np.uint64(23)) & np.uint64(0xFF)
        shifted = np.where(exponent == 0, 0, exponent - np.uint64(127 - 63))
        sign, mantissa = single >> np.uint64(31), single >> np.uint64(7) & np.uint64(0xFFFF)
        return np.asarray(sign << np.uint64(23) | shifted << np.uint64(16) | mantissa)
    return samples.astype(f"f{bits // 8}").view(f"u{bits // 8}").astype(np.uint64)


def _value(value: Values, order: Order, tag: int) -> tuple[int, int, bytes]:
    if isinstance(value, bytes):
        return _BYTE, len(value), value
    numbers = [value] if isinstance(value, int) else list(value)
    if any(isinstance(number, float) for number in numbers):
        return _DOUBLE, len(numbers), struct.pack(f"{order}{len(numbers)}d", *numbers)
    if tag in (256, 257, 273, 278, 279, 322, 323, 324, 325):
        return _LONG, len(numbers), struct.pack(f"{order}{len(numbers)}I", *numbers)
    return _SHORT, len(numbers), struct.pack(f"{order}{len(numbers)}H", *numbers)
