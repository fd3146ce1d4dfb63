"""The source formats: how each is recognised by its leading bytes, and which one decoder may open it.

This table knows no decoder itself: the gateway and the command line read it too.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from imageconverter.engine.target import OutputType

HEAD_BYTES = 32  # of a file, enough for every magic number below


@dataclass(frozen=True)
class SourceType:
    """An image format that can be read."""

    name: str
    decoder: str
    """Pillow's name of the only decoder that is tried."""
    kept_as: OutputType
    """The output type where a target says `keep`."""
    matches: Callable[[bytes], bool]


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _brands(*wanted: bytes) -> Callable[[bytes], bool]:
    """Match files of the ISO family with one of these among their brands: the major one, or the first others."""

    def matches(head: bytes) -> bool:
        return head[4:8] == b"ftyp" and any(head[at : at + 4] in wanted for at in (8, 16, 20, 24, 28))

    return matches


def _is_pnm(head: bytes) -> bool:
    return head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3] in b" \t\r\n#"


def _is_ico(head: bytes) -> bool:
    """Whether it holds 1 to 255 images: no icon has more, and listing 65,535 takes half a second."""
    return head[:4] == b"\0\0\1\0" and head[4:5] != b"\0" and head[5:6] == b"\0"


def _is_tga(head: bytes) -> bool:
    """Whether all fields of the header make sense together: TGA has no magic number."""
    if len(head) < _TGA_HEADER.size:
        return False
    _, has_map, kind, start, length, bits, _, _, width, height, depth, flags = _TGA_HEADER.unpack_from(head)
    if kind & 0xF7 == 1:
        fits = has_map == 1 and depth == 8 and 0 < length <= 256 and start == 0 and bits in (15, 16, 24, 32)  # noqa: PLR2004 - colour depths
    else:
        depths = {2: (15, 16, 24, 32), 3: (8, 16)}.get(kind & 0xF7, ())
        fits = has_map == 0 and depth in depths and not any((start, length, bits))
    return fits and width > 0 and height > 0 and flags & 0xC0 == 0


_TGA_HEADER = struct.Struct("<BBBHHBHHHHBB")

# JPEG XL's second magic is that of its container. The order counts where one magic is the start of another.
SOURCE_TYPES = (
    SourceType("JPEG", "JPEG", "jpeg", _starts(b"\xff\xd8\xff")),
    SourceType("PNG", "PNG", "png", _starts(b"\x89PNG\r\n\x1a\n")),
    SourceType("GIF", "GIF", "gif", _starts(b"GIF87a", b"GIF89a")),
    SourceType("WebP", "WEBP", "webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    SourceType("AVIF", "AVIF", "avif", _brands(b"avif", b"avis")),
    SourceType("HEIC", "HEIF", "jpeg", _brands(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1")),
    SourceType("JPEG XL", "JXL", "png", _starts(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n")),
    SourceType("JPEG 2000", "JPEG2000", "png", _starts(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51")),
    SourceType("NIFF", "NIFF", "png", _starts(b"IIN1", b"MMN1")),
    SourceType("TIFF", "TIFF", "png", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    SourceType("BMP", "BMP", "png", lambda head: head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"),
    SourceType("PSD", "PSD", "png", _starts(b"8BPS\0\1")),
    SourceType("ICO", "ICO", "png", _is_ico),
    SourceType("PNM", "PPM", "png", _is_pnm),
    SourceType("XCF", "XCF", "png", _starts(b"gimp xcf ")),
    SourceType("FITS", "IC-FITS", "png", _starts(b"SIMPLE  =")),
    SourceType("XPM", "IC-XPM", "png", _starts(b"/* XPM */", b"! XPM2")),
    SourceType("PM", "PM", "png", _starts(b"VIEW", b"WEIV")),
    SourceType("GKSM", "GKSM", "png", _starts(b"GKSM")),
    SourceType("XFIG", "XFIG", "png", _starts(b"#FIG ")),
    SourceType("TGA", "TGA", "png", _is_tga),
)


def identify(head: bytes) -> SourceType | None:
    """Return the format whose magic number the first `HEAD_BYTES` bytes of a file carry, or None."""
    return next((each for each in SOURCE_TYPES if each.matches(head)), None)
