"""The independent readers that judge conversions: programs that decode the same file types by other code.

A reader is asked only about the types that it reads well, and only about files whose colors it interprets. What is
known to be wrong about a type is left out of its row, however often it happens to be right.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class Colors(IntEnum):
    """How colors are encoded in a file, and what a reader understands of that."""

    PLAIN = 0
    """sRGB, or numbers without a stated meaning."""
    PROFILE = 1
    """An ICC profile."""
    SIGNALED = 2
    """Fields of the container: gAMA, cHRM, cICP, nclx."""


@dataclass(frozen=True)
class Reader:
    """A program that writes what it has read as PNG or Netpbm, to files or to its standard output."""

    name: str
    command: tuple[str, ...]
    """`{input}` and its `{kind}` (the extension of its type), `{output}` (a PNG), `{folder}` (for several images),
    `{srgb}` (an ICC profile) and `{python}` are replaced."""
    types: frozenset[str]
    """The names of the source types for which it is a fair judge."""
    colors: Colors = Colors.PLAIN
    module: str = ""
    """The Python module that it needs."""
    program: str = ""
    """The program that it needs, if that is not the first word of the command."""
    confirms: frozenset[str] = frozenset()
    """Further types, of which it reads only a part: there it can agree, but its image is no proof of a mistake."""
    reports_damage: bool = True
    """Whether it complains about, or refuses, a file that is damaged; browsers show what there is."""
    is_limited: bool = True
    """Whether its address space is limited; browsers reserve terabytes."""

    def is_installed(self, python: str) -> bool:
        """Return whether it can be run, in Python by the interpreter *python*."""
        if self.module:
            return (
                subprocess.run([python, "-c", f"import {self.module}"], check=False, capture_output=True).returncode
                == 0
            )
        return shutil.which(self.program or self.command[0].replace("{python}", python)) is not None


def fair_readers(
    readers: Sequence[Reader], type_name: str, colors: Colors, *, of_refused: bool = False
) -> list[Reader]:
    """Return those of *readers* that may judge a file of a type whose colors are encoded as *colors* says.

    Of a file that was refused: whatever its colors, but only those that could prove that it is not damaged.
    """
    if of_refused:
        return [reader for reader in readers if type_name in reader.types and reader.reports_damage]
    return [reader for reader in readers if type_name in reader.types | reader.confirms and reader.colors >= colors]


def _types(names: str) -> frozenset[str]:
    return frozenset(name.strip() for name in names.split(","))


def _python(code: str) -> tuple[str, ...]:
    return ("{python}", "-c", f"import sys; source, output = sys.argv[1:]; {code}", "{input}", "{output}")


_QUICK = ("-define", "png:compression-level=1", "-define", "png:compression-filter=0")
# The first image of a file of this kind, upright and in sRGB. Without a profile, all but CMYK keeps its values.
_MAGICK = (
    *("{kind}:{input}[0]", "-auto-orient", "-intent", "relative", "-black-point-compensation", "-profile", "{srgb}"),
    *("-depth", "8", *_QUICK, "png32:{output}"),
)
_GM_QUICK = ("-depth", "8", "-quality", "10")
_VIPS = (
    *("--size=100000x100000>", "--export-profile={srgb}", "--intent=relative"),
    "--output={output}[compression=1]",
)
_FFMPEG = (
    "-v",
    "error",
    "-nostdin",
    "-threads",
    "1",
    "-i",
    "{input}",
    "-frames:v",
    "1",
    "-pix_fmt",
    "rgba",
    "-compression_level",
    "1",
)

READERS = (
    Reader(
        "ImageMagick",
        ("convert", *_MAGICK),
        _types("JPEG, PNG, WebP, AVIF, HEIC, TIFF, BMP, PSD, PNM, TGA"),
        Colors.PROFILE,
        confirms=_types("FITS, XCF, XPM"),
    ),
    Reader(
        "ImageMagick, on the canvas",
        ("convert", "{kind}:{input}", "-coalesce", "-delete", "1--1", *_QUICK, "png32:{output}"),
        _types("GIF"),
    ),
    Reader(
        "ImageMagick, all images",
        ("convert", "{kind}:{input}", "-depth", "8", "+adjoin", "png32:{folder}/output-%03d.png"),
        _types("ICO"),
    ),
    Reader("djxl", ("djxl", "--quiet", "{input}", "{output}"), _types("JPEG XL"), Colors.SIGNALED),
    Reader(
        "opj_decompress",
        ("opj_decompress", "-quiet", "-i", "{input}", "-o", "{output}"),
        _types("JPEG 2000"),
        Colors.PROFILE,
    ),
    Reader("ImageMagick, JPEG 2000", ("convert", *_MAGICK), _types("JPEG 2000"), Colors.PROFILE),
    Reader(
        "libvips",
        ("vipsthumbnail", "{input}", *_VIPS),
        _types("JPEG, PNG, WebP, AVIF, HEIC, JPEG XL, TIFF, PNM"),
        Colors.PROFILE,
    ),
    Reader(
        "GraphicsMagick",
        (
            "gm",
            "convert",
            "{input}[0]",
            "-auto-orient",
            "-profile",
            "{srgb}",
            "-depth",
            "8",
            "-quality",
            "10",
            "png32:{output}",
        ),
        _types("JPEG, PNG, WebP, TIFF, BMP, PNM, TGA, XPM"),
        Colors.PROFILE,
        confirms=_types("FITS, XCF"),
    ),
    Reader(
        "FFmpeg",
        ("ffmpeg", *_FFMPEG, "{output}"),
        _types("PNG, GIF, WebP, JPEG 2000, TIFF, BMP, PSD, PNM, TGA, JPEG XL, AVIF"),
        confirms=_types("FITS, XPM"),
    ),
    Reader("avifdec", ("avifdec", "-d", "8", "{input}", "{output}"), _types("AVIF"), Colors.PROFILE),
    Reader("heif-convert", ("heif-convert", "{input}", "{output}"), _types("AVIF, HEIC"), Colors.PROFILE),
    Reader("dwebp", ("dwebp", "-quiet", "{input}", "-o", "{output}"), _types("WebP")),
    Reader("djpeg", ("djpeg", "-pnm", "{input}"), _types("JPEG")),
    Reader("icotool", ("icotool", "-x", "-o", "{folder}", "{input}"), _types("ICO")),
    Reader("giftopnm", ("giftopnm", "-quiet", "{input}"), frozenset(), confirms=_types("GIF")),
    Reader("tifftopnm", ("tifftopnm", "-quiet", "{input}"), _types("TIFF")),
    Reader("bmptopnm", ("bmptopnm", "-quiet", "{input}"), _types("BMP")),
    Reader("tgatoppm", ("tgatoppm", "-quiet", "{input}"), frozenset(), confirms=_types("TGA")),
    Reader("xpmtoppm", ("xpmtoppm", "-quiet", "{input}"), frozenset(), confirms=_types("XPM")),
    Reader("fitstopnm", ("fitstopnm", "-quiet", "{input}"), frozenset(), confirms=_types("FITS")),
    Reader(
        "psd-tools",
        _python("import psd_tools; psd_tools.PSDImage.open(source).topil().save(output)"),
        _types("PSD"),
        Colors.PROFILE,
        module="psd_tools",
    ),
    Reader(
        "gimpformats",
        _python("from gimpformats.gimpXcfDocument import GimpDocument as Xcf; Xcf(source).image.save(output)"),
        frozenset(),
        module="gimpformats",
        confirms=_types("XCF"),
    ),
    Reader(
        "Chromium",
        ("{python}", str(Path(__file__).parent / "chromium.py"), "{input}", "{output}"),
        _types("JPEG, PNG, GIF, WebP, AVIF, JPEG XL, BMP"),
        Colors.SIGNALED,
        program="chromium",
        reports_damage=False,
        is_limited=False,
    ),
)
"""In the order in which they are asked: the quick ones and those that manage colors first."""
