"""Names of images by the million."""

from imageconverter.images.names import file_name

_USUAL = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
_MAX_BYTES = 255


def image_name(name: str) -> str:
    """Return what `file_name` returns, and raise what it raises; ten times as fast for usual names, which stay."""
    begins_well = 0 < len(name) <= _MAX_BYTES and name[0] != "."
    if begins_well and name.isascii() and not name.encode().translate(None, _USUAL):
        return name
    return file_name(name)
