"""Files that say what their colors mean, in each way that their type has: every function returns a file's bytes."""

import io
import struct
import zlib
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from tests.testing import image_files

Chunk = tuple[bytes, bytes]
Samples = np.ndarray[Any, np.dtype[np.uint16]]

SRGB_CHROMATICITIES = (0.3127, 0.3290, 0.64, 0.33, 0.30, 0.60, 0.15, 0.06)
P3_CHROMATICITIES = (0.3127, 0.3290, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
"""X and y of white, red, green and blue, as PNG has them."""


def chart() -> Image.Image:
    """Draw a ramp of grays over patches of 216 colors, each of 4 x 4 pixels."""
    levels = np.array([0, 51, 102, 153, 204, 255])
    colors = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(12, 18, 3)
    grays = np.linspace(0, 255, 18).round()[None, :, None].repeat(3, axis=2)
    return Image.fromarray(np.concatenate([grays, colors]).astype(np.uint8).repeat(4, axis=0).repeat(4, axis=1))


# --- PNG ----------------------------------------------------------------------------------------
def png(image: Image.Image, *chunks: Chunk) -> bytes:
    """Make a PNG of *image* (L, LA, RGB or RGBA) with *chunks* before its pixels."""
    pixels = np.asarray(image)
    color_type = {"L": 0, "RGB": 2, "LA": 4, "RGBA": 6}[image.mode]
    return image_files.raw_png(image.size, 8, color_type, [row.tobytes() for row in pixels], *chunks)


def deep_png(samples: Samples, *chunks: Chunk) -> bytes:
    """Make a PNG of 16 bits, from rows of pixels of one (gray) to four channels."""
    channels = 1 if samples.ndim == 2 else samples.shape[2]
    rows = [row.astype(">u2").tobytes() for row in samples]
    return image_files.raw_png(samples.shape[1::-1], 16, {1: 0, 2: 4, 3: 2, 4: 6}[channels], rows, *chunks)


def cicp(primaries: int, transfer: int, matrix: int = 0, full_range: int = 1) -> Chunk:
    """Write a color space by the numbers of ITU-T H.273."""
    return (b"cICP", bytes([primaries, transfer, matrix, full_range]))


def gamma(exponent: float) -> Chunk:
    """Write the exponent of the encoding."""
    return (b"gAMA", struct.pack(">I", round(exponent * 100_000)))


def chromaticities(values: tuple[float, ...]) -> Chunk:
    """Write white and primaries."""
    return (b"cHRM", struct.pack(">8I", *(round(value * 100_000) for value in values)))


def iccp(profile: bytes) -> Chunk:
    """Write an ICC profile."""
    return (b"iCCP", b"A name\0\0" + zlib.compress(profile))


def peak(nits: float) -> Chunk:
    """Write the luminance of the brightest pixel, and of the brightest frame."""
    return (b"cLLI", struct.pack(">II", round(nits * 10_000), round(nits * 10_000)))


SRGB: Chunk = (b"sRGB", b"\0")


# --- other types --------------------------------------------------------------------------------
def avif(image: Image.Image, primaries: int, transfer: int, *, profile: bytes = b"") -> bytes:
    """Make an AVIF with the numbers of ITU-T H.273."""
    options: dict[str, Any] = {"quality": 100, "speed": 8, "subsampling": "4:4:4", "max_threads": 1}
    return _numbered(_saved(image, "AVIF", **options, **_icc(profile)), primaries, transfer)


def deep_avif(samples: Samples, primaries: int, transfer: int) -> bytes:
    """Make an AVIF of 10 bits."""
    return _numbered(bytes(imagecodecs.avif_encode(samples, bitspersample=10, speed=8)), primaries, transfer)


def moving_avif(image: Image.Image, primaries: int, transfer: int) -> bytes:
    """Make an animated AVIF with the numbers of ITU-T H.273."""
    frames = [image, image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]
    options: dict[str, Any] = {"quality": 100, "speed": 8, "subsampling": "4:4:4", "max_threads": 1}
    data = _saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], **options)
    return _numbered(data, primaries, transfer)


def heic(image: Image.Image, primaries: int, transfer: int) -> bytes:
    """Make a HEIC with the numbers of ITU-T H.273; needs pillow-heif."""
    return _saved(
        image, "HEIF", quality=-1, chroma=444, color_primaries=primaries, transfer_characteristics=transfer
    )  # fmt: skip


def deep_heic(samples: Samples, primaries: int, transfer: int) -> bytes:
    """Make a HEIC of 10 bits; needs pillow-heif."""
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    image = pillow_heif.from_bytes("RGB;16", samples.shape[1::-1], (samples << 6).tobytes())
    buffer = io.BytesIO()
    numbers = {"color_primaries": primaries, "transfer_characteristics": transfer}
    image.save(buffer, quality=-1, chroma=444, matrix_coefficients=0, **numbers)
    return buffer.getvalue()


def gif(image: Image.Image, profile: bytes) -> bytes:
    """Make a GIF with an ICC profile, after a comment."""
    data = _saved(image.quantize(256), "GIF")
    end = 13 + (3 << (data[10] & 7) + 1)
    blocks = b"".join(
        bytes([len(part)]) + part for part in (profile[at : at + 255] for at in range(0, len(profile), 255))
    )
    return data[:end] + b"\x21\xfe\x02hi\0" + b"\x21\xff\x0bICCRGBG1012" + blocks + b"\0" + data[end:]


def bmp(
    image: Image.Image, *, profile: bytes = b"", primaries: tuple[float, ...] = (), exponent: float = 2.2
) -> bytes:
    """Make a BMP of version 5 with a *profile*, or with *primaries* (x and y of red, green and blue) and gamma."""
    width, height = image.size
    pixels = b"".join(
        row.tobytes().ljust((width * 3 + 3) // 4 * 4, b"\0")
        for row in np.asarray(image.convert("RGB"))[::-1, :, ::-1]
    )
    endpoints = [part for x, y in zip(primaries[::2], primaries[1::2], strict=True) for part in (x, y, 1 - x - y)]
    header = struct.pack("<IiiHHIIiiII16x", 124, width, height, 1, 24, 0, len(pixels), 0, 0, 0, 0)
    header += struct.pack("<I", 0 if primaries else int.from_bytes(b"MBED", "big"))
    header += struct.pack("<9I", *(round(part * (1 << 30)) for part in endpoints or [0] * 9))
    header += struct.pack("<3I", *[round(exponent * (1 << 16)) if primaries else 0] * 3)
    header += struct.pack("<IIII", 4, 124 + len(pixels), len(profile), 0)
    start = 14 + len(header)
    return struct.pack("<2sIII", b"BM", start + len(pixels) + len(profile), 0, start) + header + pixels + profile


def psd(image: Image.Image, profile: bytes) -> bytes:
    """Make a PSD of the merged image without compression, with an ICC profile."""
    width, height = image.size
    resource = struct.pack(">4sHHI", b"8BIM", 1039, 0, len(profile)) + profile + bytes(len(profile) % 2)
    head = struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, height, width, 8, 3)
    planes = b"".join(channel.tobytes() for channel in image.convert("RGB").split())
    return head + struct.pack(">II", 0, len(resource)) + resource + struct.pack(">IH", 0, 0) + planes


def with_profile(image: Image.Image, kind: str, profile: bytes) -> bytes:
    """Make a file of a type that Pillow writes with an ICC profile."""
    options: dict[str, dict[str, Any]] = {
        "JPEG": {"quality": 100, "subsampling": 0},
        "WEBP": {"lossless": True},
        "AVIF": {"quality": 100, "speed": 8, "subsampling": "4:4:4", "max_threads": 1},
    }
    return _saved(image, kind, icc_profile=profile, **options.get(kind, {}))


def _icc(profile: bytes) -> dict[str, bytes]:
    return {"icc_profile": profile} if profile else {}


def _numbered(data: bytes, primaries: int, transfer: int) -> bytes:
    """Change the numbers in all boxes of the kind nclx."""
    parts = data.split(b"colrnclx")
    return b"colrnclx".join([parts[0], *(struct.pack(">HH", primaries, transfer) + part[4:] for part in parts[1:])])


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
