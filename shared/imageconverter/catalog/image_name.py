"""Fast validation of the names of images."""

from imageconverter.images.names import file_name

_COMMON = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
_MAX_BYTES = 255


def image_name(name: str) -> str:
    """Return and raise the same as `file_name`, ten times faster for common names."""
    is_short = 0 < len(name) <= _MAX_BYTES and name[0] != "."
    if is_short and name.isascii() and not name.encode().translate(None, _COMMON):
        return name
    return file_name(name)
