"""Encoding a finished picture: the options of each output type, chosen for speed at equal quality."""

import functools
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

# The last entries of a GIF's palette.
_WHITE = 254
_TRANSPARENT = 255


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
        case "gif" if image.mode == "L":
            image.save(buffer, "GIF")
        case "gif":
            _with_palette(image).save(buffer, "GIF", transparency=_TRANSPARENT if image.mode == "RGBA" else None)
    return buffer.getvalue()


def _with_palette(image: Image.Image) -> Image.Image:
    """Return *image* (RGB or RGBA) in the 256 colours of a GIF, the last two of which are white and transparent.

    An octree with dithering, for with its other palettes Pillow saves on rare colours: the one red ladybird in
    the grass becomes brown. White is set aside because Pillow dithers in steps of four levels.
    """
    rgb = image.convert("RGB")
    indexed = rgb.quantize(
        palette=rgb.quantize(_WHITE, Image.Quantize.FASTOCTREE), dither=Image.Dither.FLOYDSTEINBERG
    )
    indexed.putpalette(bytes(indexed.getpalette() or []).ljust(3 * _WHITE, b"\0") + b"\xff" * 6)
    darkest = functools.reduce(ImageChops.darker, rgb.split())
    indexed.paste(_WHITE, mask=darkest.point([0] * 255 + [255]))
    if image.mode == "RGBA":
        indexed.paste(_TRANSPARENT, mask=ImageChops.invert(image.getchannel("A")))
    return indexed
