"""The placement of an image in its target: arithmetic on extents in pixels."""

from fractions import Fraction
from typing import NamedTuple

from imageconverter.engine.target import Target

Size = tuple[int, int]
Box = tuple[int, int, int, int]
Region = tuple[float, float, float, float]
"""Left, top, right and bottom; unlike those of a Box they may be fractions of a pixel."""

_MIDDLE = (0.5, 0.5)
_HALF = Fraction(1, 2)


class Placement(NamedTuple):
    """The whole image is scaled to `frame`, of which `crop` is kept, in the middle of `canvas`."""

    frame: Size
    crop: Box
    canvas: Size


def place(size: Size, target: Target) -> Placement:
    """Place an image of *size* (as it is shown) in *target*; aspect is kept, every side is at least one pixel.

    If the target's focus is looked for in the pixels, only the size of the crop is valid.
    """
    box = (target.max_width, target.max_height)
    frame = _frame(size, box, target)
    whole = (box[0] or frame[0], box[1] or frame[1])
    if target.fit == "crop":
        kept = (min(frame[0], whole[0]), min(frame[1], whole[1]))
        crop = centered_box(frame, kept, _MIDDLE if isinstance(target.focus, str) else target.focus)
    else:
        kept, crop = frame, (0, 0, *frame)
    is_filled = target.fit == "pad" or (target.fit == "crop" and target.fill)
    return Placement(frame, crop, whole if is_filled else kept)


def _frame(size: Size, box: tuple[int | None, int | None], target: Target) -> Size:
    """Return the extents of the whole image as it is scaled, rounded half up."""
    scales = [Fraction(side, extent) for side, extent in zip(box, size, strict=True) if side is not None]
    scale = (max(scales) if target.fit in ("cover", "crop") else min(scales)) if scales else Fraction(1)
    if scale == 1 or (scale > 1 and not target.upscale):
        return size
    width, height = (max(target.least_side, int(extent * scale + _HALF)) for extent in size)
    return width, height


def shrunk_to(size: Size, side: int) -> Size:
    """Return the extents of an image of *size* after it was made smaller until no side is longer than *side*."""
    scale = min(1.0, side / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def centered_box(outer: Size, inner: Size, point: tuple[float, float]) -> Box:
    """Place a box of size *inner* inside *outer*, its middle as near as it goes to *point* (in shares of *outer*)."""
    left, top = (
        min(max(int(share * whole - part / 2), 0), whole - part)
        for share, whole, part in zip(point, outer, inner, strict=True)
    )
    return (left, top, left + inner[0], top + inner[1])
