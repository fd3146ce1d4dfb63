"""PNG, for the kinds that nearly all of them are of, by a decoder in Rust that takes a third of Pillow's time."""

import struct
from typing import IO

from kornia_rs.io import decode_image_png_u8
from PIL import Image
from PIL.PngImagePlugin import PngImageFile

# By the raw mode, which Pillow reads from the header: 8 bits a channel, no palette.
_MODES = {"L": "mono", "RGB": "rgb", "RGBA": "rgba"}
_FIRST_CHUNK = 8
_CHUNK = struct.Struct(">I4s")


def decode(source: IO[bytes], header: PngImageFile) -> Image.Image:
    """Decode the pixels of the PNG in *source*, the *header* of which was read by Pillow.

    Returns an image with the file's metadata, or *header* itself if Pillow has to decode it: with palettes, 16 bits,
    a transparent color or frames, and if something is broken, because Pillow reports what.
    """
    mode = _MODES.get(str(header.tile[0].args)) if header.tile else None
    if mode is None or "transparency" in header.info or header.is_animated:
        return header
    source.seek(0)
    data = source.read()
    try:
        pixels = decode_image_png_u8(data, (header.height, header.width), mode)
    except Exception:  # noqa: BLE001 - it raises nothing narrower
        return header
    image = Image.fromarray(pixels[..., 0] if mode == "mono" else pixels)
    image.info = dict(header.info)
    if exif := _exif(data):
        image.info["exif"] = exif
    return image


def _exif(data: bytes) -> bytes:
    """Return the EXIF of a PNG, which may be stored after the pixels, where Pillow no longer reads the header."""
    at = _FIRST_CHUNK
    while at + _CHUNK.size <= len(data):
        length, kind = _CHUNK.unpack_from(data, at)
        if kind == b"eXIf":
            return data[at + _CHUNK.size : at + _CHUNK.size + length]
        at += _CHUNK.size + length + 4  # the checksum
    return b""
