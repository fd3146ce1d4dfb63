"""Where a picture lands in its preview: the arithmetic of the ImageConverter's scale types."""

from fractions import Fraction
from typing import Literal

from imageconverter.engine import Target
from imageconverter.engine.geometry import Placement, Size
from imageconverter.engine.target import Fit
from imageconverter.previews.preview_format import PreviewFormat, PreviewType, ScaleType

_LEAST_SIDE = 3  # of a picture that is scaled, in pixels
_LARGEST_SIDE = 16_384  # that a Target takes
_OUTPUTS: dict[PreviewType, Literal["keep", "jpeg", "png"]] = {"auto": "keep", "jpg": "jpeg", "png": "png"}
_HALF = Fraction(1, 2)
_FITS: dict[ScaleType, Fit] = {
    "contain": "contain",
    "containforcedimension": "pad",
    "cover": "cover",
    "coverandcrop": "crop",
}


def place(size: Size, format_: PreviewFormat) -> Placement:
    """Place a picture of *size* (pixels, upright if it is turned upright) in a preview of *format_*.

    The aspect is always kept. `contain` and `containforcedimension` never enlarge; `cover` enlarges a picture that is
    smaller than the box in one direction only, and with `expand` any; `coverandcrop` fills the box up with the
    background where the picture is smaller than it in both directions.
    """
    frame = _frame(size, format_)
    if format_.scale in ("contain", "cover"):
        return Placement(frame, (0, 0, *frame), frame)
    canvas = (format_.width or frame[0], format_.height or frame[1])
    kept = (min(frame[0], canvas[0]), min(frame[1], canvas[1]))
    left, top = (frame[0] - kept[0]) // 2, (frame[1] - kept[1]) // 2
    return Placement(frame, (left, top, left + kept[0], top + kept[1]), canvas)


def to_target(format_: PreviewFormat) -> Target:
    """Return the engine's Target that comes nearest to *format_*.

    It is the same but for these: `auto` is the source's own type, pictures are always turned upright, a line may be
    thinner than three pixels, `cover` of a picture that is small in one direction does not enlarge, `coverandcrop` of
    a small picture is not filled up, nor is a picture in a box with a free side, and no side is above 16,384 pixels.
    """
    width, height = format_.width, format_.height
    return Target(
        max_width=min(width or _LARGEST_SIDE, _LARGEST_SIDE),
        max_height=min(height or _LARGEST_SIDE, _LARGEST_SIDE),
        fit=_FITS[format_.scale] if width and height else "contain",
        output=_OUTPUTS[format_.type],
        quality=format_.quality,
        upscale=format_.scale == "cover" and not format_.shrink_only and bool(width or height),
    )


def _frame(size: Size, format_: PreviewFormat) -> Size:
    """Return the extents of the whole picture as it is scaled."""
    sides = zip((format_.width, format_.height), size, strict=True)
    scales = [Fraction(side, extent) for side, extent in sides if side is not None]
    covers = format_.scale in ("cover", "coverandcrop")
    shrink_only = format_.shrink_only or format_.scale != "cover"
    if not scales or (shrink_only and min(scales) >= 1):
        return size
    scale = max(scales) if covers else min(scales)
    width, height = (max(_LEAST_SIDE, int(extent * scale + _HALF)) for extent in size)
    return width, height
