"""The source formats: how each is recognised by its leading bytes, and which one decoder may open it."""

from collections.abc import Callable
from dataclasses import dataclass

# Importing a plugin registers its decoder. These and no others: Pillow's own search would load all forty,
# among them one that runs Ghostscript.
from PIL import (  # noqa: F401
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
)

from imageconverter.engine.target import OutputType

# A conversion has one core; by default this decoder takes all, and each of its threads much address space.
AvifImagePlugin.DEFAULT_MAX_THREADS = 1

HEAD_BYTES = 32  # of a file, enough for every magic number below


@dataclass(frozen=True)
class SourceFormat:
    """A picture format that can be read."""

    name: str
    decoder: str
    """Pillow's name of the only decoder that is tried."""
    kept_as: OutputType
    """The output type where a target says `keep`."""
    matches: Callable[[bytes], bool]


def _starts(*magics: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(magics)


def _is_avif(head: bytes) -> bool:
    """Whether a file of the ISO family counts AVIF among its brands: the major one, or the first others."""
    brands = {head[at : at + 4] for at in (8, 16, 20, 24, 28)}
    return head[4:8] == b"ftyp" and not brands.isdisjoint((b"avif", b"avis"))


SOURCE_FORMATS = (
    SourceFormat("JPEG", "JPEG", "jpeg", _starts(b"\xff\xd8\xff")),
    SourceFormat("PNG", "PNG", "png", _starts(b"\x89PNG\r\n\x1a\n")),
    SourceFormat("GIF", "GIF", "gif", _starts(b"GIF87a", b"GIF89a")),
    SourceFormat("WebP", "WEBP", "webp", lambda head: head[:4] == b"RIFF" and head[8:12] == b"WEBP"),
    SourceFormat("AVIF", "AVIF", "avif", _is_avif),
    SourceFormat("TIFF", "TIFF", "png", _starts(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")),
    SourceFormat("BMP", "BMP", "png", lambda head: head[:2] == b"BM" and head[6:10] == b"\0\0\0\0"),
)


def identify(head: bytes) -> SourceFormat | None:
    """Return the format whose magic number the first `HEAD_BYTES` bytes of a file carry, or None."""
    return next((each for each in SOURCE_FORMATS if each.matches(head)), None)
