"""Where a picture goes in its target: pure arithmetic on extents in pixels."""

from typing import NamedTuple

from imageconverter.engine.target import Target

Size = tuple[int, int]
Box = tuple[int, int, int, int]
Region = tuple[float, float, float, float]
"""Left, top, right and bottom; unlike those of a Box they may lie inside a pixel."""

_MIDDLE = (0.5, 0.5)


class Placement(NamedTuple):
    """The whole picture is scaled to `frame`, of which `crop` is kept, in the middle of `canvas`."""

    frame: Size
    crop: Box
    canvas: Size


def place(size: Size, target: Target) -> Placement:
    """Place a picture of *size* (upright) in *target*; aspect is kept, every side is at least one pixel.

    Where the target's focus is the entropy, only the size of the crop counts: where it is takes the pixels to tell.
    """
    width, height = size
    wide, high = target.max_width / width, target.max_height / height
    scale = max(wide, high) if target.fit in ("cover", "crop") else min(wide, high)
    if not target.upscale:
        scale = min(scale, 1.0)
    frame = (max(1, round(width * scale)), max(1, round(height * scale)))
    if target.fit == "crop":
        kept = (min(frame[0], target.max_width), min(frame[1], target.max_height))
        crop = around(frame, kept, _MIDDLE if isinstance(target.focus, str) else target.focus)
    else:
        kept, crop = frame, (0, 0, *frame)
    canvas = (target.max_width, target.max_height) if target.fit == "pad" else kept
    return Placement(frame, crop, canvas)


def around(outer: Size, inner: Size, point: tuple[float, float]) -> Box:
    """Place a box of size *inner* inside *outer*, its middle as near as it goes to *point* (in shares of *outer*)."""
    left, top = (
        min(max(int(share * whole - part / 2), 0), whole - part)
        for share, whole, part in zip(point, outer, inner, strict=True)
    )
    return (left, top, left + inner[0], top + inner[1])
