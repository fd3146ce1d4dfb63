"""The engine's targets for preview formats."""

from typing import Literal

from imageconverter.engine import Target
from imageconverter.engine.target import MAX_SIDE, Fit
from imageconverter.previews.preview_format import PreviewFormat, PreviewType, ScaleType

_MIN_SIDE = 3  # pixels, of a scaled image
_OUTPUTS: dict[PreviewType, Literal["auto", "jpeg", "png"]] = {"auto": "auto", "jpg": "jpeg", "png": "png"}
_FITS: dict[ScaleType, Fit] = {
    "contain": "contain",
    "containforcedimension": "pad",
    "cover": "cover",
    "coverandcrop": "crop",
}


def to_target(format_: PreviewFormat, *, comment: str = "") -> Target:
    """Return the engine's target for *format_*; *comment* is written into the file.

    Sides are limited to 16,384 pixels. Only `cover` with `expand` enlarges. The original also enlarges a covered
    image that is smaller than the box in one direction, without limit, which turns a line into a decompression bomb.
    """
    return Target(
        max_width=_side(format_.width),
        max_height=_side(format_.height),
        fit=_FITS[format_.scale],
        fill=format_.scale == "coverandcrop",
        auto_rotate=format_.auto_rotate,
        output=_OUTPUTS[format_.type],
        quality=format_.quality,
        animation=False,
        upscale=format_.scale == "cover" and not format_.shrink_only,
        least_side=_MIN_SIDE,
        comment=comment,
    )


def _side(pixels: int | None) -> int | None:
    return None if pixels is None else min(pixels, MAX_SIDE)
