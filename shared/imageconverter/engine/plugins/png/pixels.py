"""The pixels of one frame of a PNG."""

import struct
import zlib
from dataclasses import dataclass, replace

import numpy as np
from kornia_rs.io import decode_image_png_u8, decode_image_png_u16
from PIL import Image

from imageconverter.engine import png
from imageconverter.engine.color.depth import to_eight_bits
from imageconverter.engine.geometry import Size
from imageconverter.engine.plugins.decoded import Samples
from imageconverter.engine.plugins.deep import DeepColor
from imageconverter.engine.plugins.png import salvage
from imageconverter.engine.plugins.png.parts import Pieces, PngParts
from imageconverter.engine.png import PngHeader

# By color type and depth: Pillow's mode and raw mode.
_MODES = {
    (png.GRAY, 1): ("1", "1"),
    (png.GRAY, 2): ("L", "L;2"),
    (png.GRAY, 4): ("L", "L;4"),
    (png.GRAY, 8): ("L", "L"),
    (png.GRAY, 16): ("I;16", "I;16B"),
    (png.RGB, 8): ("RGB", "RGB"),
    (png.RGB, 16): ("RGB", "RGB;16B"),
    (png.PALETTE, 1): ("P", "P;1"),
    (png.PALETTE, 2): ("P", "P;2"),
    (png.PALETTE, 4): ("P", "P;4"),
    (png.PALETTE, 8): ("P", "P"),
    (png.GRAY_ALPHA, 8): ("LA", "LA"),
    (png.GRAY_ALPHA, 16): ("RGBA", "LA;16B"),
    (png.RGB_ALPHA, 8): ("RGBA", "RGBA"),
    (png.RGB_ALPHA, 16): ("RGBA", "RGBA;16B"),
}
_LOW_BYTES = "RGB;16L"  # the raw mode that takes the other byte of a sample than RGB;16B
# What kornia decodes in a third of Pillow's time.
_FAST = {(png.GRAY, 8): "mono", (png.RGB, 8): "rgb", (png.RGB_ALPHA, 8): "rgba"}
_FAST_DEEP = {png.RGB: "rgb", png.RGB_ALPHA: "rgba"}
_DEEP, _DEEPEST, _LEVELS = 16, 0xFFFF, 0xFF
_PALETTE_BYTES = 768


@dataclass(frozen=True)
class PngPixels:
    """A decoded frame."""

    image: Image.Image
    """With its palette, and Pillow's `transparency` in `info` if a color is transparent."""
    missing: float = 0.0
    """The share of the rows that were missing."""
    missing_detail: float = 0.0
    """The share of the pixels that were missing, and were taken from those around, in an interlaced image."""
    is_damaged: bool = False
    """Whether a checksum is wrong, although all pixels were there."""


def mode(header: PngHeader) -> str:
    """Return Pillow's mode of the pixels as they are stored."""
    return "LA" if header.color_type == png.GRAY_ALPHA else _MODES[header.color_type, header.depth][0]


def is_deep(header: PngHeader) -> bool:
    """Whether samples have 16 bits."""
    return header.depth == _DEEP


def decode(parts: PngParts, size: Size, pieces: Pieces, deep: DeepColor | None) -> PngPixels:
    """Decode a frame of *size* as far as its data go, and convert its colors if they are *deep*.

    Raises OSError if less than half of it is there.
    """
    if deep is None:
        return _decode(parts, size, pieces)
    samples = _fast_samples(parts, size, pieces)
    if samples is not None:
        return PngPixels(Image.fromarray(deep.levels(samples, _DEEPEST)))
    decoded = _decode(parts, size, pieces)
    samples = np.asarray(decoded.image)
    levels = deep.levels(samples, _DEEPEST if samples.dtype == np.uint16 else _LEVELS)
    return replace(decoded, image=Image.fromarray(levels))


def _decode(parts: PngParts, size: Size, pieces: Pieces) -> PngPixels:
    image = _fast(parts, size, pieces)
    if image is not None:
        return PngPixels(image)
    packed = b"".join(parts.data[piece.begin : piece.end] for piece in pieces)
    try:
        image = _decoded(parts, size, packed)
    except ValueError:
        repaired = salvage.repair(parts.header, size, packed)
        image = _decoded(parts, size, repaired.packed)
        if repaired.missing_detail or repaired.missing:
            image = salvage.completed(_with_alpha(image), repaired)
        return PngPixels(image, repaired.missing, repaired.missing_detail, is_damaged=repaired.is_damaged)
    is_damaged = any(
        piece.is_whole and not png.is_intact(parts.data, piece) for piece in pieces if piece.kind == b"IDAT"
    )
    return PngPixels(image, is_damaged=is_damaged)


def _fast(parts: PngParts, size: Size, pieces: Pieces) -> Image.Image | None:
    """Decode ordinary pixels; returns None if they are of another kind, or broken in any way."""
    channels = _FAST.get((parts.header.color_type, parts.header.depth))
    if channels is None or parts.transparency:
        return None
    data = _alone(parts, size, pieces) if parts.declared_frames else parts.data
    _require_memory(size, len(channels) if channels != "mono" else 1)
    try:
        pixels = decode_image_png_u8(data, size[::-1], channels)
    except Exception:  # noqa: BLE001 - it raises nothing narrower
        return None
    return Image.fromarray(pixels[..., 0] if channels == "mono" else pixels)


def _fast_samples(parts: PngParts, size: Size, pieces: Pieces) -> Samples | None:
    """Decode samples of 16 bits; returns None as `_fast` does."""
    channels = _FAST_DEEP.get(parts.header.color_type)
    if channels is None or parts.transparency:
        return None
    data = _alone(parts, size, pieces) if parts.declared_frames else parts.data
    _require_memory(size, 2 * (len(channels) if channels != "mono" else 1))
    try:
        samples: Samples = decode_image_png_u16(data, size[::-1], channels)
    except Exception:  # noqa: BLE001 - it raises nothing narrower
        return None
    return samples


def _require_memory(size: Size, bytes_per_pixel: int) -> None:
    """Raise MemoryError if there is no memory for the pixels: the decoder would end the process."""
    np.empty((size[1], size[0], bytes_per_pixel), np.uint8)


def _alone(parts: PngParts, size: Size, pieces: Pieces) -> bytes:
    """Return a PNG of one frame."""
    header = bytearray(parts.data[len(png.SIGNATURE) + 4 : len(png.SIGNATURE) + 4 + 17])
    header[4:12] = struct.pack(">II", *size)
    packed = (parts.data[piece.begin : piece.end] for piece in pieces)
    chunks = (bytes(header), b"".join((b"IDAT", *packed)), b"IEND")
    return png.SIGNATURE + b"".join(
        struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks
    )


def _decoded(parts: PngParts, size: Size, packed: bytes) -> Image.Image:
    """Decode *packed* pixels. Raises ValueError if not all of them are there."""
    header, key = parts.header, parts.transparency
    name, raw = _MODES[header.color_type, header.depth]
    image = _unpacked(header, size, packed, name, raw)
    if header.color_type == png.PALETTE:
        image.putpalette(parts.palette.ljust(_PALETTE_BYTES, b"\0"))
        if key:
            image.info["transparency"] = key
    elif header.color_type == png.GRAY_ALPHA and header.depth == _DEEP:
        image = Image.merge("LA", (image.getchannel("R"), image.getchannel("A")))
    elif not key:
        pass
    elif header.depth < _DEEP:
        if (color := _eight_bit_key(header, key)) is not None:
            image.info["transparency"] = color
    elif header.color_type == png.GRAY:
        image = _deep_gray(image, *struct.unpack(">H", key))
    else:
        low = _unpacked(header, size, packed, name, _LOW_BYTES)
        opaque = (np.asarray(image) != list(key[::2])) | (np.asarray(low) != list(key[1::2]))
        image.putalpha(Image.fromarray(opaque.any(axis=2)).convert("L"))
    return image


def _unpacked(header: PngHeader, size: Size, packed: bytes, name: str, raw: str) -> Image.Image:
    image = Image.new(name, size)
    image.frombytes(packed, "zip", (raw, int(header.is_interlaced)))
    return image


def _eight_bit_key(header: PngHeader, key: bytes) -> int | tuple[int, ...] | None:
    """Return the transparent color in 8 bits; None if the pixels cannot have such values."""
    values, highest = struct.unpack(f">{len(key) // 2}H", key), (1 << header.depth) - 1
    if max(values) > highest:
        return None
    return tuple(values) if header.color_type == png.RGB else values[0] * (255 // highest)


def _deep_gray(image: Image.Image, key: int) -> Image.Image:
    """Return gray and alpha of an *image* of 16 bits, in which the value *key* is transparent."""
    values = np.asarray(image)
    levels = ((np.arange(1 << _DEEP) + 128) // 257).astype(np.uint8)
    alpha = Image.fromarray(values != key).convert("L")
    return Image.merge("LA", (Image.fromarray(levels[values]), alpha))


def _with_alpha(image: Image.Image) -> Image.Image:
    return to_eight_bits(image).convert("RGBA")
