"""The choice of the preview format for a request.

The rule is that of the original ImageConverter: the format whose box has the nearest area, then type, scale type and
flags. A preview may be larger or smaller than requested; the client scales it.
"""

from collections.abc import Sequence
from typing import Literal

from imageconverter.previews.preview_format import PreviewFormat

Matching = Literal["nearest", "larger", "exact"]
"""The nearest format; the nearest of those that are larger, if any; or exactly the requested format."""

_TYPES = ("auto", "jpg", "png")
_SCALE_RANKS = {"contain": 1, "containforcedimension": 2, "cover": 4, "coverandcrop": 5}
_MAX_AREA = 2**62  # larger than that of any box


def choose(
    requested: PreviewFormat, available: Sequence[PreviewFormat], matching: Matching = "nearest"
) -> PreviewFormat:
    """Return the best match for *requested* in *available*; *requested* if that is empty."""
    if matching == "exact":
        return requested
    if matching == "larger":
        available = [each for each in available if _holds(each, requested)] or available
    return min(available, key=lambda each: (distance(requested, each), _order(each)), default=requested)


def distance(one: PreviewFormat, other: PreviewFormat) -> int:
    """Return the distance of two formats; 0 if they differ in quality only.

    As in the original, the terms are combined by OR, not added: four steps of scale type count as much as another
    type, and both together no more than one.
    """
    return (
        32 * abs(_area(one) - _area(other))
        | 16 * (one.type != other.type)
        | 4 * abs(_SCALE_RANKS[one.scale] - _SCALE_RANKS[other.scale])
        | 2 * (one.shrink_only != other.shrink_only)
        | 1 * (one.auto_rotate != other.auto_rotate)
    )


def _area(format_: PreviewFormat) -> int:
    """Return the area of the box; a free side counts as one pixel, as in the original.

    Unlike in the original, a box with two free sides is the largest: there, a request for the full size got the
    smallest preview.
    """
    if format_.width is None and format_.height is None:
        return _MAX_AREA
    return (format_.width or 1) * (format_.height or 1)


def _order(format_: PreviewFormat) -> tuple[int, ...]:
    """Return the sort key of the original, which decides between formats of equal distance."""
    return (
        _area(format_),
        _TYPES.index(format_.type),
        _SCALE_RANKS[format_.scale],
        format_.shrink_only,
        format_.auto_rotate,
        format_.quality,
    )


def _holds(larger: PreviewFormat, smaller: PreviewFormat) -> bool:
    """Return whether the box of *larger* contains that of *smaller*; a free side always fits."""
    sides = ((larger.width, smaller.width), (larger.height, smaller.height))
    return all(has is None or asked is None or has >= asked for has, asked in sides)
