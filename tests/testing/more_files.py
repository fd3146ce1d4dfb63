"""Test images of the rarer source types; each function returns the bytes of one file."""

import io
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from tests.testing import drawings, image_files, jxl_files
from tests.testing.drawings import SIZE, Size
from tests.testing.fig_files import arc, arrow, box, ellipse, fig, fig_21, polyline, spline, style, text
from tests.testing.fits_files import Samples, fits
from tests.testing.gksm_files import Item, binary, varkon, xgks
from tests.testing.xcf_files import INDEXED, NONE, NORMAL, RLE, ZLIB, Layer, xcf


def jxl(size: Size = SIZE, *, image: Image.Image | None = None, **options: Any) -> bytes:
    """Make a JPEG XL, lossy if nothing else is said."""
    pixels = np.asarray(image or drawings.photo(size))
    frame = pixels if pixels.ndim == 3 else pixels[..., None]
    return jxl_files.jxl(frame, **{"distance": 0.5, **options})


def jpeg2000(size: Size = SIZE, *, image: Image.Image | None = None, bare: bool = False) -> bytes:
    """Make a JPEG 2000, in its container or as a *bare* code stream."""
    return _saved(image or drawings.photo(size), "JPEG2000", no_jp2=bare)


def heic(size: Size = SIZE, *, image: Image.Image | None = None, profile: bytes = b"") -> bytes:
    """Make a HEIC."""
    buffer = io.BytesIO()
    options = {"icc_profile": profile} if profile else {}
    pillow_heif.from_pillow(image or drawings.photo(size)).save(buffer, quality=95, **options)
    return buffer.getvalue()


def psd(size: Size = SIZE, *, image: Image.Image | None = None) -> bytes:
    """Make a PSD without layers: header, three empty sections, and the planes uncompressed."""
    image = image or drawings.photo(size)
    mode = {"L": 1, "RGB": 3, "CMYK": 4}[image.mode]
    planes = np.asarray(image.convert(image.mode))
    planes = planes[..., None] if planes.ndim == 2 else planes
    header = struct.pack(">4sH6xHIIHH", b"8BPS", 1, planes.shape[2], image.height, image.width, 8, mode)
    return header + bytes(12) + b"\0\0" + planes.transpose(2, 0, 1).tobytes()


def ico(size: Size = SIZE, *, image: Image.Image | None = None) -> bytes:
    """Make an icon of one size, at most 256 pixels."""
    image = image or drawings.photo(size)
    return _saved(image, "ICO", sizes=[image.size])


def tga(size: Size = SIZE, *, image: Image.Image | None = None, packed: bool = False) -> bytes:
    """Make a Targa file."""
    return _saved(image or drawings.photo(size), "TGA", compression="tga_rle" if packed else None)


def pnm(size: Size = SIZE, *, image: Image.Image | None = None) -> bytes:
    """Make a PBM, PGM or PPM, depending on the image's mode."""
    return _saved(image or drawings.photo(size), "PPM")


# --- types that rare_formats reads --------------------------------------------------------------
def layered_xcf(size: Size = SIZE, *, compression: int = RLE) -> bytes:
    """Make an XCF of a photograph below a disc in a group, which has a mask and a mode."""
    width, height = size
    below, disc = np.asarray(drawings.photo(size)), np.asarray(drawings.cutout(size))
    mask = np.tile(np.linspace(0, 255, width).astype(np.uint8), (height, 1))
    group = Layer(None, mode=NORMAL)
    return xcf([group, Layer(disc, mode=30, mask=mask, path=(0, 0)), Layer(below)], size, compression=compression)


def float_xcf(size: Size = SIZE) -> bytes:
    """Make an uncompressed XCF of 32-bit floating point numbers."""
    shares = np.asarray(drawings.photo(size)) / np.float32(255)
    return xcf([Layer(shares)], size, version=12, precision=650, dtype=">f4", compression=NONE)


def indexed_xcf(size: Size = SIZE) -> bytes:
    """Make an XCF with a palette."""
    image = drawings.photo(size).quantize(256)
    colors = bytes(image.getpalette() or []).ljust(768, b"\0")
    return xcf([Layer(np.asarray(image)[..., None])], size, base=INDEXED, colors=colors)


def drawing() -> bytes:
    """Make an XFIG drawing with an object of each kind."""
    line, filled, dashed = style(), style(fill=4, area=20), style(line=1, width=3, pen=1, depth=40)
    points = [(300.0, 300.0), (900.0, 200.0), (1100.0, 900.0), (400.0, 1000.0)]
    pair = "\t0.0 -1.0 1.0 0.0\n"
    return fig(
        "0 32 #8040c0\n", "6 0 0 1200 1200\n", box(0, 0, 1200, 1200, filled), "-6\n",
        polyline(points, dashed, forward=arrow(1), backward=arrow(2, 1)), polyline(points, filled, kind=3),
        polyline(points, line, kind=4, radius=7), polyline(points, line, kind=5, image="\t0 photo.jpg\n"),
        ellipse(600, 600, 500, 200, style(fill=2, area=45), angle=0.4),
        arc((600.0, 600.0), points[:3], line, forward=arrow(1)), arc((600.0, 600.0), points[:3], filled, kind=2),
        spline(points, line, kind=0, controls=pair), spline(points, filled, kind=5, controls="\t1.0 -1.0 1.0 -1.0\n"),
        text(300, 700, "A text, \\344", angle=0.3), text(900, 900, "more", align=2, font=0),
    )  # fmt: skip


def old_drawing() -> bytes:
    """Make an XFIG drawing of version 2.1."""
    line = "2 1 0 1 0 0 0 0 0.000 0 0 0\n\t10 10 100 20 60 90 9999 9999\n"
    return fig_21(line, "4 0 0 12 0 0 0 0.0 4 9 50 20 30 Abc\1\n")


_METAFILE: tuple[Item, ...] = (
    (1, 1), (71, 0.0, 1.0, 0.0, 0.75), (56, 9, 0.2, 0.5, 0.8), (81, 1), (22, 2), (23, 3.0), (24, 3),
    (11, 3, 0.1, 0.1, 0.9, 0.2, 0.5, 0.7), (82,), (91, 1, 0.8, 0.1, 0.0, -0.1, 0.9, 0.0), (94, 1, 0.5),
    (26, 3), (27, 9.0), (28, 4), (12, 2, 0.3, 0.3, 0.6, 0.6),
    (34, 0.0, 0.05, 0.05, 0.0), (36, 2, 3), (13, 0.5, 0.4, 5, "Abc 1"),
    (55, 1, 2, 2, 2, 3, 4, 9), (41, 0.02, 0.0, 0.0, 0.02), (38, 2), (39, 1), (14, 3, 0.6, 0.1, 0.9, 0.1, 0.7, 0.4),
    (38, 3), (39, 1), (40, 9), (14, 4, 0.1, 0.5, 0.3, 0.5, 0.3, 0.7, 0.1, 0.7),
    (61, 0.0, 0.5, 0.0, 0.5), (15, 0.0, 0.0, 0.3, 0.2, 0.3, 0.0, 3, 2, 2, 3, 4, 5, 6, 7),
)  # fmt: skip
"""A segment and each kind of primitive."""


def stretched_fits(size: Size = SIZE) -> bytes:
    """Make a FITS file of one plane of floating point numbers."""
    return fits(_upwards(drawings.photo(size).convert("L")).astype("f4") * 1e3)


def color_fits(size: Size = SIZE) -> bytes:
    """Make a FITS file of three planes of bytes."""
    return fits(np.ascontiguousarray(_upwards(drawings.photo(size)).transpose(2, 0, 1)))


def xpm(size: Size = SIZE, *, version: int = 3) -> bytes:
    """Make an XPM of 64 colors, one of them by name and one transparent."""
    image = drawings.photo(size).quantize(64)
    keys = [chr(48 + index) for index in range(64)]
    keys[keys.index("\\")] = " "
    palette = np.array(image.getpalette()).reshape(-1, 3)[:64]
    colors = [f"{key} c #{bytes(rgb.tolist()).hex()}" for key, rgb in zip(keys, palette, strict=False)]
    colors[:2] = [f"{keys[0]} s none c None", f"{keys[1]} m black c Light Sea Green"]
    rows = ["".join(keys[index] for index in row) for row in np.asarray(image)]
    lines = [f"{image.width} {image.height} {len(colors)} 1", *colors, *rows]
    if version == 2:
        return "\n".join(["! XPM2", *lines, ""]).encode()
    quoted = ",\n".join(f'"{line}"' for line in lines)
    return f"/* XPM */\nstatic char *image[] = {{\n{quoted}\n}};\n".encode()


def pm(size: Size = SIZE, *, order: str = ">") -> bytes:
    """Make a PM of three planes, or, in little-endian *order*, of integers."""
    pixels = np.asarray(drawings.photo(size).convert("RGBA"))
    planes, form = (3, 0x8001) if order == ">" else (1, 0x8004)
    data = pixels[..., :3].transpose(2, 0, 1) if order == ">" else pixels
    return struct.pack(f"{order}7I", 0x56494557, planes, size[1], size[0], 1, form, 0) + data.tobytes()


def niff(size: Size = SIZE, *, compression: str = "group4") -> bytes:
    """Make a NIFF, a page of black and white."""
    page = image_files.tiff(image=drawings.photo(size).convert("1"), compression=compression)
    return page[:2] + b"N1" + page[4:]


# --- bombs --------------------------------------------------------------------------------------
def jxl_bomb() -> bytes:
    """Make the header of a JPEG XL code stream of 2^30 by 2^30 pixels."""
    bits = 0  # not small; height: 30 bits; no ratio; width: 30 bits
    at = 1
    for _ in range(2):
        bits |= 3 << at
        bits |= ((1 << 30) - 1) << (at + 2)
        at += 32 + (3 if at == 1 else 0)
    return b"\xff\x0a" + bits.to_bytes(12, "little")


def pnm_bomb() -> bytes:
    """Make a PPM that declares 60,000 by 60,000 pixels."""
    return b"P6\n60000 60000\n255\n" + bytes(64)


def tga_bomb() -> bytes:
    """Make a compressed TGA that declares 60,000 by 60,000 pixels."""
    return struct.pack("<BBBHHBHHHHBB", 0, 0, 10, 0, 0, 0, 0, 0, 60_000, 60_000, 24, 0) + bytes(64)


def psd_bomb() -> bytes:
    """Make a PSD that declares 300,000 by 300,000 pixels."""
    return struct.pack(">4sH6xHIIHH", b"8BPS", 1, 3, 300_000, 300_000, 8, 3) + bytes(64)


def jpeg2000_bomb() -> bytes:
    """Make a JPEG 2000 that declares two billion pixels in both directions."""
    data = bytearray(jpeg2000())
    at = data.index(b"ihdr") + 4
    data[at : at + 8] = struct.pack(">II", 2_000_000_000, 2_000_000_000)
    siz = data.index(b"\xff\x4f\xff\x51") + 8
    data[siz : siz + 8] = struct.pack(">II", 2_000_000_000, 2_000_000_000)
    return bytes(data)


SOURCES: dict[str, Callable[[], bytes]] = {
    "JPEG XL": jxl,
    "JPEG XL lossless": lambda: jxl(distance=None),
    "JPEG 2000": jpeg2000,
    "JPEG 2000 code stream": lambda: jpeg2000(bare=True),
    "HEIC": heic,
    "PSD": psd,
    "ICO": ico,
    "TGA": tga,
    "TGA packed": lambda: tga(packed=True),
    "PNM": pnm,
}
"""All show `drawings.photo`."""

OWN: dict[str, Callable[[], bytes]] = {
    "XCF": layered_xcf,
    "XCF deflate": lambda: layered_xcf(compression=ZLIB),
    "XCF float": float_xcf,
    "XCF palette": indexed_xcf,
    "XFIG": drawing,
    "XFIG 2.1": old_drawing,
    "GKSM": lambda: xgks(*_METAFILE),
    "GKSM of Varkon": lambda: varkon(*_METAFILE),
    "GKSM binary": lambda: binary(*_METAFILE),
    "FITS float": stretched_fits,
    "FITS color": color_fits,
    "XPM": xpm,
    "XPM 2": lambda: xpm(version=2),
    "PM": pm,
    "PM of integers": lambda: pm(order="<"),
    "NIFF": niff,
    "NIFF unpacked": lambda: niff(compression="raw"),
}
"""Files of the types that rare_formats reads; not all of them show photographs."""

BOMBS: dict[str, Callable[[], bytes]] = {
    "JPEG XL": jxl_bomb,
    "JPEG 2000": jpeg2000_bomb,
    "PSD": psd_bomb,
    "TGA": tga_bomb,
    "PNM": pnm_bomb,
}


def _upwards(image: Image.Image) -> Samples:
    """Return the pixels in FITS's order, the lowest row first."""
    return np.asarray(image)[::-1]


def _saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
