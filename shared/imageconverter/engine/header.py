"""Check a source by its header alone, without any decoder: the gateway does so with every upload."""

import io
from typing import IO

from imageconverter.engine.geometry import Size
from imageconverter.engine.limits import Limits
from imageconverter.engine.source_types import HEAD_BYTES, SourceType, identify
from imageconverter.errors import ImageTooLarge, NotAnImage, Undecodable, Unsupported


def check_header(source: IO[bytes], limits: Limits) -> SourceType:
    """Identify *source* and check its extents against *limits* without any decoder.

    Raises NotAnImage if the file type is unknown, Unsupported if this variant of it is, Undecodable if the header is
    broken, ImageTooLarge if there are too many pixels.
    """
    found = _identify(source)
    if found is None:
        raise NotAnImage("The file is not of a supported image format.")
    source.seek(0)
    if found.unsupported is not None and (variant := found.unsupported(source)):
        raise Unsupported.variant(variant)
    size = _extents(source, found)
    if size is not None:
        check_extents(size, limits)
    source.seek(0)
    return found


def describe(source: IO[bytes]) -> tuple[SourceType, Size | None] | None:
    """Return the file type and the stored extents of *source* by its header, without any decoder.

    None if the file type is unknown; without extents if only the decoder can know them, or if the header is broken.
    """
    found = _identify(source)
    if found is None:
        return None
    source.seek(0)
    try:
        return found, _extents(source, found)
    except Undecodable:
        return found, None


def probe(data: bytes, limits: Limits) -> SourceType:
    """Check the file *data* as `check_header` does."""
    return check_header(io.BytesIO(data), limits)


def is_expensive(source: IO[bytes]) -> bool:
    """Whether the header of *source* announces so many pixels that decoding takes a good part of a second.

    False if the extents cannot be read from the header.
    """
    found = _identify(source)
    if found is None or found.expensive_from is None:
        return False
    try:
        size = _extents(source, found)
    except Undecodable:
        return False
    return size is not None and size[0] * size[1] > found.expensive_from


def check_extents(size: Size, limits: Limits) -> None:
    """Raise ImageTooLarge if *size*, in pixels, is above the limit."""
    if size[0] * size[1] > limits.pixels:
        raise ImageTooLarge(f"The image has more than {limits.pixels / 1e6:g} megapixels.")


def _identify(source: IO[bytes]) -> SourceType | None:
    source.seek(0)
    return identify(source.read(HEAD_BYTES))


def _extents(source: IO[bytes], found: SourceType) -> Size | None:
    """Read the stored extents; None if only the decoder can. Raises Undecodable if the header is broken."""
    size = found.extents(source) if found.extents is not None else None
    if size is not None and min(size) < 1:
        raise Undecodable(f"The {found.name} file is broken.")
    return size
