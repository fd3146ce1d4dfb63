"""JPEG by jpegli: at equal quality an eighth smaller than by libjpeg-turbo, in twice its time."""

import pyjpegli
from PIL import Image

from imageconverter.engine import jpeg
from imageconverter.engine.target import Target

# What it needs at most: 8 bytes a pixel, at quality 100, with the pixels that it gets, and a little for any image.
_BYTES_PER_PIXEL = 8
_MORE_BYTES = 4 * 1024 * 1024
_HEADER = jpeg.header()


def takes(image: Image.Image, target: Target) -> bool:
    """Whether the *target* asks for it, and for nothing that it cannot do."""
    return target.encoder == "small" and target.chroma == "4:2:0" and not target.progressive and image.mode == "RGB"


def encode_jpegli(image: Image.Image, quality: int, *, header: bytes = _HEADER, comment: str = "") -> bytes | None:
    """Return *image*, in RGB, as a sequential JPEG of 4:2:0 with optimized tables, that begins with a *header*.

    None if there is not enough memory: jpegli crashes where it ends.
    """
    if not _has_memory(image.width * image.height):
        return None
    try:
        made = pyjpegli.encode(image.tobytes(), *image.size, quality)
    except RuntimeError:
        return None
    parts = [jpeg.START, header]  # jpegli writes none
    if comment:
        parts.append(jpeg.segment(jpeg.COMMENT, comment.encode()))
    return b"".join([*parts, made[len(jpeg.START) :]])


def _has_memory(pixels: int) -> bool:
    try:
        bytearray(_MORE_BYTES + _BYTES_PER_PIXEL * pixels)
    except MemoryError:
        return False
    return True
