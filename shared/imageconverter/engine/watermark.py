"""Watermarks: an image that is laid over another one, at a corner, at an edge, in the middle or repeatedly."""

import io
from functools import lru_cache
from typing import NamedTuple

from PIL import Image

from imageconverter.engine import color
from imageconverter.engine.decode import load, open_image
from imageconverter.engine.geometry import Size
from imageconverter.engine.limits import Limits
from imageconverter.engine.resize import resize
from imageconverter.engine.target import Target
from imageconverter.errors import ImageError, Undecodable
from imageconverter.quoting import quoted

_LIMITS = Limits(pixels=4_000_000, truncated=False)
_MIN_ROWS = 64  # pixels of a strip of repeated watermarks: flat ones would be laid over one row at a time
_SHARES = {"left": 0.0, "center": 0.5, "right": 1.0, "top": 0.0, "bottom": 1.0}


class Overlay(NamedTuple):
    """A watermark as it is laid over an image, at one or more places."""

    image: Image.Image
    """RGBA."""
    places: tuple[tuple[int, int], ...]
    """Left and top of each place, in pixels."""


def read_overlay(data: bytes, target: Target, canvas: Size, profile: bytes = b"") -> Overlay:
    """Return the watermark of *target* in the file *data* as it goes over an image of the size *canvas*.

    Its colors become those of a *profile*, or of sRGB. Raises Undecodable, with its name, if it cannot be used.
    """
    if not data:
        raise Undecodable(f"The watermark {quoted(target.watermark)} does not exist.")
    try:
        mark = _read(data)
    except ImageError as error:
        raise Undecodable(f"The watermark {quoted(target.watermark)} cannot be used: {error.reason}") from error
    mark = resize(mark, _size(mark.size, target.watermark_width, canvas))
    mark = color.from_srgb(mark, profile) if profile else mark.copy()  # what was read is kept
    opacity = target.watermark_opacity
    mark.putalpha(mark.getchannel("A").point([int(level * opacity + 0.5) for level in range(256)]))
    if target.watermark_position == "repeat":
        return _repeated(mark, canvas)
    left, top = (
        int((whole - part) * _share(target.watermark_position, sides) + 0.5)
        for whole, part, sides in zip(canvas, mark.size, (("left", "right"), ("top", "bottom")), strict=True)
    )
    return Overlay(mark, ((left, top),))


def lay_over(image: Image.Image, overlay: Overlay) -> Image.Image:
    """Return *image* (L, LA, RGB, RGBA) under an *overlay*, by "over" of Porter and Duff, as RGB or RGBA."""
    over = image.convert("RGBA" if image.mode in ("LA", "RGBA") else "RGB")
    for left, top in overlay.places:
        part = overlay.image.crop((0, 0, min(overlay.image.width, image.width - left), image.height - top))
        if over.mode == "RGBA":
            over.alpha_composite(part, (left, top))
        else:
            over.paste(part.convert("RGB"), (left, top), part)
    return over


@lru_cache(maxsize=2)
def _read(data: bytes) -> Image.Image:
    """Decode a file to RGBA in sRGB, upright; the first frame of an animation. Raises ImageError."""
    image, info = open_image(io.BytesIO(data), _LIMITS)
    with image:
        load(image, info, at_least=info.as_stored.size, truncated=False)
        upright = color.convert(color.to_eight_bits(image), info.color)
    upright = upright if info.turn is None else upright.transpose(info.turn)
    return upright.convert("RGBA")


def _size(size: Size, share: float, canvas: Size) -> Size:
    """Return the size that has a *share* of the width of *canvas*, or less if the height would be above its own."""
    scale = min(share * canvas[0] / size[0], canvas[1] / size[1])
    return max(1, int(size[0] * scale + 0.5)), max(1, int(size[1] * scale + 0.5))


def _share(position: str, sides: tuple[str, str]) -> float:
    """Return where between two *sides* a *position* such as `topLeft` is, from 0 to 1."""
    side = next((each for each in sides if each in position.lower()), "center")
    return _SHARES[side]


def _repeated(mark: Image.Image, canvas: Size) -> Overlay:
    """Return rows of the *mark*, side by side from the top left corner on."""
    rows = -(-min(_MIN_ROWS, canvas[1]) // mark.height)
    strip = Image.new("RGBA", (canvas[0], rows * mark.height))
    for left in range(0, canvas[0], mark.width):
        strip.paste(mark, (left, 0))
    for row in range(1, rows):
        strip.paste(strip.crop((0, 0, canvas[0], mark.height)), (0, row * mark.height))
    return Overlay(strip, tuple((0, top) for top in range(0, canvas[1], strip.height)))
