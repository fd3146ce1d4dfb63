"""How areas are filled: colors by number, their shades and tints, and patterns with fig2dev's sizes."""

import math
from collections.abc import Mapping

from rare_formats.canvas import Hatch, arc_points
from rare_formats.strokes import Color, Path, Pen, Point
from rare_formats.xfig.drawing import Style

_STANDARD_COLORS = bytes.fromhex(
    "000000 0000ff 00ff00 00ffff ff0000 ff00ff ffff00 ffffff 000090 0000b0 0000d0 87ceff 009000 00b000 00d000 009090"
    "00b0b0 00d0d0 900000 b00000 d00000 900090 b000b0 d000d0 803000 a04000 c06000 ff8080 ffa0a0 ffc0c0 ffe0e0 ffd700"
)
_FULL = 20  # the shade that is the color itself; tints above it are lighter
_FIRST_PATTERN = 41


def color_of(number: int, colors: Mapping[int, Color]) -> Color:
    """Return the color of a number; black for the default and for undefined ones."""
    if 0 <= number < len(_STANDARD_COLORS) // 3:
        red, green, blue = _STANDARD_COLORS[3 * number : 3 * number + 3]
        return red, green, blue
    return colors.get(number, (0, 0, 0))


def paint_of(style: Style, colors: Mapping[int, Color], *, unit: float) -> Color | Hatch:
    """Return the paint of an area; *unit* is 1/80 inch in pixels of the image."""
    color, area_fill = color_of(style.fill_color, colors), style.area_fill
    if area_fill >= _FIRST_PATTERN:
        size, width, lines = _PATTERNS[min(area_fill - _FIRST_PATTERN, len(_PATTERNS) - 1)]
        scaled = tuple(tuple((x * unit, y * unit) for x, y in line) for line in lines)
        pen = Pen(color_of(style.pen_color, colors), width * unit)
        return Hatch(pen, (size[0] * unit, size[1] * unit), scaled, background=color)
    if style.fill_color <= 0:  # black, whose shade 0 is white
        gray = max(round(255 * (1 - area_fill / _FULL)), 0)
        return gray, gray, gray
    if area_fill <= _FULL:
        return _mixed(color, (0, 0, 0), area_fill / _FULL)
    return _mixed((255, 255, 255), color, area_fill / _FULL - 1)


def _mixed(color: Color, other: Color, share: float) -> Color:
    red, green, blue = (round(share * a + (1 - share) * b) for a, b in zip(color, other, strict=True))
    return red, green, blue


def _arc(center: Point, radius: float, start: float, end: float) -> Path:
    """Return an arc between two angles in degrees, clockwise."""
    start, sweep = math.radians(start), math.radians(end - start)
    return arc_points(center, radius, radius, start=start, sweep=sweep, tolerance=0.05)


_OCTAGON = ((5, 0), (11, 0), (16, 5), (16, 11), (11, 16), (5, 16), (0, 11), (0, 5), (5, 0))
_HEXAGON = ((0, 8), (4, 0), (13, 0), (17, 8), (13, 16), (4, 16), (0, 8))
_ROWS = (((0, 0), (24, 0)), ((0, 8), (24, 8)), ((0, 16), (24, 16)))
_COLUMNS = (((0, 0), (0, 24)), ((8, 0), (8, 24)), ((16, 0), (16, 24)))

_PATTERNS: tuple[tuple[Point, float, tuple[Path, ...]], ...] = (
    ((8, 4), 0.7, (((0, 0), (8, 4)),)),  # 30 degrees, left
    ((8, 4), 0.7, (((0, 4), (8, 0)),)),  # right
    ((8, 4), 0.7, (((0, 0), (8, 4)), ((0, 4), (8, 0)))),  # both
    ((8, 8), 1.0, (((0, 0), (8, 8)),)),  # 45 degrees, left
    ((8, 8), 1.0, (((0, 8), (8, 0)),)),  # right
    ((8, 8), 1.0, (((0, 0), (8, 8)), ((0, 8), (8, 0)))),  # both
    ((16, 16), 1.0, (((0, 0), (16, 0)), ((0, 8), (16, 8)), ((0, 0), (0, 8)), ((8, 8), (8, 16)))),  # bricks
    ((16, 16), 1.0, (((0, 0), (0, 16)), ((8, 0), (8, 16)), ((0, 0), (8, 0)), ((8, 8), (16, 8)))),  # upright
    ((4, 4), 1.0, (((0, 2), (4, 2)),)),  # horizontal lines
    ((4, 4), 1.0, (((2, 0), (2, 4)),)),  # vertical lines
    ((4, 4), 1.0, (((0, 2), (4, 2)), ((2, 0), (2, 4)))),  # both
    ((24, 24), 1.0, (*_ROWS, ((2, 16), (6, 8)), ((10, 24), (14, 16)), ((18, 8), (22, 0)))),  # shingles
    ((24, 24), 1.0, (*_ROWS, ((2, 0), (6, 8)), ((14, 24), (10, 16)), ((18, 8), (22, 16)))),  # skewed to the left
    ((24, 24), 1.0, (*_COLUMNS, ((24, 22), (16, 18)), ((0, 10), (8, 14)), ((16, 6), (8, 2)))),  # upright
    ((24, 24), 1.0, (*_COLUMNS, ((8, 22), (16, 18)), ((0, 14), (8, 10)), ((16, 6), (24, 2)))),  # skewed upwards
    ((16, 8), 0.7, (_arc((0, -8), 11, 43, 137), _arc((8, -4), 11, 43, 137))),  # fish scales
    ((8, 8), 0.7, (_arc((0, 0), 4, 0, 180), _arc((4, 4), 4, 0, 180))),  # small ones
    ((16, 16), 0.7, (_arc((8, 8), 8, 0, 360),)),  # circles
    ((26, 16), 0.7, (_HEXAGON, ((17, 8), (26, 8)))),  # hexagons
    ((16, 16), 0.8, (_OCTAGON,)),  # octagons
    ((8, 8), 0.8, (((0, 0), (4, 4), (8, 0)),)),  # horizontal saw teeth
    ((8, 8), 0.8, (((0, 0), (4, 4), (0, 8)),)),  # vertical ones
)
"""Patterns 41 to 62: width and height of the tile, width of the lines, and the lines, in 1/80 inch."""
