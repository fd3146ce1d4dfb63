"""The source types: one record for each, with all of its properties.

This table imports no decoder: the gateway and the command line read it too.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from imageconverter.engine import (
    bmp,
    extents,
    fits,
    gif,
    ico,
    jp2,
    jpeg,
    jxl,
    png,
    pnm,
    psd,
    tga,
    tiff_directory,
    webp,
)
from imageconverter.engine.extents import ExtentsReader
from imageconverter.engine.target import OutputType

HEAD_BYTES = 32  # of a file, enough for every magic number below
OTHER_MEDIA_TYPE = "application/octet-stream"
_EXPENSIVE_PIXELS = 32_000_000


@dataclass(frozen=True, kw_only=True)
class SourceType:
    """A file type that can be read."""

    name: str
    decoder: str
    """Pillow's name of the only decoder that is tried."""
    plugin: str
    """The module that registers the decoder."""
    is_extra: bool = False
    """Whether the module may not be installed."""
    extensions: tuple[str, ...]
    """The usual one first. A converted file's name loses them; they never decide the type of a file."""
    matches: Callable[[bytes], bool]
    """Whether a file that begins with these `HEAD_BYTES` bytes is of the type."""
    media_type: str = OTHER_MEDIA_TYPE
    """As registered with IANA, if it is and browsers or image programs know it."""
    kept_as: OutputType = "png"
    """The output type if a target says `keep`."""
    extents: ExtentsReader | None = None
    """Reads the extents from the header; None if only the decoder can, which does so before it allocates pixels."""
    unsupported: Callable[[IO[bytes]], str] | None = None
    """Reads from the header whether the file is of a variant that nothing here decodes; returns its name or "".
    The file is at its start."""
    oriented_by_decoder: bool = False
    """Whether the decoder applies the orientation that is stored with the image."""
    can_be_animated: bool = False
    expensive_from: int | None = _EXPENSIVE_PIXELS
    """Pixels from which on decoding takes a good part of a second; None if a smaller scale can be decoded."""


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _brands(*wanted: bytes) -> Callable[[bytes], bool]:
    """Match ISO base media files with one of these brands, as the major one or among the first compatible ones."""

    def matches(head: bytes) -> bool:
        return head[4:8] == b"ftyp" and any(head[at : at + 4] in wanted for at in (8, 16, 20, 24, 28))

    return matches


SOURCE_TYPES = (
    SourceType(
        name="JPEG",
        decoder="JPEG",
        plugin="imageconverter.engine.plugins.jpeg",
        extensions=(".jpg", ".jpeg", ".jpe", ".jfif"),
        media_type="image/jpeg",
        matches=_starts(b"\xff\xd8\xff"),
        kept_as="jpeg",
        extents=jpeg.read_size,
        unsupported=jpeg.unsupported,
        expensive_from=None,
    ),
    SourceType(
        name="PNG",
        decoder="OWN-PNG",
        plugin="imageconverter.engine.plugins.png",
        extensions=(".png", ".apng"),
        media_type="image/png",
        matches=_starts(png.SIGNATURE),
        extents=png.read_size,
        unsupported=lambda source: "PNG of the iPhone (CgBI)" if png.is_apple(source) else "",
        can_be_animated=True,
    ),
    SourceType(
        name="GIF",
        decoder="OWN-GIF",
        plugin="imageconverter.engine.plugins.gif",
        extensions=(".gif",),
        media_type="image/gif",
        matches=_starts(b"GIF87a", b"GIF89a"),
        kept_as="gif",
        extents=gif.read_size,
        can_be_animated=True,
    ),
    SourceType(
        name="WebP",
        decoder="OWN-WEBP",
        plugin="imageconverter.engine.plugins.webp",
        extensions=(".webp",),
        media_type="image/webp",
        matches=lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP",
        kept_as="webp",
        extents=webp.read_size,
        can_be_animated=True,
    ),
    SourceType(
        name="AVIF",
        decoder="OWN-AVIF",
        plugin="imageconverter.engine.plugins.avif",
        extensions=(".avif", ".avifs"),
        media_type="image/avif",
        matches=_brands(b"avif", b"avis"),
        kept_as="avif",
        extents=extents.if_known_to_imagesize,
        can_be_animated=True,
    ),
    SourceType(
        name="HEIC",
        decoder="OWN-HEIF",
        plugin="imageconverter.engine.plugins.heic",
        is_extra=True,
        extensions=(".heic", ".heif"),
        media_type="image/heic",
        matches=_brands(b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1"),
        kept_as="jpeg",
        extents=extents.if_known_to_imagesize,
        oriented_by_decoder=True,
    ),
    SourceType(
        name="JPEG XL",
        decoder="JXL",
        plugin="imageconverter.engine.plugins.jpeg_xl",
        extensions=(".jxl",),
        media_type="image/jxl",
        matches=_starts(b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),  # code stream, container
        extents=jxl.read_size,
        oriented_by_decoder=True,
        can_be_animated=True,
    ),
    SourceType(
        name="JPEG 2000",
        decoder="OWN-JPEG2000",
        plugin="imageconverter.engine.plugins.jpeg2000",
        extensions=(".jp2", ".j2k", ".jpx", ".jpf", ".j2c", ".jpc", ".jph"),
        media_type="image/jp2",
        matches=_starts(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"),  # container, code stream
        extents=jp2.read_size,
        unsupported=jp2.unsupported,
    ),
    SourceType(
        name="NIFF",
        decoder="NIFF",
        plugin="rare_formats.niff",
        extensions=(".niff", ".nif"),
        matches=_starts(b"IIN1", b"MMN1"),
        oriented_by_decoder=True,
    ),
    SourceType(
        name="TIFF",
        decoder="TIFF",
        plugin="imageconverter.engine.plugins.tiff",
        extensions=(".tif", ".tiff"),
        media_type="image/tiff",
        matches=_starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
        extents=tiff_directory.read_size,
        unsupported=tiff_directory.unsupported,
        oriented_by_decoder=True,
    ),
    SourceType(
        name="BMP",
        decoder="OWN-BMP",
        plugin="imageconverter.engine.plugins.bmp",
        extensions=(".bmp", ".dib"),
        media_type="image/bmp",
        matches=bmp.is_bmp,
        extents=bmp.read_size,
        unsupported=bmp.unsupported,
    ),
    SourceType(
        name="PSD",
        decoder="OWN-PSD",
        plugin="imageconverter.engine.plugins.psd",
        extensions=(".psd", ".psb"),
        media_type="image/vnd.adobe.photoshop",
        matches=_starts(b"8BPS\0\1", b"8BPS\0\2"),
        extents=psd.read_size,
        unsupported=psd.unsupported,
    ),
    SourceType(
        name="ICO",
        decoder="OWN-ICO",
        plugin="imageconverter.engine.plugins.ico",
        extensions=(".ico", ".cur"),
        media_type="image/vnd.microsoft.icon",
        matches=ico.is_ico,
        extents=ico.read_size,
    ),
    SourceType(
        name="PNM",
        decoder="OWN-PNM",
        plugin="imageconverter.engine.plugins.pnm",
        extensions=(".pnm", ".pbm", ".pgm", ".ppm", ".pam", ".pfm"),
        matches=pnm.is_pnm,
        extents=pnm.read_size,
        unsupported=pnm.unsupported,
    ),
    SourceType(
        name="XCF",
        decoder="XCF",
        plugin="rare_formats.xcf",
        extensions=(".xcf",),
        matches=_starts(b"gimp xcf "),
    ),
    SourceType(
        name="FITS",
        decoder="FITS",
        plugin="rare_formats.fits",
        extensions=(".fits", ".fit", ".fts"),
        media_type="image/fits",
        matches=_starts(b"SIMPLE  ="),
        unsupported=fits.unsupported,
    ),
    SourceType(
        name="XPM",
        decoder="XPM",
        plugin="rare_formats.xpm",
        extensions=(".xpm",),
        matches=_starts(b"/* XPM */", b"! XPM2"),
    ),
    SourceType(
        name="PM",
        decoder="PM",
        plugin="rare_formats.pm",
        extensions=(".pm",),
        matches=_starts(b"VIEW", b"WEIV"),
    ),
    SourceType(
        name="GKSM",
        decoder="GKSM",
        plugin="rare_formats.gksm",
        extensions=(".gksm", ".gks"),
        matches=_starts(b"GKSM"),
    ),
    SourceType(
        name="XFIG",
        decoder="XFIG",
        plugin="rare_formats.xfig",
        extensions=(".fig",),
        matches=_starts(b"#FIG "),
    ),
    SourceType(
        name="TGA",
        decoder="OWN-TGA",
        plugin="imageconverter.engine.plugins.tga",
        extensions=(".tga",),
        matches=lambda head: tga.read(head) is not None,
        extents=extents.fixed("<HH", 12),
    ),
)
"""In the order in which they are tried: a type without a magic number comes last."""

KEPT_AS = {extension: each.kept_as for each in SOURCE_TYPES for extension in each.extensions}
"""The output type of `keep` by the extension of a source's name."""


def identify(head: bytes) -> SourceType | None:
    """Return the type that the first `HEAD_BYTES` bytes of a file announce, or None."""
    return next((each for each in SOURCE_TYPES if each.matches(head)), None)
