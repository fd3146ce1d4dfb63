"""Where a picture goes in its target: pure arithmetic on extents in pixels."""

from typing import NamedTuple

from imageconverter.engine.target import Target

Size = tuple[int, int]
Box = tuple[int, int, int, int]
Region = tuple[float, float, float, float]
"""Left, top, right and bottom; unlike those of a Box they may lie inside a pixel."""


class Placement(NamedTuple):
    """The whole picture is scaled to `frame`, of which `crop` is kept, in the middle of `canvas`."""

    frame: Size
    crop: Box
    canvas: Size


def place(size: Size, target: Target) -> Placement:
    """Place a picture of *size* (upright) in *target*; aspect is kept, every side is at least one pixel."""
    width, height = size
    wide, high = target.max_width / width, target.max_height / height
    scale = max(wide, high) if target.fit in ("cover", "crop") else min(wide, high)
    if not target.upscale:
        scale = min(scale, 1.0)
    frame = (max(1, round(width * scale)), max(1, round(height * scale)))
    if target.fit == "crop":
        crop = _middle(frame, (min(frame[0], target.max_width), min(frame[1], target.max_height)))
    else:
        crop = (0, 0, *frame)
    kept = (crop[2] - crop[0], crop[3] - crop[1])
    canvas = (target.max_width, target.max_height) if target.fit == "pad" else kept
    return Placement(frame, crop, canvas)


def _middle(outer: Size, inner: Size) -> Box:
    left, top = (outer[0] - inner[0]) // 2, (outer[1] - inner[1]) // 2
    return (left, top, left + inner[0], top + inner[1])
