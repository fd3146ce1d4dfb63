"""Drawings of the boxes of image formats, all to the same scale, each with an image that fits it."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from imageconverter.engine import Target

WIDTH: Final = 240
HEIGHT: Final = 150
_ASPECT: Final = 1.5  # of the image in the box
_MIN_SIDE: Final = 4.0  # that can still be seen


class Rectangle(NamedTuple):
    """A rectangle; the origin is the upper left corner of the drawing."""

    x: float
    y: float
    width: float
    height: float


class Drawing(NamedTuple):
    """The box of an image format, and an image as its fit places it there."""

    box: Rectangle
    image: Rectangle
    """What the output shows of the image."""
    cut: Rectangle | None
    """The whole image, where a part of it is cut off or sticks out."""
    is_padded: bool
    free: str
    """The side of the box that is free: "width", "height", "both" or ""."""


def scale_of(targets: Sequence[Target]) -> float:
    """Return the scale at which the boxes of all *targets* fit the drawing."""
    widths = [target.max_width for target in targets if target.max_width]
    heights = [target.max_height for target in targets if target.max_height]
    return min(WIDTH / max(widths, default=1), HEIGHT / max(heights, default=1))


def drawing_of(target: Target, scale: float) -> Drawing:
    """Return the drawing of *target*."""
    width, height = target.max_width, target.max_height
    free = {(False, False): "", (True, False): "width", (False, True): "height"}.get((not width, not height), "both")
    if width and height:
        box = _size(width * scale, height * scale)
    elif width:
        box = _size(width * scale, width * scale / _ASPECT)
    elif height:
        box = _size(height * scale * _ASPECT, height * scale)
    else:
        box = (WIDTH, HEIGHT)
    inner, outer = _fitted(box, covers=False), _fitted(box, covers=True)
    cut: tuple[float, float] | None = None
    match target.fit:
        case "cover":
            image = cut = outer
        case "crop":
            image, cut = box, outer
        case _:
            image = inner
    return Drawing(
        _centered(box),
        _centered(image),
        None if cut is None or cut == box else _centered(cut),
        is_padded=target.fit == "pad",
        free=free,
    )


def _size(width: float, height: float) -> tuple[float, float]:
    shrink = min(1.0, WIDTH / width, HEIGHT / height)  # the free side of a box may be longer than the drawing
    return max(_MIN_SIDE, width * shrink), max(_MIN_SIDE, height * shrink)


def _fitted(box: tuple[float, float], *, covers: bool) -> tuple[float, float]:
    """Return the size of an image in *box*: inside of it, or covering it."""
    width, height = box
    choose = max if covers else min
    scale = choose(width / _ASPECT, height)
    return scale * _ASPECT, scale


def _centered(size: tuple[float, float]) -> Rectangle:
    width, height = size
    return Rectangle(
        round((WIDTH - width) / 2, 1), round((HEIGHT - height) / 2, 1), round(width, 1), round(height, 1)
    )
