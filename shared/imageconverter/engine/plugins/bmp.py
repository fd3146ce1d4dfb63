"""BMP, the bitmaps of Windows and OS/2, with all headers, masks and run-length encodings.

Where the descriptions say nothing, images are as in Chromium. Pixels that an encoding skips have the first color of
the palette, as in ImageMagick, GraphicsMagick and ffmpeg, and alpha that is 0 everywhere counts as none.
"""

import io
from typing import IO

import numpy as np
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile

from imageconverter.engine import bmp
from imageconverter.engine.plugins import bmp_rle, dib
from imageconverter.engine.plugins.decoded import (
    DecodedImageFile,
    Levels,
    Samples,
    file_of,
    image_of,
    mapped,
    require_half,
    set_missing,
)
from imageconverter.engine.plugins.linear import levels_of_light

FORMAT = "OWN-BMP"
_DEEP = 64  # bits
# An encoding of so many pixels is refused if its runs cannot cover half of them.
_MANY_PIXELS, _PIXELS_PER_BYTE = 4_000_000, 128
_STRIP = 1 << 20  # pixels that are converted at once
_RLE_BITS = {dib.RLE8: 8, dib.RLE4: 4, dib.RLE24: 24}
_EMBEDDED = {dib.JPEG: JpegImageFile, dib.PNG: PngImageFile}
_RAW_MODES = {  # what Pillow's decoder unpacks, by bits and masks
    (24, (0xFF0000, 0xFF00, 0xFF, 0)): ("RGB", "BGR"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0)): ("RGB", "BGRX"),
    (32, (0xFF0000, 0xFF00, 0xFF, 0xFF000000)): ("RGBA", "BGRA"),
    (32, (0xFF, 0xFF00, 0xFF0000, 0xFF000000)): ("RGBA", "RGBA"),
}
_INDICES = {1: "P;1", 2: "P;2", 4: "P;4", 8: "P"}
_FIXED_POINT = 8192  # 1 in pixels of 64 bits


class BmpImageFile(DecodedImageFile):
    """A bitmap."""

    format = "BMP"
    format_description = "Windows Bitmap"

    def _open(self) -> None:
        file = file_of(self)
        start = bmp.header_offset(file)
        file.seek(start - 4)
        self._header = dib.read_header(file, start, int.from_bytes(file.read(4), "little"))
        self._size = self._header.width, self._header.height
        self._mode = "P" if self._header.has_palette else "RGB"

    def _decode(self) -> Image.Image:
        image, rows = decode(file_of(self), self._header)
        set_missing(self, rows)
        return image


def decode(file: IO[bytes], header: dib.Header) -> tuple[Image.Image, int]:
    """Decode the pixels. Returns how many rows the file has as well; raises ValueError if they are less than half."""
    file.seek(header.pixels)
    if header.compression in _EMBEDDED:
        return _embedded(file, header), header.height
    if header.compression in _RLE_BITS:
        return _unpacked(file.read(), header)
    size = header.stride * header.height
    data = file.read(size)
    rows = len(data) // header.stride
    require_half(rows, header.height)
    return _image(data.ljust(size, b"\0"), header), rows


def _image(data: bytes, header: dib.Header) -> Image.Image:
    size, layout = (header.width, header.height), (header.stride, 1 if header.is_top_down else -1)
    if header.has_palette:
        indices = Image.frombuffer("P", size, data, "raw", _INDICES[header.bits], *layout)
        return dib.indexed(np.asarray(indices), header.palette)
    mode, raw_mode = _RAW_MODES.get((header.bits, header.masks), ("", ""))
    if mode:
        image = Image.frombuffer(mode, size, data, "raw", raw_mode, *layout).copy()
    else:
        rows = np.frombuffer(data, "u1").reshape(header.height, -1)[:: layout[1]]
        image = _masked(rows, header) if header.bits != _DEEP else _deep(rows, header.width)
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (0, 0):
        return image.convert("RGB")
    return image


def _masked(rows: Levels, header: dib.Header) -> Image.Image:
    """Take the channels out of pixels of 16 to 32 bits by their masks."""
    masks = header.masks if header.masks[3] else header.masks[:3]
    levels = np.empty((header.height, header.width, len(masks)), "u1")
    step = max(1, _STRIP // header.width)
    for first in range(0, header.height, step):
        pixels = _integers(rows[first : first + step], header)
        for channel, mask in enumerate(masks):
            levels[first : first + step, :, channel] = _channel(pixels, mask)
    return image_of(levels, "RGBA" if len(masks) > 3 else "RGB")  # noqa: PLR2004 - with alpha


def _integers(rows: Levels, header: dib.Header) -> Samples:
    if header.bits != 24:  # noqa: PLR2004 - no type of numpy's
        return np.ascontiguousarray(rows).view(f"<u{header.bits // 8}")[:, : header.width]
    blue, green, red = (rows[:, band : 3 * header.width : 3].astype("u4") for band in range(3))
    pixels: Samples = blue | green << 8 | red << 16
    return pixels


def _channel(pixels: Samples, mask: int) -> Levels:
    """Scale the bits of *mask*, of which the upper eight count, to levels."""
    if not mask:
        return np.zeros(pixels.shape, "u1")
    bits = mask.bit_length()
    shift = max(bits - 8, (mask & -mask).bit_length() - 1)
    values = (pixels & mask) >> shift
    return mapped(values, ((np.arange(256) * 255 * 2 // ((mask >> shift) or 1) + 1) // 2).clip(0, 255).astype("u1"))


def _deep(rows: Levels, width: int) -> Image.Image:
    """Convert pixels of four 16-bit numbers of linear light, with 13 bits after the point."""
    numbers = np.ascontiguousarray(rows).view("<i2").reshape(len(rows), -1, 4)[:, :width]
    levels = np.empty(numbers.shape, "u1")
    for first, row in enumerate(numbers):
        shares = row / np.float32(_FIXED_POINT)
        levels[first, :, :3] = levels_of_light(shares[:, 2::-1])
        levels[first, :, 3] = (shares[:, 3].clip(0, 1) * 255 + 0.5).astype("u1")
    return image_of(levels, "RGBA")


def _unpacked(data: bytes, header: dib.Header) -> tuple[Image.Image, int]:
    bits = _RLE_BITS[header.compression]
    if header.width * header.height > _MANY_PIXELS:
        require_half(len(data) * _PIXELS_PER_BYTE, header.width * header.height)
    canvas = bmp_rle.Canvas(header.width, header.height, len("RGB") if bits > 8 else 1)  # noqa: PLR2004 - no indices
    rows = bmp_rle.decode(data, canvas, bits)
    require_half(rows, header.height)
    pixels = np.frombuffer(canvas.pixels, "u1").reshape(header.height, header.width, -1)
    from_below = not header.is_top_down
    if header.has_palette:
        return dib.indexed(pixels[..., 0], header.palette, from_below=from_below), rows
    return image_of(pixels[..., 2::-1], "RGB", from_below=from_below), rows


def _embedded(file: IO[bytes], header: dib.Header) -> Image.Image:
    with _EMBEDDED[header.compression](io.BytesIO(file.read())) as image:
        if image.size != (header.width, header.height):
            raise ValueError("the image inside has another size")
        image.load()
        return image.copy()


def _accept(prefix: bytes) -> bool:
    return prefix[:2] in (b"BM", b"BA")


Image.register_open(FORMAT, BmpImageFile, _accept)
