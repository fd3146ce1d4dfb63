"""Test images, made by code: every public function returns the bytes of one file."""

import io
import struct
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageDraw, PngImagePlugin, TiffImagePlugin

from tests.testing import icc_profiles
from tests.testing.drawings import SIZE, Size, as_stored, cutout, lab_photo, photo

Transparency = Literal["RGBA", "LA", "palette", "soft palette", "color key"]

GPS_TEXT = b"N52.5200-secret-place"
"""Stands in every kind of metadata that `metadata=True` writes."""

_ORIENTATION = 0x0112


# --- files of one format ------------------------------------------------------------------------
def jpeg(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    orientation: int | None = None,
    profile: bytes = b"",
    progressive: bool = False,
    quality: int = 92,
    metadata: bool = False,
) -> bytes:
    """Make a JPEG; *image* is upright, and is stored rotated if an *orientation* is given."""
    options: dict[str, Any] = {"quality": quality, "progressive": progressive, "subsampling": "4:4:4"}
    if metadata:
        options |= {"comment": GPS_TEXT, "xmp": _xmp()}
    return _with_exif("JPEG", image or photo(size), orientation, profile, metadata=metadata, **options)


def grey_jpeg(size: Size = SIZE, *, profile: bytes = b"") -> bytes:
    """Make a JPEG of one channel."""
    return jpeg(image=photo(size).convert("L"), profile=profile)


def cmyk_jpeg(size: Size = SIZE, *, image: Image.Image | None = None, profile: bytes = b"") -> bytes:
    """Make a CMYK JPEG as Adobe's programs do: four channels, inverted, with their marker."""
    inks = (image or photo(size)).convert("CMYK")
    return _saved(inks, "JPEG", quality=95, icc_profile=profile or None)


def mpo(size: Size = SIZE, *, orientation: int | None = None) -> bytes:
    """Make a JPEG with a second image after it, as phones do for depth and gain maps."""
    second = photo((max(1, size[0] // 2), max(1, size[1] // 2)), seed=2)
    first = as_stored(photo(size), orientation or 1)
    exif = _exif(orientation, metadata=False) if orientation else None
    return _saved(first, "MPO", save_all=True, append_images=[second], quality=92, exif=exif)


def png(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    orientation: int | None = None,
    profile: bytes = b"",
    metadata: bool = False,
) -> bytes:
    """Make a PNG of the *image*, in its own mode."""
    options: dict[str, Any] = {"compress_level": 1}
    if metadata:
        text = PngImagePlugin.PngInfo()
        text.add_text("Comment", GPS_TEXT.decode())
        text.add_itxt("XML:com.adobe.xmp", _xmp().decode())
        options |= {"pnginfo": text, "dpi": (300, 300)}
    return _with_exif("PNG", image or photo(size), orientation, profile, metadata=metadata, **options)


def transparent_png(size: Size = SIZE, *, kind: Transparency = "RGBA") -> bytes:
    """Make a PNG of a disc on transparency, in one of PNG's encodings of transparency."""
    disc = cutout(size)
    match kind:
        case "RGBA":
            return png(image=disc)
        case "LA":
            return png(image=disc.convert("LA"))
        case "palette":
            image = Image.new("P", size, 0)
            image.putpalette([0, 0, 0, 200, 30, 60])
            image.paste(1, mask=disc.getchannel("A").point([0] * 128 + [255] * 128))
            return _saved(image, "PNG", transparency=0)
        case "soft palette":
            image = disc.getchannel("A").point([level // 16 for level in range(256)])
            image.putpalette([200, 30, 60] * 16)
            return _saved(image, "PNG", transparency=bytes(level * 17 for level in range(16)))
        case "color key":
            image = Image.new("RGB", size, (0, 255, 0))
            image.paste((200, 30, 60), mask=disc.getchannel("A").point([0] * 128 + [255] * 128))
            return _saved(image, "PNG", transparency=(0, 255, 0))


def raw_png(size: Size, depth: int, color_type: int, rows: Sequence[bytes], *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG by hand: *rows* as they are stored, further *chunks* (type, content) before the pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    parts = [(b"IHDR", header), *chunks, (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, content) for kind, content in parts)


def grey16_png(values: Sequence[int] = (0, 257, 16384, 32768, 65535), *, height: int = 4) -> bytes:
    """Make a PNG of 16 bits gray with a column for each of the *values*."""
    return raw_png((len(values), height), 16, 0, [struct.pack(f">{len(values)}H", *values)] * height)


def rgb16_png(size: Size = SIZE) -> bytes:
    """Make a PNG of 16 bits for each of three channels."""
    deep = np.asarray(photo(size), dtype=np.uint16) * 257
    return raw_png(size, 16, 2, [row.astype(">u2").tobytes() for row in deep])


def bitmap_png(size: Size = SIZE) -> bytes:
    """Make a PNG of one bit per pixel."""
    return png(image=photo(size).convert("1"))


def palette_png(size: Size = SIZE, *, colors: int = 256) -> bytes:
    """Make a PNG with a palette."""
    return png(image=photo(size).quantize(colors))


def animated_png(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make an animated PNG."""
    return _moving("PNG", size, frames)


def gif(size: Size = SIZE, *, image: Image.Image | None = None, metadata: bool = False) -> bytes:
    """Make a GIF; pixels of the *image* that are less than half opaque become transparent."""
    image = image or photo(size)
    options: dict[str, Any] = {"comment": GPS_TEXT} if metadata else {}
    if image.mode == "RGBA":
        indexed = image.convert("RGB").quantize(255)
        indexed.paste(255, mask=image.getchannel("A").point([255] * 128 + [0] * 128))
        return _saved(indexed, "GIF", transparency=255, **options)
    return _saved(image.quantize(256), "GIF", **options)


def animated_gif(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make an animated GIF; its first frame is `photo`."""
    return _moving("GIF", size, frames)


def webp(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    lossless: bool = False,
    orientation: int | None = None,
    profile: bytes = b"",
    metadata: bool = False,
) -> bytes:
    """Make a WebP; with alpha if the *image* has it."""
    options: dict[str, Any] = {"lossless": lossless, "quality": 92, "method": 2}
    if metadata:
        options["xmp"] = _xmp()
    return _with_exif("WEBP", image or photo(size), orientation, profile, metadata=metadata, **options)


def animated_webp(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make an animated WebP."""
    return _moving("WEBP", size, frames, lossless=True)


def avif(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    orientation: int | None = None,
    profile: bytes = b"",
    metadata: bool = False,
) -> bytes:
    """Make an AVIF; with alpha if the *image* has it."""
    options: dict[str, Any] = {"quality": 92, "speed": 10, "subsampling": "4:4:4", "max_threads": 1}
    if metadata:
        options["xmp"] = _xmp()
    return _with_exif("AVIF", image or photo(size), orientation, profile, metadata=metadata, **options)


def animated_avif(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make an animated AVIF."""
    return _moving("AVIF", size, frames, speed=10, max_threads=1)


def bmp(size: Size = SIZE, *, image: Image.Image | None = None) -> bytes:
    """Make a BMP."""
    return _saved(image or photo(size), "BMP")


def os2_bmp(size: Size = SIZE) -> bytes:
    """Write a BMP with the twelve-byte header of OS/2, whose width and height have 16 bits."""
    width, height = size
    stride = (width * 3 + 3) // 4 * 4
    rows = np.asarray(photo(size))[::-1, :, ::-1]
    pixels = b"".join(row.tobytes().ljust(stride, b"\0") for row in rows)
    return struct.pack("<2sIIIIHHHH", b"BM", 26 + len(pixels), 0, 26, 12, width, height, 1, 24) + pixels


def tiff(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    compression: str | None = None,
    orientation: int | None = None,
    profile: bytes = b"",
    metadata: bool = False,
) -> bytes:
    """Make a TIFF of the *image* in its own mode; *compression* is one of Pillow's names."""
    stored = as_stored(image or photo(size), orientation or 1)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if orientation:
        tags[_ORIENTATION] = orientation
    if metadata:
        tags[270] = GPS_TEXT.decode()
        tags[700] = _xmp()
    return _saved(stored, "TIFF", compression=compression, tiffinfo=tags, icc_profile=profile or None)


def cmyk_tiff(size: Size = SIZE) -> bytes:
    """Make a CMYK TIFF."""
    return tiff(image=photo(size).convert("CMYK"), compression="tiff_lzw")


def grey16_tiff(
    values: Sequence[int] = (0, 257, 16384, 32768, 65535), *, height: int = 4, big_endian: bool = False
) -> bytes:
    """Make a TIFF of 16 bits gray with a column for each of the *values*."""
    kind = ">u2" if big_endian else "<u2"
    return tiff(image=Image.fromarray(np.tile(np.array(values, dtype=kind), (height, 1))))


def float_tiff(values: Sequence[float] = (0.0, 0.25, 0.5, 1.0), *, height: int = 4) -> bytes:
    """Make a TIFF of 32-bit floating point numbers with a column for each of the *values*."""
    return tiff(image=Image.fromarray(np.tile(np.array(values, dtype=np.float32), (height, 1))))


def paged_tiff(size: Size = SIZE, *, pages: int = 3) -> bytes:
    """Make a TIFF of several pages; the first is `photo`."""
    return _moving("TIFF", size, pages)


SOURCES: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG progressive": lambda: jpeg(progressive=True),
    "JPEG gray": grey_jpeg,
    "JPEG CMYK": cmyk_jpeg,
    "JPEG CMYK with profile": lambda: cmyk_jpeg(profile=icc_profiles.cmyk_profile()),
    "JPEG Display P3": lambda: jpeg(profile=icc_profiles.p3_profile()),
    "JPEG turned": lambda: jpeg(orientation=6),
    "JPEG of several images": mpo,
    "PNG": png,
    "PNG RGBA": transparent_png,
    "PNG LA": lambda: transparent_png(kind="LA"),
    "PNG palette": palette_png,
    "PNG palette with transparency": lambda: transparent_png(kind="palette"),
    "PNG palette with soft transparency": lambda: transparent_png(kind="soft palette"),
    "PNG color key": lambda: transparent_png(kind="color key"),
    "PNG 16-bit gray": grey16_png,
    "PNG 16-bit RGB": rgb16_png,
    "PNG 1-bit": bitmap_png,
    "PNG animated": animated_png,
    "GIF": gif,
    "GIF transparent": lambda: gif(image=cutout()),
    "GIF animated": animated_gif,
    "WebP": webp,
    "WebP lossless with alpha": lambda: webp(image=cutout(), lossless=True),
    "WebP animated": animated_webp,
    "AVIF": avif,
    "AVIF with alpha": lambda: avif(image=cutout()),
    "AVIF animated": animated_avif,
    "BMP": bmp,
    "BMP 1-bit": lambda: bmp(image=photo().convert("1")),
    "BMP OS/2": os2_bmp,
    "TIFF": tiff,
    "TIFF LZW": lambda: tiff(compression="tiff_lzw"),
    "TIFF deflate": lambda: tiff(compression="tiff_adobe_deflate"),
    "TIFF RGBA": lambda: tiff(image=cutout()),
    "TIFF CMYK": cmyk_tiff,
    "TIFF LAB": lambda: tiff(image=lab_photo()),
    "TIFF 16-bit gray": grey16_tiff,
    "TIFF 16-bit gray, big-endian": lambda: grey16_tiff(big_endian=True),
    "TIFF float": float_tiff,
    "TIFF of several pages": paged_tiff,
}
"""One file of every kind that can be read."""


# --- how the files are written ------------------------------------------------------------------
def _with_exif(
    kind: str, upright: Image.Image, orientation: int | None, profile: bytes, *, metadata: bool, **options: Any
) -> bytes:
    if orientation or metadata:
        options["exif"] = _exif(orientation, metadata=metadata)
    if metadata:
        profile = profile or icc_profiles.srgb_profile()
    if profile:
        options["icc_profile"] = profile
    return _saved(as_stored(upright, orientation or 1), kind, **options)


def _exif(orientation: int | None, *, metadata: bool) -> Image.Exif:
    exif = Image.Exif()
    if orientation:
        exif[_ORIENTATION] = orientation
    if metadata:
        exif[0x010E] = GPS_TEXT.decode()
        exif.get_ifd(0x8825)[29] = GPS_TEXT.decode()
    return exif


def _xmp() -> bytes:
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><place>' + GPS_TEXT + b"</place></x:xmpmeta>"


def _moving(kind: str, size: Size, frames: int, **options: Any) -> bytes:
    images = [photo(size, seed=seed) for seed in range(1, frames + 1)]
    for number, image in enumerate(images):  # equal frames would be merged
        ImageDraw.Draw(image).point((number, 0), fill=(255, 0, 0))
    return _saved(images[0], kind, save_all=True, append_images=images[1:], **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **{name: value for name, value in options.items() if value is not None})
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
