"""Small files of many kinds with what they show by the specification of their type, for tests/conformance.

To add one: a line in `CASES` with a function that makes the file, and the array that it shows. All but a few show
`BARS`, so that one look at the numbers of a file is enough.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from tests.testing import avif_files, fits_files, gif_files, ico_files, image_files, j2k_encoder, jp2_files, psd_files
from tests.testing.broken_files import truncated
from tests.testing.jxl_files import jxl

Samples = np.ndarray[Any, np.dtype[Any]]

HEIGHT, WIDTH = 16, 64
_COLORS = ((255, 0, 0), (0, 128, 0), (64, 64, 64), (200, 200, 200))
_GRAYS = (255, 191, 127, 0)
_ALPHAS = (255, 0, 128, 255)


def _bars(values: tuple[Any, ...]) -> Samples:
    """Return an image of vertical bars of equal width, as bytes."""
    rows = np.repeat(np.array(values, dtype=np.uint8), WIDTH // len(values), axis=0)
    return np.repeat(rows[np.newaxis], HEIGHT, axis=0)


BARS = _bars(_COLORS)
"""Red, green, dark gray, light gray."""
GRAY_BARS = _bars(_GRAYS)
ALPHA_BARS = np.dstack([BARS, _bars(_ALPHAS)])


@dataclass(frozen=True)
class ConformanceCase:
    """A file and what becomes of it."""

    name: str
    make: Callable[[], bytes]
    shows: Samples = field(default_factory=lambda: BARS)
    """Rows and columns of gray, RGB or RGBA, of bytes; of what is missing in a damaged file, anything."""
    verdict: str = "right"
    """Or `different, with a warning`, `not promised`, `refused rightly`: a value of tests.conformance.verdicts."""


def _png(depth: int, color_type: int, samples: Samples, *chunks: tuple[bytes, bytes]) -> bytes:
    stored = samples.astype(">u2" if depth == 16 else "u1")
    return image_files.raw_png((WIDTH, HEIGHT), depth, color_type, [row.tobytes() for row in stored], *chunks)


def _linear_png() -> bytes:
    """Return the bars in linear light, as gAMA says: 100,000 for a gamma of 1. See PNG (third edition), 12.1.

    sRGB's curve is that of IEC 61966-2-1.
    """
    values = BARS / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    return _png(16, 2, np.round(linear * 65_535), (b"gAMA", struct.pack(">I", 100_000)))


def _gif(screen: tuple[int, int], *frames: gif_files.Frame) -> bytes:
    return gif_files.gif(screen, *frames)


def _pam(samples: Samples, kind: str, maximum: int = 255) -> bytes:
    """See the manual of pam: seven lines of text, then the samples."""
    head = (
        f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH {samples.shape[2]}\nMAXVAL {maximum}\nTUPLTYPE {kind}\nENDHDR\n"
    )
    return head.encode() + samples.astype(">u2" if maximum > 255 else "u1").tobytes()


def _pnm(magic: str, samples: Samples, maximum: int) -> bytes:
    return (
        f"{magic}\n{WIDTH} {HEIGHT}\n{maximum}\n".encode()
        + samples.astype(">u2" if maximum > 255 else "u1").tobytes()
    )


def _bmp(bits: int, masks: tuple[int, ...], pixels: Samples) -> bytes:
    """Return a bottom-up bitmap with a BITMAPV4HEADER whose *masks* say where red, green, blue and alpha are."""
    data = np.ascontiguousarray(pixels[::-1]).tobytes()
    header = struct.pack("<IiiHHIIiiII4I", 108, WIDTH, HEIGHT, 1, bits, 3, len(data), 2835, 2835, 0, 0, *masks)
    header += bytes(108 - len(header))
    return struct.pack("<2sIHHI", b"BM", 14 + 108 + len(data), 0, 0, 14 + 108) + header + data


def _packed(samples: Samples, *bits: int) -> Samples:
    """Return the channels of each pixel in one number, the first one in the lowest *bits*."""
    packed = np.zeros(samples.shape[:2], dtype=np.uint32)
    at = 0
    for channel, width in zip(np.moveaxis(samples, 2, 0), bits, strict=True):
        packed |= np.round(channel / 255 * ((1 << width) - 1)).astype(np.uint32) << at
        at += width
    return packed.astype("<u2" if at <= 16 else "<u4")


def _rounded(samples: Samples, *bits: int) -> Samples:
    """Return what is left of *samples* in so many *bits* for each channel."""
    levels = (1 << np.array(bits)) - 1
    return np.round(np.round(samples / 255 * levels) / levels * 255).astype(np.uint8)


def _tga(kind: int, data: bytes, bits: int, flags: int) -> bytes:
    return struct.pack("<BBBHHBHHHHBB", 0, 0, kind, 0, 0, 0, 0, 0, WIDTH, HEIGHT, bits, flags) + data


def _tga_in_runs() -> bytes:
    """Return the bars from the top, in packets of 16 equal pixels: a count less one with the top bit, then BGR."""
    runs = b"".join(bytes([0x8F, blue, green, red]) for red, green, blue in _COLORS)
    return _tga(10, runs * HEIGHT, 24, 0x20)


def _tiff(samples: Samples, *, planar: bool = False, photometric: int) -> bytes:
    """Return one strip, or one for each plane, of little-endian samples. See TIFF 6.0."""
    count = samples.shape[2]
    planes = [samples[:, :, number] for number in range(count)] if planar else [samples]
    strips = [plane.astype(samples.dtype.newbyteorder("<")).tobytes() for plane in planes]
    bits = samples.itemsize * 8
    tags = [(256, [WIDTH]), (257, [HEIGHT]), (258, [bits] * count), (259, [1]), (262, [photometric])]
    offsets = [8 + sum(map(len, strips[:number])) for number in range(len(strips))]
    tags += [(273, offsets), (277, [count]), (278, [HEIGHT]), (279, [len(strip) for strip in strips])]
    tags += [(284, [2 if planar else 1])]
    at = 8 + sum(map(len, strips))
    entries, further = b"", b""
    for tag, values in tags:
        packed = struct.pack(f"<{len(values)}I", *values)
        if len(values) > 1:
            further, packed = further + packed, struct.pack("<I", at + 6 + 12 * len(tags) + len(further))
        entries += struct.pack("<HHI", tag, 4, len(values)) + packed
    directory = struct.pack("<H", len(tags)) + entries + bytes(4) + further
    return struct.pack("<2sHI", b"II", 42, at) + b"".join(strips) + directory


def _xpm() -> bytes:
    """See the manual of XPM: extents, colors by a character each, rows of characters."""
    colors = "".join(
        f'"{key} c #{red:02x}{green:02x}{blue:02x}",\n'
        for key, (red, green, blue) in zip("abcd", _COLORS, strict=True)
    )
    row = '"' + "".join(key * (WIDTH // 4) for key in "abcd") + '",\n'
    return f'/* XPM */\nstatic char *x[] = {{\n"{WIDTH} {HEIGHT} 4 1",\n{colors}{row * HEIGHT}}};\n'.encode()


def _hierarchical_jpeg() -> bytes:
    """Return the first bytes of a JPEG whose frame header (SOF5) announces a difference to an earlier frame."""
    frame = struct.pack(">BHHB", 8, HEIGHT, WIDTH, 1) + b"\1\x11\0"
    return b"\xff\xd8\xff\xc5" + struct.pack(">H", 2 + len(frame)) + frame + b"\xff\xd9"


def _jpeg_with_faults() -> bytes:
    """Return the bars with a comment that is shorter than its own length, and bytes that belong to no segment."""
    data = image_files.jpeg(image=Image.fromarray(BARS))
    at = data.index(b"\xff\xdb")
    return data[:at] + b"\xff\xfe\0\0" + b"abc\xff\1" + data[at:]


def _j2k(samples: Samples, bits: int = 8) -> bytes:
    """Return each row twice: OpenJPEG encodes no fewer than 32."""
    planes = np.moveaxis(np.atleast_3d(samples.repeat(2, axis=0)), 2, 0)
    return j2k_encoder.encode(*(j2k_encoder.Samples(plane, bits) for plane in planes))


def _jp2_with_palette() -> bytes:
    """See ISO/IEC 15444-1, I.5.3.4 and I.5.3.5."""
    mapping = jp2_files.mapping((0, 1, 0), (0, 1, 1), (0, 1, 2))
    boxes = jp2_files.palette(_COLORS), mapping, jp2_files.color(_SRGB_IN_JP2)
    return jp2_files.jp2(_j2k(_BAR_NUMBERS), *boxes)


def _avif(*properties: bytes) -> bytes:
    return avif_files.container(Image.fromarray(BARS), properties)


def _ico() -> bytes:
    """Return the bars as a bitmap of 24 bits whose mask hides the second one."""
    pixels = BARS.astype(np.uint32) @ (1 << 16, 1 << 8, 1)
    return ico_files.ico(ico_files.bitmap(pixels, 24, _BAR_NUMBERS == 1))


_WIDE = 257  # from 8 to 16 bits
_SRGB_IN_JP2 = 16
_BAR_NUMBERS = _bars((0, 1, 2, 3))
_HALF_GRAY = np.vstack([GRAY_BARS[: HEIGHT // 2], np.full((HEIGHT // 2, WIDTH), 127, np.uint8)])
_CHANNELS_FIRST = (2, 0, 1)
_BAR_INDICES = bytes(np.repeat(np.arange(4, dtype=np.uint8), WIDTH // 4)) * HEIGHT
_UNCOVERED = np.zeros((HEIGHT, WIDTH, 4), np.uint8)
_UNCOVERED[4:12, 8:40] = (255, 0, 0, 255)

CASES = (
    ConformanceCase("PNG of 16 bits", lambda: _png(16, 2, BARS * np.uint16(_WIDE))),
    ConformanceCase("PNG of 16 bits with alpha", lambda: _png(16, 6, ALPHA_BARS * np.uint16(_WIDE)), ALPHA_BARS),
    ConformanceCase(
        "PNG with a broken text",
        lambda: _png(8, 2, BARS, (b"zTXt", b"Comment\0\0no stream of zlib")),
    ),
    ConformanceCase(
        "PNG without any pixels",
        lambda: image_files.raw_png((WIDTH, HEIGHT), 8, 2, []),
        verdict="refused rightly",
    ),
    ConformanceCase("PNG in linear light", _linear_png),
    ConformanceCase(
        "PNG of 16-bit gray, one value of which is transparent",
        lambda: _png(16, 0, GRAY_BARS * np.uint16(_WIDE), (b"tRNS", struct.pack(">H", 191 * _WIDE))),
        np.dstack([GRAY_BARS] * 3 + [np.where(GRAY_BARS == 191, 0, 255).astype(np.uint8)]),
    ),
    ConformanceCase(
        "GIF of one frame",
        lambda: _gif((WIDTH, HEIGHT), gif_files.Frame((WIDTH, HEIGHT), _BAR_INDICES, colors=_COLORS)),
    ),
    ConformanceCase(
        "GIF whose frame does not cover the screen",
        lambda: _gif((WIDTH, HEIGHT), gif_files.Frame.filled((32, 8), 0, at=(8, 4), colors=_COLORS)),
        _UNCOVERED,
    ),
    ConformanceCase(
        "JPEG without its last quarter",
        lambda: truncated(image_files.jpeg(), share=0.75),
        np.zeros((1, 1), np.uint8),
        verdict="different, with a warning",
    ),
    ConformanceCase("JPEG of several resolutions", _hierarchical_jpeg, verdict="not promised"),
    ConformanceCase(
        "BMP of 16 bits, 5 6 5",
        lambda: _bmp(16, (0xF800, 0x7E0, 0x1F, 0), _packed(BARS[:, :, ::-1], 5, 6, 5)),
        _rounded(BARS, 5, 6, 5),
    ),
    ConformanceCase(
        "BMP of 16 bits, 4 for each of four channels",
        lambda: _bmp(16, (0xF00, 0xF0, 0xF, 0xF000), _packed(ALPHA_BARS[:, :, [2, 1, 0, 3]], 4, 4, 4, 4)),
        _rounded(ALPHA_BARS, 4, 4, 4, 4),
    ),
    ConformanceCase("TGA in runs, from the top", _tga_in_runs),
    ConformanceCase("PAM with alpha", lambda: _pam(ALPHA_BARS, "RGB_ALPHA"), ALPHA_BARS),
    ConformanceCase("PAM of 10 bits", lambda: _pam(np.round(BARS / 255 * 1023), "RGB", 1023)),
    ConformanceCase("PGM of 16 bits", lambda: _pnm("P5", GRAY_BARS * np.uint16(_WIDE), 65_535), GRAY_BARS),
    ConformanceCase("TIFF of 16 bits", lambda: _tiff(BARS * np.uint16(_WIDE), photometric=2)),
    ConformanceCase("TIFF of 16 bits in planes", lambda: _tiff(BARS * np.uint16(_WIDE), planar=True, photometric=2)),
    ConformanceCase(
        "TIFF of 16-bit gray, white is 0",
        lambda: _tiff((255 - GRAY_BARS)[:, :, np.newaxis] * np.uint16(_WIDE), photometric=0),
        GRAY_BARS,
    ),
    ConformanceCase(
        "PSD of 16 bits",
        lambda: psd_files.psd(np.transpose(BARS, _CHANNELS_FIRST) * np.uint16(_WIDE)),
    ),
    ConformanceCase(
        "PSD of 8 bits with a saved selection, packed",
        lambda: psd_files.psd(np.transpose(ALPHA_BARS, _CHANNELS_FIRST), compression=psd_files.PACKED),
    ),
    ConformanceCase("XPM", _xpm),
    ConformanceCase("JPEG with faults between its segments", _jpeg_with_faults),
    ConformanceCase("JPEG 2000 of 12 bits", lambda: _j2k(np.round(BARS / 255 * 4095), 12), BARS.repeat(2, axis=0)),
    ConformanceCase("JPEG 2000 with a palette", _jp2_with_palette, BARS.repeat(2, axis=0)),
    ConformanceCase("JPEG XL of 16 bits with alpha", lambda: jxl(ALPHA_BARS * np.uint16(_WIDE)), ALPHA_BARS),
    ConformanceCase("JPEG XL in a container", lambda: jxl(BARS, container=True)),
    ConformanceCase(
        "WebP without loss, with alpha",
        lambda: image_files.webp(image=Image.fromarray(ALPHA_BARS), lossless=True),
        ALPHA_BARS,
    ),
    ConformanceCase("AVIF that is turned", lambda: _avif(avif_files.irot(1)), np.rot90(BARS).copy()),
    ConformanceCase(
        "AVIF whose clean aperture is its middle",
        lambda: _avif(avif_files.clap((32, 1), (8, 1), (0, 1), (0, 1))),
        BARS[4:12, 16:48].copy(),
    ),
    ConformanceCase("icon with a mask", _ico, np.dstack([BARS, _bars((255, 0, 255, 255))])),
    ConformanceCase(
        "icon with a PNG inside",
        lambda: ico_files.ico(_png(8, 6, ALPHA_BARS), listed=[(WIDTH, HEIGHT)]),
        ALPHA_BARS,
    ),
    ConformanceCase(
        "FITS of unsigned 16 bits, from the bottom",
        lambda: fits_files.fits((_HALF_GRAY[::-1] * float(_WIDE) - 32_768).astype("i2"), BZERO=32_768),
        _HALF_GRAY,
    ),
    ConformanceCase(
        "FITS without an image",
        lambda: fits_files.fits(np.zeros((0,), "u1")) + fits_files.extension(np.zeros((2, 8), "u1"), "BINTABLE"),
        verdict="not promised",
    ),
)
