"""Encoding a finished picture: the options of each output type, chosen for speed at equal quality."""

import io
from dataclasses import dataclass

from PIL import Image, ImageChops

from imageconverter.engine.target import OutputType


@dataclass(frozen=True)
class OutputFormat:
    """How an output type is called outside: first extension is the one that is given to new names."""

    media_type: str
    extensions: tuple[str, ...]


OUTPUT_FORMATS: dict[OutputType, OutputFormat] = {
    "jpeg": OutputFormat("image/jpeg", (".jpg", ".jpeg", ".jpe", ".jfif")),
    "png": OutputFormat("image/png", (".png",)),
    "webp": OutputFormat("image/webp", (".webp",)),
    "avif": OutputFormat("image/avif", (".avif",)),
    "gif": OutputFormat("image/gif", (".gif",)),
}

_TRANSPARENT = 255  # the last entry of a GIF's palette


def encode(image: Image.Image, output: OutputType, *, quality: int) -> bytes:
    """Encode *image* (L, LA, RGB or RGBA); *quality* is 1 to 100.

    There must be no alpha for JPEG, and none but 0 and 255 for GIF, in RGBA.
    """
    buffer = io.BytesIO()
    match output:
        case "jpeg":
            image.save(buffer, "JPEG", quality=quality, subsampling="4:2:0")
        case "png":
            image.save(buffer, "PNG", compress_level=6)
        case "webp":
            image.save(buffer, "WEBP", quality=quality, method=4)
        case "avif":
            image.save(buffer, "AVIF", quality=quality, speed=8, max_threads=1)
        case "gif" if image.mode == "RGBA":
            # Left to itself, Pillow averages transparent and opaque pixels to opaque entries of the palette.
            indexed = image.convert("RGB").quantize(_TRANSPARENT)
            indexed.paste(_TRANSPARENT, mask=ImageChops.invert(image.getchannel("A")))
            indexed.save(buffer, "GIF", transparency=_TRANSPARENT)
        case "gif":
            image.save(buffer, "GIF")
    return buffer.getvalue()
