"""A canvas for line drawings: strokes, fills, text and cells, drawn large by Pillow and reduced.

`Pen`, `Color` and `Point` are in `strokes`, `Lettering` and the lengths of texts in `lettering`.

Positions are in the drawing's own units, which an affine transform maps to pixels of the finished image.
Pens and letters are measured in pixels of the finished image. Everything is clipped to the canvas before Pillow
draws it, so coordinates may have any finite value.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from PIL import Image, ImageChops, ImageDraw

from rare_formats.lettering import ALIGNMENTS, RISES, Lettering, text_mask
from rare_formats.strokes import Color, Path, Pen, Point, dashed, distinct, length_of, outlines

_Box = tuple[int, int, int, int]
Affine = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f): x' = a·x + b·y + c and y' = d·x + e·y + f."""

_MAX_FACTOR = 4
_MAX_BITMAP = 68_000_000  # pixels of four bytes: twice 4,096 by 4,096
# A bound on what is drawn, in about nanoseconds; only hostile drawings exceed it. The costs were measured.
_MAX_WORK = 20_000_000_000
_POLYGON, _CORNER, _CROSSING, _PIXEL = 30_000, 200, 200, 1
_HATCH, _HATCHED_PIXEL = 300_000, 24
_TEXT, _LETTER = 500_000, 60_000
_PLACED_PIXEL = {Image.Resampling.NEAREST: 10, Image.Resampling.BILINEAR: 20}
_MAX_TYPE_SIZE = 400.0  # pixels; larger letters are scaled up, so that masks are bounded


@dataclass(frozen=True)
class Hatch:
    """A pattern of lines that repeats from the image's upper left corner; lengths in its pixels."""

    pen: Pen
    size: Point
    """Width and height of the tile that repeats."""
    lines: tuple[tuple[Point, ...], ...]
    """Polylines within the tile, y downwards; what leaves it enters on the other side."""
    background: Color | None = None
    """None if what is below shows between the lines."""


@dataclass(frozen=True)
class Tiling:
    """A small image that repeats from the image's upper left corner."""

    image: Image.Image
    size: Point
    """Width and height of a repetition in pixels of the finished image."""


class Canvas:
    """An image being drawn. Its methods raise ValueError if a drawing takes too much work."""

    def __init__(self, size: tuple[int, int], transform: Affine, background: Color = (255, 255, 255)) -> None:
        """Make a canvas of *size* pixels; *transform* maps the drawing's units to pixels, y downwards."""
        width, height = size
        self.size = size
        self._factor = max(1, min(_MAX_FACTOR, math.isqrt(_MAX_BITMAP // (width * height))))
        a, b, c, d, e, f = (value * self._factor for value in transform)
        self._transform: Affine = (a, b, c, d, e, f)
        self._image = Image.new("RGB", (width * self._factor, height * self._factor), background)
        self._draw = ImageDraw.Draw(self._image)
        self._clip: _Box = (0, 0, *self._image.size)
        self._work = _MAX_WORK

    @cached_property
    def tolerance(self) -> float:
        """A tenth of a finished pixel in the drawing's units, for flattening curves."""
        a, b, _, d, e, _ = self._transform
        return self._factor / 10 / max(math.hypot(a, d), math.hypot(b, e), 1e-300)

    def clip(self, corner: Point | None = None, opposite: Point | None = None) -> None:
        """Restrict drawing to the rectangle between two corners; without them, to the whole canvas."""
        self._clip = (0, 0, *self._image.size)
        if corner and opposite:
            self._clip = self._cut_box([self._device(corner), self._device(opposite)])

    def finish(self) -> Image.Image:
        """Return the finished image, of mode RGB."""
        return self._image.reduce(self._factor) if self._factor > 1 else self._image

    def stroke(self, points: Sequence[Point], pen: Pen, *, closed: bool = False) -> None:
        """Draw a polyline; its ends are joined if it is *closed*."""
        factor = self._factor
        path = distinct([self._device(point) for point in points])
        if closed and len(path) > 1 and path[0] != path[-1]:
            path.append(path[0])
        pieces = [(path, closed)]
        dashes = [length * factor for length in pen.dashes]
        if len(path) > 1 and sum(dashes) > factor and min(dashes) >= 0:
            self._spend(_POLYGON * round(length_of(path) / sum(dashes)) * len(dashes))
            pieces = [(piece, False) for piece in dashed(path, dashes)]
        # Pillow's polygons include their edges: half a pixel less on each side gives the requested width.
        half = max(pen.width * factor / 2 - 0.5, 0.0)
        for piece, is_closed in pieces:
            for outline in outlines(piece, half, pen, closed=is_closed):
                self._polygon(outline, pen.color)

    def fill(self, points: Sequence[Point], paint: Color | Hatch | Tiling) -> None:
        """Fill a polygon by the even-odd rule."""
        path = [self._device(point) for point in points]
        if isinstance(paint, tuple):
            self._polygon(path, paint)
            return
        if isinstance(paint, Hatch) and paint.background:
            self._polygon(path, paint.background)
        shape = _cut(path, self._clip)
        box = self._cut_box(shape)
        left, top, right, bottom = box
        if right <= left or bottom <= top:
            return
        self._spend(_HATCH + _HATCHED_PIXEL * (right - left) * (bottom - top))
        mask = Image.new("L", (right - left, bottom - top))
        outline = [(round(x - left - 0.5), round(y - top - 0.5)) for x, y in shape]
        self._spend(_polygon_cost(outline))
        ImageDraw.Draw(mask).polygon(outline, fill=255)
        tile = self._hatch_tile(paint) if isinstance(paint, Hatch) else self._resized_tile(paint)
        tiles = _repeated(tile, box)
        if isinstance(paint, Hatch):
            self._image.paste(paint.pen.color, box, ImageChops.darker(mask, tiles))
        else:
            self._image.paste(tiles, box, mask)

    def text(self, position: Point, text: str, lettering: Lettering) -> None:
        """Draw one line of text; nothing if its letters are far too small or too large to be visible."""
        size = lettering.size * self._factor
        if not text.strip() or not 1 <= size <= 2 * max(self._image.size):
            return
        self._spend(_TEXT + _LETTER * len(text.encode("ascii", "backslashreplace")))  # marks take four times as long
        drawn_size = min(size, _MAX_TYPE_SIZE, math.sqrt(_MAX_BITMAP / len(text)))
        mask, (margin, baseline), length = text_mask(text, drawn_size, bold=lettering.bold)
        scale = size / drawn_size
        cos, sin = math.cos(lettering.angle) * scale, math.sin(lettering.angle) * scale
        right = lettering.stretch * cos, -lettering.stretch * sin
        down = sin - lettering.slant * cos, cos + lettering.slant * sin
        along = margin + length * ALIGNMENTS[lettering.align]
        below = baseline - drawn_size * RISES[lettering.rise]
        x, y = self._device(position)
        origin = x - along * right[0] - below * down[0], y - along * right[1] - below * down[1]
        placed = self._placed(mask, origin, right, down, Image.Resampling.BILINEAR)
        if placed:
            self._image.paste(lettering.color, *placed)

    def cells(self, image: Image.Image, upper_left: Point, upper_right: Point, lower_left: Point) -> None:
        """Draw each pixel of *image* (RGB) as a cell of the parallelogram of the image's corners."""
        (x, y), (right_x, right_y), (down_x, down_y) = map(self._device, (upper_left, upper_right, lower_left))
        width, height = image.size
        right, down = ((right_x - x) / width, (right_y - y) / width), ((down_x - x) / height, (down_y - y) / height)
        placed = self._placed(image, (x, y), right, down, Image.Resampling.NEAREST)
        inside = self._placed(Image.new("L", image.size, 255), (x, y), right, down, Image.Resampling.NEAREST)
        if placed and inside:
            self._image.paste(placed[1], placed[0], inside[1])

    def _device(self, point: Point) -> Point:
        a, b, c, d, e, f = self._transform
        x, y = point
        return a * x + b * y + c, d * x + e * y + f

    def _spend(self, work: int) -> None:
        self._work -= work
        if self._work < 0:
            raise ValueError("the drawing takes too much work")

    def _polygon(self, path: Path, color: Color) -> None:
        outline = [(round(x - 0.5), round(y - 0.5)) for x, y in _cut(path, self._clip)]
        if len(outline) > 1:
            self._spend(_polygon_cost(outline))
            self._draw.polygon(outline, fill=color)

    def _cut_box(self, points: Sequence[Point]) -> _Box:
        """Return the bounding box of *points* in whole pixels, clipped; it may be empty."""
        if not points:
            return 0, 0, 0, 0
        left, top, right, bottom = self._clip
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return (
            math.floor(min(max(min(xs), left), right)),
            math.floor(min(max(min(ys), top), bottom)),
            math.ceil(max(min(max(xs), right), left)),
            math.ceil(max(min(max(ys), bottom), top)),
        )

    def _placed(
        self, image: Image.Image, origin: Point, right: Point, down: Point, resampling: Image.Resampling
    ) -> tuple[_Box, Image.Image] | None:
        """Return the box that *image* covers with its upper left at *origin*, and its pixels; None for an empty box.

        One pixel of the image measures *right* and *down* on the canvas.
        """
        width, height = image.size
        corners = [
            (origin[0] + u * right[0] + v * down[0], origin[1] + u * right[1] + v * down[1])
            for u, v in ((0, 0), (width, 0), (width, height), (0, height))
        ]
        box = self._cut_box(corners)
        extent = box[2] - box[0], box[3] - box[1]
        determinant = right[0] * down[1] - right[1] * down[0]
        if min(extent) <= 0 or determinant == 0:
            return None
        self._spend(_PLACED_PIXEL[resampling] * extent[0] * extent[1])
        a, b = down[1] / determinant, -down[0] / determinant
        d, e = -right[1] / determinant, right[0] / determinant
        x, y = box[0] - origin[0], box[1] - origin[1]
        inverse = (a, b, a * x + b * y, d, e, d * x + e * y)
        return box, image.transform(extent, Image.Transform.AFFINE, inverse, resampling)

    def _hatch_tile(self, hatch: Hatch) -> Image.Image:
        """Return one tile as a mask of the lines, at the large scale."""
        width, height = (max(1, min(round(side * self._factor), 2_000)) for side in hatch.size)
        tile = Image.new("L", (width, height))
        draw = ImageDraw.Draw(tile)
        across, down = width / hatch.size[0], height / hatch.size[1]
        half = max(hatch.pen.width * self._factor / 2 - 0.5, 0.0)
        for line in hatch.lines:
            for left in (-width, 0, width):
                for top in (-height, 0, height):
                    path = [(x * across + left, y * down + top) for x, y in line]
                    for outline in outlines(path, half, hatch.pen, closed=False):
                        draw.polygon([(round(x - 0.5), round(y - 0.5)) for x, y in outline], fill=255)
        return tile

    def _resized_tile(self, tiling: Tiling) -> Image.Image:
        width, height = (max(1, min(round(side * self._factor), 2_000)) for side in tiling.size)
        return tiling.image.resize((width, height), Image.Resampling.NEAREST)


def arc_points(
    center: Point, radius_x: float, radius_y: float, *,
    tilt: float = 0.0, start: float = 0.0, sweep: float = math.tau, tolerance: float,
) -> list[Point]:  # fmt: skip
    """Return points of an elliptic arc, including both ends; `Canvas.tolerance` is a good *tolerance*.

    Angles are in radians, from the x axis towards the y axis; *tilt* rotates the ellipse, *start* and *sweep* are
    measured from its own first axis.
    """
    radius = max(abs(radius_x), abs(radius_y))
    step = math.acos(max(1 - tolerance / radius, 0.0)) * 2 if radius > 0 else math.tau
    steps = max(math.ceil(abs(sweep) / max(step, 0.005)), 8)
    cos, sin = math.cos(tilt), math.sin(tilt)
    points = []
    for index in range(steps + 1):
        angle = start + sweep * index / steps
        u, v = radius_x * math.cos(angle), radius_y * math.sin(angle)
        points.append((center[0] + u * cos - v * sin, center[1] + u * sin + v * cos))
    return points


def _polygon_cost(path: Sequence[tuple[int, int]]) -> int:
    """Return the work of a polygon: Pillow examines every side in every row, and sorts those that cross the row."""
    x0, y0 = path[-1]
    lowest = highest = y0
    area = crossings = 0
    for x, y in path:
        area += x0 * y - x * y0
        crossings += abs(y - y0)
        lowest, highest = min(lowest, y), max(highest, y)
        x0, y0 = x, y
    sides = len(path) * (_CORNER + highest - lowest)
    return _POLYGON + sides + _CROSSING * crossings + _PIXEL * abs(area) // 2


def _repeated(tile: Image.Image, box: _Box) -> Image.Image:
    """Return the part *box* of a plane that *tile* covers repeatedly from the origin."""
    left, top, right, bottom = box
    width, height = tile.size
    x, y = left % width, top % height
    plane = Image.new(tile.mode, (right - left + x, bottom - top + y))
    plane.paste(tile)
    while width < plane.width:  # twice as much each time
        plane.paste(plane.crop((0, 0, width, height)), (width, 0))
        width *= 2
    while height < plane.height:
        plane.paste(plane.crop((0, 0, plane.width, height)), (0, height))
        height *= 2
    return plane.crop((x, y, *plane.size))


def _cut(path: Path, box: _Box) -> Path:
    """Clip the polygon to *box* by the Sutherland-Hodgman algorithm."""
    for axis, sign, limit in ((0, 1, box[0]), (0, -1, -box[2]), (1, 1, box[1]), (1, -1, -box[3])):
        inside = [sign * point[axis] >= limit for point in path]
        if all(inside):
            continue
        kept: list[Point] = []
        for index, point in enumerate(path):
            before = path[index - 1]
            if inside[index] != inside[index - 1]:
                share = (sign * limit - before[axis]) / (point[axis] - before[axis])
                across = before[1 - axis] + share * (point[1 - axis] - before[1 - axis])
                kept.append((sign * limit, across) if axis == 0 else (across, sign * limit))
            if inside[index]:
                kept.append(point)
        path = kept
    return path
