"""Which of the previews there are answers a request.

The rule is the original's: the preview whose box has the nearest area, then type, scale type and flags. What
the client gets may be larger or smaller than what it asked for; it scales by itself.
"""

from collections.abc import Sequence
from typing import Literal

from imageconverter.previews.preview_format import PreviewFormat

Matching = Literal["nearest", "larger", "exact"]
"""How a request is answered: by the original's rule; by it, but not with a smaller box where there is a larger one;
or with just what was asked for, made on demand."""

_TYPES = ("auto", "jpg", "png")
_SCALE_RANKS = {"contain": 1, "containforcedimension": 2, "cover": 4, "coverandcrop": 5}
_MAX_AREA = 2**62  # above that of every box


def choose(
    requested: PreviewFormat, available: Sequence[PreviewFormat], matching: Matching = "nearest"
) -> PreviewFormat:
    """Return the format in *available* that is the best match for *requested*; itself where none is available."""
    if matching == "exact":
        return requested
    if matching == "larger":
        available = [each for each in available if _holds(each, requested)] or available
    return min(available, key=lambda each: (distance(requested, each), _order(each)), default=requested)


def distance(one: PreviewFormat, other: PreviewFormat) -> int:
    """Return how far two formats are apart; 0 where they differ in quality only.

    The terms are joined by OR, not added: four steps of scale type count as much as another type, and both
    together no more than one.
    """
    return (
        32 * abs(_area(one) - _area(other))
        | 16 * (one.type != other.type)
        | 4 * abs(_SCALE_RANKS[one.scale] - _SCALE_RANKS[other.scale])
        | 2 * (one.shrink_only != other.shrink_only)
        | 1 * (one.auto_rotate != other.auto_rotate)
    )


def _area(format_: PreviewFormat) -> int:
    """Return the area of the box, a free side counted for one pixel, as in the original.

    Not as in the original, both sides free are the largest box: a request for the full size got the smallest preview.
    """
    if format_.width is None and format_.height is None:
        return _MAX_AREA
    return (format_.width or 1) * (format_.height or 1)


def _order(format_: PreviewFormat) -> tuple[int, ...]:
    """Return the original's sort key, which decides between formats that are equally near."""
    return (
        _area(format_),
        _TYPES.index(format_.type),
        _SCALE_RANKS[format_.scale],
        format_.shrink_only,
        format_.auto_rotate,
        format_.quality,
    )


def _holds(larger: PreviewFormat, smaller: PreviewFormat) -> bool:
    """Whether the box of *larger* is at least that of *smaller* in both directions; a free side asks for nothing."""
    sides = ((larger.width, smaller.width), (larger.height, smaller.height))
    return all(has is None or asked is None or has >= asked for has, asked in sides)
