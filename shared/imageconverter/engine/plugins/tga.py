"""TGA, the images of Truevision's boards: all kinds, depths, maps and origins.

Specification: Truevision TGA File Format Specification 2.0 (1991). Where programs do not follow it, images are as in
ImageMagick and ffmpeg: packets go over the ends of rows, and pixels of 32 bits have alpha even if the header does not
say so, unless all of it is 0.
"""

import struct
from typing import IO, Any

import numpy as np
from PIL import Image

from imageconverter.engine import tga
from imageconverter.engine.plugins.decoded import (
    DecodedImageFile,
    Levels,
    Samples,
    file_of,
    image_of,
    require_half,
    set_missing,
)

FORMAT = "OWN-TGA"
_FOOTER, _SIGNATURE = struct.Struct("<II18s"), b"TRUEVISION-XFILE.\0"
_ATTRIBUTES_AT = 494  # in the extension area
_NO_ALPHA, _IGNORED, _PREMULTIPLIED = 0, 1, 4  # attributes
_MAX_PACKET = 128  # pixels
# Pillow decodes packets of pixels of this many bytes into these modes.
_MODES = {1: ("L", "L"), 2: ("I;16", "I;16"), 3: ("RGB", "RGB"), 4: ("RGBA", "RGBA")}
_PALETTE_COLORS = 256


class TgaImageFile(DecodedImageFile):
    """A TGA."""

    format = "TGA"
    format_description = "Targa"

    def _open(self) -> None:
        file = file_of(self)
        header = tga.read(file.read(tga.HEADER.size))
        if header is None:
            raise ValueError("its header is inconsistent")
        self._header = header
        self._size = header.width, header.height
        self._mode = {tga.INDEXED: "P", tga.GRAY: "L"}.get(header.kind, "RGB")

    def _decode(self) -> Image.Image:
        file, header = file_of(self), self._header
        attributes = _attributes(file)
        pixels, rows = _pixels(file, header)
        pixels = pixels[:: 1 if header.from_above else -1, :: -1 if header.from_right else 1]
        if header.kind == tga.INDEXED:
            image = _indexed(pixels, _map(file, header), header)
        elif header.kind == tga.GRAY:
            image = image_of(pixels[..., 0], "L") if header.depth == 8 else image_of(pixels, "LA")  # noqa: PLR2004 - bits
        else:
            image = _colored(pixels, header)
        if image.mode in ("LA", "RGBA"):
            image = _with_alpha(image, attributes)
        set_missing(self, rows)
        return image


def _pixels(file: IO[bytes], header: tga.Header) -> tuple[Levels, int]:
    """Return the bytes of all pixels (row, column, byte), and how many rows the file has."""
    length = (header.depth + 7) // 8
    file.seek(header.pixels)
    count = header.width * header.height
    if header.is_packed:
        data, found = _unpacked(file.read(), length, count)
    else:
        data = file.read(count * length)
        found = len(data) // length
    rows = found // header.width
    require_half(rows, header.height)
    data = data.ljust(count * length, b"\0")
    return np.frombuffer(data, "u1").reshape(header.height, header.width, length), rows


def _unpacked(data: bytes, length: int, count: int) -> tuple[bytes, int]:
    """Unpack *count* pixels of *length* bytes. Returns what was found, and the number of its pixels.

    Pillow's decoder takes them as one row, since it refuses packets that go over the end of a row.
    """
    mode, raw_mode = _MODES[length]
    require_half(len(data) * _MAX_PACKET, count)
    try:
        return Image.frombytes(mode, (count, 1), data, "tga_rle", raw_mode, 1, length * 8).tobytes(), count
    except ValueError:  # cut off, or the last packet is too long
        found, end = _count(data, length, count)
        require_half(found, count)
    room = count + _MAX_PACKET
    padded = data[:end] + bytes((room - min(found, count)) * (length + 1))  # a packet of 0 has one pixel, of 0 again
    image = Image.frombytes(mode, (room, 1), padded, "tga_rle", raw_mode, 1, length * 8)
    return image.tobytes()[: count * length], min(found, count)


def _count(data: bytes, length: int, count: int) -> tuple[int, int]:
    """Return how many pixels there are in *data*, up to *count* or somewhat more, and where they end."""
    at = found = 0
    while at < len(data) and found < count:
        pixels = (data[at] & 0x7F) + 1
        stored = 1 if data[at] & 0x80 else pixels
        there = (len(data) - at - 1) // length
        if there < stored:
            return found + (there if stored > 1 else 0), len(data)
        found += pixels
        at += 1 + stored * length
    return found, at


def _map(file: IO[bytes], header: tga.Header) -> tuple[Levels, str]:
    """Return the colors of the map, from index 0 on, and their mode."""
    length = (header.map_bits + 7) // 8
    file.seek(header.map)
    stored = np.frombuffer(file.read(header.colors * length).ljust(header.colors * length, b"\0"), "u1")
    colors = stored.reshape(header.colors, length)
    if length == 2:  # noqa: PLR2004 - bytes
        channels = _five_bits(colors.view("<u2")[:, 0])
    else:
        channels = colors[:, (2, 1, 0, 3)[:length]]
        if length > 3 and not channels[:, 3].any():  # noqa: PLR2004 - with alpha
            channels = channels[:, :3]
    before = np.zeros((header.first_color, channels.shape[1]), "u1")
    return np.concatenate([before, channels]), "RGBA" if channels.shape[1] > 3 else "RGB"  # noqa: PLR2004 - with alpha


def _indexed(pixels: Levels, colors: tuple[Levels, str], header: tga.Header) -> Image.Image:
    entries, mode = colors
    if header.depth == 8 and mode == "RGB":  # noqa: PLR2004 - bits
        image = image_of(pixels[..., 0], "P")
        image.putpalette(entries[:_PALETTE_COLORS].tobytes())
        return image
    indices = pixels[..., 0] if header.depth == 8 else np.ascontiguousarray(pixels).view("<u2")[..., 0]  # noqa: PLR2004 - bits
    black = np.zeros((max(0, np.iinfo(indices.dtype).max + 1 - len(entries)), entries.shape[1]), "u1")
    return image_of(np.concatenate([entries, black])[indices], mode)


def _colored(pixels: Levels, header: tga.Header) -> Image.Image:
    if pixels.shape[2] == 2:  # noqa: PLR2004 - bytes
        values = np.ascontiguousarray(pixels).view("<u2")[..., 0]
        levels = _five_bits(values)
        if not header.alpha_bits or header.depth < 16:  # noqa: PLR2004 - bits
            return image_of(levels, "RGB")
        opaque = (values >> 15).astype("u1") * np.uint8(255)
        return image_of(np.concatenate([levels, opaque[..., None]], axis=-1), "RGBA")
    if pixels.shape[2] == 3:  # noqa: PLR2004 - bytes
        return image_of(pixels[..., ::-1], "RGB")
    return image_of(pixels[..., (2, 1, 0, 3)], "RGBA")


def _five_bits(values: Samples) -> Levels:
    """Return the three levels of each of the *values*, which have five bits for each."""
    table = np.array(
        [[(value >> shift & 31) * 255 / 31 + 0.5 for shift in (10, 5, 0)] for value in range(1 << 15)], "u1"
    )
    levels: Levels = table[values & 0x7FFF]
    return levels


def _with_alpha(image: Image.Image, attributes: int | None) -> Image.Image:
    """Return *image* with the alpha that its attributes mean, if any."""
    colors: Any = image.mode[:-1]
    if attributes in (_NO_ALPHA, _IGNORED) or image.getchannel("A").getextrema() == (0, 0):
        return image.convert(colors)
    if attributes == _PREMULTIPLIED:
        premultiplied: Any = {"LA": "La", "RGBA": "RGBa"}[image.mode]
        return Image.frombytes(premultiplied, image.size, image.tobytes())
    return image


def _attributes(file: IO[bytes]) -> int | None:
    """Return what the extension area says about alpha; None if there is none."""
    end = file.seek(0, 2)
    if end < _FOOTER.size:
        return None
    file.seek(end - _FOOTER.size)
    extension, _, signature = _FOOTER.unpack(file.read(_FOOTER.size))
    if signature != _SIGNATURE or not extension:
        return None
    file.seek(extension + _ATTRIBUTES_AT)
    found = file.read(1)
    return found[0] if found else None


Image.register_open(FORMAT, TgaImageFile)
