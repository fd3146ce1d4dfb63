"""Primitives of a GKS metafile with their attributes resolved, in normalized coordinates.

A segment's transform is applied when a primitive is drawn, because it may be set later than the primitive.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from rare_formats.canvas import Affine, Canvas, Hatch, Tiling, arc_points
from rare_formats.gksm.fields import Array
from rare_formats.strokes import Color, Pen, Point

LONG_SIDE = 1024
"""Pixels of the longer side of the workstation window."""
IDENTITY: Affine = (1, 0, 0, 0, 1, 0)

# Strokes and gaps of the line types in pixels, for a line of one pixel.
_DASHES = {
    2: (8.0, 4.0), 3: (1.5, 3.0), 4: (8.0, 3.0, 1.5, 3.0), 5: (16.0, 6.0), 6: (8.0, 3.0, 1.5, 3.0, 1.5, 3.0),
}  # fmt: skip
# Strokes of the markers 2, 3 and 5, from the center to a radius of 1.
_MARKERS: dict[int, tuple[tuple[Point, Point], ...]] = {
    2: (((-1, 0), (1, 0)), ((0, -1), (0, 1))),
    3: (((0, -1), (0, 1)), ((-0.87, -0.5), (0.87, 0.5)), ((-0.87, 0.5), (0.87, -0.5))),
    5: (((-0.71, -0.71), (0.71, 0.71)), ((-0.71, 0.71), (0.71, -0.71))),
}
_DOT, _CIRCLE = 1, 4

_TILE = 8.0  # pixels, side of a hatch
_HORIZONTAL, _VERTICAL = ((0.0, 4.0), (8.0, 4.0)), ((4.0, 0.0), (4.0, 8.0))
_RISING, _FALLING = ((0.0, 8.0), (8.0, 0.0)), ((0.0, 0.0), (8.0, 8.0))
# The hatches with positive numbers in CGM and with negative ones in XGKS.
_HATCHES = {
    1: (_HORIZONTAL,), 2: (_VERTICAL,), 3: (_RISING,), 4: (_FALLING,), 5: (_HORIZONTAL, _VERTICAL),
    6: (_RISING, _FALLING), -5: (_HORIZONTAL,), -6: (_VERTICAL,), -7: (_HORIZONTAL,), -8: (_VERTICAL,),
    -9: (_RISING,), -10: (_RISING,), -11: (_FALLING,), -12: (_FALLING,), -13: (_HORIZONTAL, _VERTICAL),
    -14: (_RISING, _FALLING), -15: (_VERTICAL,), -16: (_HORIZONTAL,),
}  # fmt: skip
_HEAVY_HATCHES = (-7, -8, -9, -11)


class Drawable(ABC):
    """A primitive that is ready to draw."""

    @abstractmethod
    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw it, transformed by *place*."""


@dataclass(frozen=True)
class Line(Drawable):
    """A polyline."""

    points: Array
    pen: Pen

    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw it."""
        canvas.stroke(moved(self.points, place), self.pen)


@dataclass(frozen=True)
class Markers(Drawable):
    """Marks at points, of a radius in normalized coordinates."""

    points: Array
    kind: int
    radius: float
    color: Color

    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw them; a segment moves them, but does not rotate or scale them."""
        pen = Pen(self.color)
        for x, y in moved(self.points, place):
            if self.kind == _DOT:
                radius = max(self.radius / 5, 1 / LONG_SIDE)
                canvas.fill(arc_points((x, y), radius, radius, tolerance=canvas.tolerance), self.color)
            elif self.kind == _CIRCLE:
                circle = arc_points((x, y), self.radius, self.radius, tolerance=canvas.tolerance)
                canvas.stroke(circle, pen, closed=True)
            else:
                for stroke in _MARKERS.get(self.kind, _MARKERS[3]):
                    canvas.stroke([(x + self.radius * u, y + self.radius * v) for u, v in stroke], pen)


@dataclass(frozen=True)
class Area(Drawable):
    """A fill area; without a paint it is hollow: only its edge is drawn."""

    points: Array
    paint: Color | Hatch | Tiling | None
    color: Color

    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw it."""
        if self.paint is None:
            canvas.stroke(moved(self.points, place), Pen(self.color), closed=True)
        else:
            canvas.fill(moved(self.points, place), self.paint)


@dataclass(frozen=True)
class Cells(Drawable):
    """A cell array: its first row begins at the first corner and ends at the third; the second is opposite."""

    image: Image.Image
    corners: Array

    def draw(self, canvas: Canvas, place: Affine) -> None:
        """Draw it."""
        first, opposite, along = moved(self.corners, place)
        last = first[0] + opposite[0] - along[0], first[1] + opposite[1] - along[1]
        canvas.cells(self.image, first, along, last)


def moved(points: Array, place: Affine) -> list[Point]:
    """Return *points* transformed by *place*."""
    a, b, c, d, e, f = place
    x, y = points[:, 0], points[:, 1]
    return list(zip((a * x + b * y + c).tolist(), (d * x + e * y + f).tolist(), strict=True))


def line_pen(kind: float, width: float, color: Color) -> Pen:
    """Return the pen of a line type; unknown types are solid."""
    width = max(width, 0.5)
    dashes = tuple(length * max(width, 1.0) for length in _DASHES.get(int(kind), ()))
    return Pen(color, width, join="round" if width > 2 else "bevel", dashes=dashes)  # noqa: PLR2004 -- pixels


def hatch(style: float, color: Color) -> Hatch:
    """Return a hatch style; unknown ones are crosses."""
    number = int(style)
    lines = _HATCHES.get(number, _HATCHES[6])
    return Hatch(Pen(color, _TILE / 3 if number in _HEAVY_HATCHES else 1.0), (_TILE, _TILE), lines)


def tiling(image: Image.Image, size: Point) -> Tiling:
    """Return a pattern whose tile has *size* in normalized coordinates."""
    sides = [min(max(side * LONG_SIDE, 1.0), LONG_SIDE) for side in size]
    return Tiling(image, (sides[0], sides[1]))


def colored(cells: Array, color: Callable[[int], Color]) -> Image.Image:
    """Return color indices as an image."""
    indices, places = np.unique(cells, return_inverse=True)
    colors = np.array([color(index) for index in indices.tolist()], "u1")
    return Image.fromarray(colors[places.reshape(cells.shape)])
