"""Test images, made by code: every function below the first section returns the bytes of one file."""

import io
import math
import struct
import zlib
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any, Literal

import numpy as np
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin, TiffImagePlugin

Size = tuple[int, int]
Colour = tuple[int, int, int]
Transparency = Literal["RGBA", "LA", "palette", "soft palette", "color key"]

SIZE: Size = (96, 64)
CORNERS: tuple[Colour, ...] = ((220, 40, 40), (40, 180, 60), (50, 70, 210), (230, 210, 50))
"""The colors of `corners`: top left, top right, bottom left, bottom right."""
GPS_TEXT = b"N52.5200-secret-place"
"""Stands in every kind of metadata that `metadata=True` writes."""

_ORIENTATION = 0x0112
_MAX_PIXELS_DRAWN = 4_000_000
_NOISE = 2.5
_TABLE_STEPS = 9
_TO_STORED = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


# --- what is on the images --------------------------------------------------------------------
def photo(size: Size = SIZE, *, seed: int = 1) -> Image.Image:
    """Draw something like a photograph: soft gradients, discs with sharp edges, mild noise."""
    return _photo(size, seed).copy()


@lru_cache(maxsize=64)
def _photo(size: Size, seed: int) -> Image.Image:
    width, height = size
    if width * height > _MAX_PIXELS_DRAWN:
        scale = math.sqrt(_MAX_PIXELS_DRAWN / 4 / (width * height))
        small = photo((max(1, int(width * scale)), max(1, int(height * scale))), seed=seed)
        return small.resize(size, Image.Resampling.NEAREST)
    random = np.random.default_rng(seed)
    u = np.linspace(0, 1, width, dtype=np.float32)[None, :]
    v = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    pixels = np.stack(np.broadcast_arrays(70 + 150 * u, 200 - 110 * v, 110 + 80 * np.sin(4 * u + 3 * v)), axis=-1)
    for _ in range(8):
        centre = random.random(2) * size
        radius = (0.06 + 0.12 * random.random()) * min(size)
        left, top = (max(0, int(middle - radius) - 1) for middle in centre)
        part = pixels[top : int(centre[1] + radius) + 2, left : int(centre[0] + radius) + 2]
        y, x = np.ogrid[: part.shape[0], : part.shape[1]]
        distance = np.hypot(x + left - centre[0], y + top - centre[1]) - radius
        cover = np.clip(0.5 - distance, 0, 1)[..., None]
        part += (random.uniform(20, 235, 3) - part) * cover
    noise = random.normal(0, _NOISE, (64, 64, 1)) + random.normal(0, _NOISE / 2, (64, 64, 3))
    pixels += np.tile(noise, (height // 64 + 1, width // 64 + 1, 1))[:height, :width]
    return Image.fromarray(np.clip(pixels + 0.5, 0, 255).astype(np.uint8))


def corners(size: Size = SIZE) -> Image.Image:
    """Draw four quarters in the colors of `CORNERS`: no turn and no mirror leaves it as it is."""
    image = Image.new("RGB", size)
    width, height = size
    columns, rows = (0, width // 2, width), (0, height // 2, height)
    for index, color in enumerate(CORNERS):
        column, row = index % 2, index // 2
        image.paste(color, (columns[column], rows[row], columns[column + 1], rows[row + 1]))
    return image


def cutout(size: Size = SIZE, *, color: Colour = (200, 30, 60), softness: float = 3.0) -> Image.Image:
    """Draw a disc with a soft edge on transparency; what is hidden below the transparency is black."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    distance = min(size) * 0.4 - np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    alpha = np.clip(distance / softness + 0.5, 0, 1)
    pixels = np.zeros((height, width, 4), dtype=np.uint8)
    pixels[..., 3] = np.rint(alpha * 255)
    pixels[..., :3] = np.where(pixels[..., 3:] > 0, np.array(color, dtype=np.uint8), 0)
    return Image.fromarray(pixels)


def lab_photo(size: Size = SIZE) -> Image.Image:
    """Return `photo` in the LAB color space."""
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(srgb, lab, "RGB", "LAB").apply(photo(size))


def as_stored(upright: Image.Image, orientation: int) -> Image.Image:
    """Turn *upright* as a camera stores it that writes *orientation* beside it."""
    method = _TO_STORED.get(orientation)
    return upright if method is None else upright.transpose(method)


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
    """Make a JPEG; *image* is upright, and is stored turned where an *orientation* is given."""
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
    """Make a JPEG with a second image behind it, as telephones do for depth and gain maps."""
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
    """Make a PNG of a disc on transparency, which is written in one of the ways that PNG has."""
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


def raw_png(size: Size, depth: int, colour_type: int, rows: Sequence[bytes], *chunks: tuple[bytes, bytes]) -> bytes:
    """Write a PNG by hand: *rows* as they are stored, further *chunks* (type, content) before the pixels."""
    header = struct.pack(">IIBBBBB", *size, depth, colour_type, 0, 0, 0)
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
    """Make a PNG of one bit a pixel."""
    return png(image=photo(size).convert("1"))


def palette_png(size: Size = SIZE, *, colors: int = 256) -> bytes:
    """Make a PNG with a palette."""
    return png(image=photo(size).quantize(colors))


def animated_png(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make a PNG that moves."""
    return _moving("PNG", size, frames)


def gif(size: Size = SIZE, *, image: Image.Image | None = None, metadata: bool = False) -> bytes:
    """Make a GIF; where the *image* has alpha, what is less than half opaque becomes transparent."""
    image = image or photo(size)
    options: dict[str, Any] = {"comment": GPS_TEXT} if metadata else {}
    if image.mode == "RGBA":
        indexed = image.convert("RGB").quantize(255)
        indexed.paste(255, mask=image.getchannel("A").point([255] * 128 + [0] * 128))
        return _saved(indexed, "GIF", transparency=255, **options)
    return _saved(image.quantize(256), "GIF", **options)


def animated_gif(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make a GIF that moves; its first frame is `photo`."""
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
    """Make a WebP; with alpha where the *image* has it."""
    options: dict[str, Any] = {"lossless": lossless, "quality": 92, "method": 2}
    if metadata:
        options["xmp"] = _xmp()
    return _with_exif("WEBP", image or photo(size), orientation, profile, metadata=metadata, **options)


def animated_webp(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make a WebP that moves."""
    return _moving("WEBP", size, frames, lossless=True)


def avif(
    size: Size = SIZE,
    *,
    image: Image.Image | None = None,
    orientation: int | None = None,
    profile: bytes = b"",
    metadata: bool = False,
) -> bytes:
    """Make an AVIF; with alpha where the *image* has it."""
    options: dict[str, Any] = {"quality": 92, "speed": 10, "subsampling": "4:4:4", "max_threads": 1}
    if metadata:
        options["xmp"] = _xmp()
    return _with_exif("AVIF", image or photo(size), orientation, profile, metadata=metadata, **options)


def animated_avif(size: Size = SIZE, *, frames: int = 3) -> bytes:
    """Make an AVIF that moves."""
    return _moving("AVIF", size, frames, speed=10, max_threads=1)


def bmp(size: Size = SIZE, *, image: Image.Image | None = None) -> bytes:
    """Make a BMP."""
    return _saved(image or photo(size), "BMP")


def os2_bmp(size: Size = SIZE) -> bytes:
    """Write a BMP with the twelve-byte header of OS/2, whose extents have 16 bits."""
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
    """Make a TIFF of the *image* in its own mode; *compression* is called as in Pillow."""
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


# --- ICC profiles -------------------------------------------------------------------------------
@cache
def p3_profile() -> bytes:
    """Write the ICC profile (version 4, matrix and curve) of Display P3."""
    curve = b"para" + bytes(4) + struct.pack(">HH", 3, 0)
    curve += b"".join(_fixed(value) for value in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
    primaries = {b"r": (0.515121, 0.241196, -0.001053), b"g": (0.291977, 0.692245, 0.041885)}
    primaries[b"b"] = (0.157104, 0.066574, 0.784073)
    tags = {name + b"XYZ": _xyz(*value) for name, value in primaries.items()}
    tags |= {name + b"TRC": curve for name in primaries}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags, version=4)


@cache
def grey_profile(*, gamma: float = 1.0) -> bytes:
    """Write the ICC profile of a gray scale with one exponent."""
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": curve}, version=2)


@cache
def cmyk_profile() -> bytes:
    """Write the ICC profile of a printing press that mixes four inks as filters: cyan is not (0, 255, 255) here.

    Its paper is white and its darkest black is a dark gray, as on all presses.
    """
    inks = np.array([(0, 158, 224), (229, 0, 125), (255, 236, 0), (40, 38, 37)]) / 255
    light_of_inks = np.where(inks <= 0.04045, inks / 12.92, ((inks + 0.055) / 1.055) ** 2.4)
    light = np.prod(1 - _grid(4)[..., None] * (1 - light_of_inks), axis=1)
    to_xyz = np.array([[0.4361, 0.3851, 0.1431], [0.2225, 0.7169, 0.0606], [0.0139, 0.0971, 0.7141]])
    x, y, z = np.cbrt(np.clip(light @ to_xyz.T / to_xyz.sum(axis=1), 0.009, None)).T
    lab = np.stack([(116 * y - 16) * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], axis=1)
    # The way back is rough: it is there for the press's black to be found.
    inks_of_grey = 1 - _grid(3)[:, :1].repeat(4, axis=1)
    tags = {b"A2B0": _lut(lab, 4, 3), b"B2A0": _lut(inks_of_grey * 255, 3, 4)}
    return _profile(b"prtr", b"CMYK", b"Lab ", tags, version=2)


@cache
def srgb_profile() -> bytes:
    """Return an ICC profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


# --- broken and hostile files -------------------------------------------------------------------
def truncated(data: bytes, *, share: float = 0.5) -> bytes:
    """Cut *data* off after a *share* of it."""
    return data[: int(len(data) * share)]


def garbage(length: int = 4000, *, seed: int = 1) -> bytes:
    """Return bytes that mean nothing."""
    return np.random.default_rng(seed).bytes(length)


MAGICS: dict[str, bytes] = {
    "JPEG": b"\xff\xd8\xff",
    "PNG": b"\x89PNG\r\n\x1a\n",
    "GIF": b"GIF89a",
    "WebP": b"RIFF\x10\0\0\0WEBP",
    "AVIF": b"\0\0\0\x1cftypavif",
    "TIFF": b"II*\0",
    "BMP": b"BM\0\0\0\0\0\0\0\0",
}
"""Leading bytes that announce an image of each source format."""


def flat_webp(size: Size) -> bytes:
    """Write a lossless WebP of one color by hand: 34 bytes, whatever its size."""
    bits = (size[0] - 1) | (size[1] - 1) << 14 | 1 << 28
    position = 28 + 1 + 3 + 3  # extents, alpha, version; no transform, no color cache, no groups
    for _ in range(5):  # each of the five prefix codes has one symbol
        bits |= 1 << position
        position += 4
    stream = b"\x2f" + bits.to_bytes(13, "little")
    return b"RIFF" + struct.pack("<I", 12 + len(stream)) + b"WEBPVP8L" + struct.pack("<I", len(stream)) + stream


def webp_bomb() -> bytes:
    """Make 34 bytes that are 268 megapixels; libwebp allocates them as soon as it is asked for the extents."""
    return flat_webp((16383, 16383))


def png_bomb() -> bytes:
    """Make a PNG whose header announces 2,500 megapixels."""
    return raw_png((50_000, 50_000), 8, 2, [bytes(150_000)] * 3)


def jpeg_bomb() -> bytes:
    """Make a JPEG whose header announces 4,290 megapixels, and nothing behind it."""
    return b"\xff\xd8\xff\xc0" + struct.pack(">HBHHB", 17, 8, 65_500, 65_500, 3) + bytes(9) + b"\xff\xd9"


def gif_bomb() -> bytes:
    """Make a GIF whose screen has 4,295 megapixels."""
    return b"GIF89a" + struct.pack("<HHBBB", 65_535, 65_535, 0x80, 0, 0) + bytes(6) + b";"


def gif_frame_bomb(size: Size = (60_000, 60_000)) -> bytes:
    """Make a GIF with a screen of one pixel and a frame of *size*."""
    head = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6)
    return head + b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + b"\x02\x02\x4c\x01\0;"


def tiff_bomb() -> bytes:
    """Make a TIFF whose header announces 10,000 megapixels."""
    entries = {256: 100_000, 257: 100_000, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 100_000, 279: 100}
    body = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in entries.items())
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + bytes(4)


def bmp_bomb() -> bytes:
    """Make a BMP whose header announces 3,600 megapixels."""
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 0, 0, 54, 40, 60_000, -60_000, 1, 24, 0, 0, 0, 0, 0, 0)


def avif_bomb() -> bytes:
    """Make an AVIF whose container announces 900 megapixels."""
    data = avif(size=(16, 16))
    at = data.index(b"ispe") + 8
    return data[:at] + struct.pack(">II", 30_000, 30_000) + data[at + 8 :]


BOMBS: dict[str, Callable[[], bytes]] = {
    "WebP": webp_bomb,
    "PNG": png_bomb,
    "JPEG": jpeg_bomb,
    "GIF": gif_bomb,
    "GIF frame": gif_frame_bomb,
    "TIFF": tiff_bomb,
    "BMP": bmp_bomb,
    "AVIF": avif_bomb,
}

SOURCES: dict[str, Callable[[], bytes]] = {
    "JPEG": jpeg,
    "JPEG progressive": lambda: jpeg(progressive=True),
    "JPEG gray": grey_jpeg,
    "JPEG CMYK": cmyk_jpeg,
    "JPEG CMYK with profile": lambda: cmyk_jpeg(profile=cmyk_profile()),
    "JPEG Display P3": lambda: jpeg(profile=p3_profile()),
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
        profile = profile or srgb_profile()
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
    for number, image in enumerate(images):  # two equal frames would be written as one
        ImageDraw.Draw(image).point((number, 0), fill=(255, 0, 0))
    return _saved(images[0], kind, save_all=True, append_images=images[1:], **options)


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **{name: value for name, value in options.items() if value is not None})
    return buffer.getvalue()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _xyz(x: float, y: float, z: float) -> bytes:
    return b"XYZ " + bytes(4) + _fixed(x) + _fixed(y) + _fixed(z)


def _grid(channels: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return the points of a table over *channels*, in the order of ICC profiles."""
    steps = np.linspace(0, 1, _TABLE_STEPS)
    return np.stack(np.meshgrid(*[steps] * channels, indexing="ij"), axis=-1).reshape(-1, channels)


def _lut(values: np.ndarray[Any, np.dtype[np.float64]], inputs: int, outputs: int) -> bytes:
    """Lay out a table of an ICC profile, between curves that change nothing."""
    unity = (65536 if n % 4 == 0 else 0 for n in range(9))
    head = struct.pack(">4s4xBBBx9i", b"mft1", inputs, outputs, _TABLE_STEPS, *unity)
    table: bytes = np.clip(np.rint(values), 0, 255).astype(np.uint8).tobytes()
    return head + bytes(range(256)) * inputs + table + bytes(range(256)) * outputs


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes], *, version: int) -> bytes:
    """Lay out an ICC profile: a header of 128 bytes, a table of tags, the tags."""
    name = b"Made for tests"
    if version == 4:  # texts are written in another way since
        wide = name.decode().encode("utf-16-be")
        text = b"mluc" + bytes(4) + struct.pack(">II4sII", 1, 12, b"enUS", len(wide), 28) + wide
        texts = {b"desc": text, b"cprt": text}
    else:
        described = struct.pack(">I", len(name) + 1) + name + bytes(1 + 4 + 4 + 2 + 1 + 67)
        texts = {b"desc": b"desc" + bytes(4) + described, b"cprt": b"text" + bytes(4) + name + b"\0"}
    every = {**texts, b"wtpt": _xyz(0.9642, 1.0, 0.8249), **tags}
    table, body, start = b"", b"", 128 + 4 + 12 * len(every)
    for tag, content in every.items():
        table += struct.pack(">4sII", tag, start + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    illuminant = _fixed(0.9642) + _fixed(1.0) + _fixed(0.8249)
    header = struct.pack(">I4xI4s4s4s", start + len(body), version << 24, kind, space, connection)
    header += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + illuminant + bytes(48)
    return header + struct.pack(">I", len(every)) + table + body
