"""The heads of arrows, types 0 to 14, and the part of the line that they replace. Shapes follow fig2dev."""

import math
from dataclasses import dataclass

from rare_formats.canvas import arc_points
from rare_formats.strokes import Path, Point
from rare_formats.xfig.drawing import ArrowHead

_CIRCLE, _HALF_CIRCLE = 5, 6


@dataclass(frozen=True)
class Arrow:
    """An arrow as stored in a FIG file."""

    type: int
    style: int
    """1 for a filled head; some types have another shape then."""
    thickness: float
    """1/80 inch."""
    width: float
    length: float


@dataclass(frozen=True)
class _Form:
    """A head that points to the right, with its tip at 0: x in multiples of the length, y of the width."""

    outline: Path
    sharpness: float = 0.0
    """How far a thick line makes the tip protrude: lengths a width; 0 for a blunt head, -1 for not at all."""
    hidden: float = 0.5
    """The part of the line that it replaces, in multiples of the length."""
    is_closed: bool = True
    filling: Path | None = None
    """The part that is filled; None for all of it."""
    is_half: bool = False
    """Whether it is on one side of the line, flush with the other one."""


_STICK = _Form(((-1, -0.5), (0, 0), (-1, 0.5)), 2.15, 0.0, is_closed=False, filling=())
_TRIANGLE = _Form(((-1, 0.5), (0, 0), (-1, -0.5)), 2.1)
_INDENTED = _Form(((-1.25, 0.5), (0, 0), (-1.25, -0.5), (-1, 0)), 2.6)
_POINTED = _Form(((-0.75, 0.5), (0, 0), (-0.75, -0.5), (-1, 0)), 1.5)
_DIAMOND = _Form(((-0.5, 0.5), (0, 0), (-0.5, -0.5), (-1, 0)), 1.15)
_SQUARE = _Form(((-1, 0.5), (0, 0.5), (0, -0.5), (-1, -0.5)))
_REVERSED = _Form(((0, 0.5), (0, -0.5), (-1, 0)))
_TOP_FILLED = _Form(_INDENTED.outline, 2.6, filling=((-1.25, -0.5), (0, 0), (-1, 0)))
_BOTTOM_FILLED = _Form(_INDENTED.outline, 2.6, filling=((-1.25, 0.5), (0, 0), (-1, 0)))
_HALF_TRIANGLE = _Form(((-1, 0.5), (0, 0), (-1, 0)), 2.5, is_half=True)
_HALF_INDENTED = _Form(((-1.25, 0.5), (0, 0), (-1, 0)), 3.5, is_half=True)
_HALF_POINTED = _Form(((-0.75, 0.5), (0, 0), (-1, 0)), 2.5, is_half=True)
_WYE = _Form(((0, -0.5), (-1, 0), (0, 0.5)), -1, 1.0, is_closed=False, filling=())
_BAR = _Form(((0, -0.5), (0, 0.5)), 0.0, 0.0, is_closed=False, filling=())
_FORK = _Form(((0, -0.5), (-1, -0.5), (-1, 0.5), (0, 0.5)), -1, 1.0, is_closed=False, filling=())
_BACKWARD_FORK = _Form(((-1, -0.5), (0, -0.5), (0, 0.5), (-1, 0.5)), 0.0, 0.0, is_closed=False, filling=())

_FORMS = {
    0: (_STICK, _STICK), 1: (_TRIANGLE, _TRIANGLE), 2: (_INDENTED, _INDENTED), 3: (_POINTED, _POINTED),
    4: (_DIAMOND, _DIAMOND), 7: (_SQUARE, _SQUARE), 8: (_REVERSED, _REVERSED), 9: (_TOP_FILLED, _BOTTOM_FILLED),
    10: (_HALF_TRIANGLE, _HALF_TRIANGLE), 11: (_HALF_INDENTED, _HALF_INDENTED), 12: (_HALF_POINTED, _HALF_POINTED),
    13: (_WYE, _BAR), 14: (_FORK, _BACKWARD_FORK),
}  # fmt: skip
"""Type to the forms of style 0 and 1."""


def with_head(
    line: Path, arrow: Arrow, *, thickness: float, curved: bool, unit: float
) -> tuple[Path, ArrowHead | None]:
    """Return the *line* shortened for a head at its last point, and the head; None if the line has no direction.

    *thickness* is that of the line in *unit*, 1/80 inch. If the line is *curved*, its direction is taken over the
    length of the head, not from the last two points.
    """
    x, y = tip = line[-1]
    back = _point_before_end(line, arrow.length) if curved else next((p for p in reversed(line) if p != tip), tip)
    distance = math.dist(tip, back)
    if distance == 0:
        return line, None
    cos, sin = (x - back[0]) / distance, (y - back[1]) / distance
    form = _form(arrow)
    stroke = drawn_width(arrow.thickness) * unit
    overhang = 0.0
    if form.sharpness > 0 and arrow.width:
        overhang = stroke * math.hypot(1, form.sharpness * arrow.length / arrow.width) / 2
    elif form.sharpness == 0:
        overhang = stroke / 2

    shift = (drawn_width(thickness) * unit - stroke) / 2 if form.is_half else 0.0

    def placed(path: Path) -> Path:
        steps = [(u * arrow.length - overhang, v * arrow.width - shift) for u, v in path]
        return [(x + u * cos - v * sin, y + u * sin + v * cos) for u, v in steps]

    outline = placed(form.outline)
    filling = outline if form.filling is None else placed(form.filling)
    is_solid = bool(arrow.style) or form.filling is not None
    head = ArrowHead(outline, arrow.thickness, filling, form.is_closed, is_solid)
    return _cut_off(line, overhang + form.hidden * arrow.length), head


def drawn_width(thickness: float) -> float:
    """Return the width at which fig2dev draws a line: a little less than its thickness, both in 1/80 inch."""
    return thickness / 2 if thickness <= 1 else thickness - 1


def _form(arrow: Arrow) -> _Form:
    round_width = arrow.length / arrow.width if arrow.width else 1.0  # circles are as wide as they are long
    if arrow.type in (_CIRCLE, _HALF_CIRCLE):
        is_half = arrow.type == _HALF_CIRCLE
        start, sweep = (math.pi / 2, math.pi) if is_half else (0.0, math.tau)
        center = (0.0, 0.0) if is_half else (-0.5, 0.0)
        outline = arc_points(center, 0.5, round_width / 2, start=start, sweep=sweep, tolerance=0.001)
        return _Form(outline, -1.0 if is_half else 0.0, is_closed=not is_half)
    return _FORMS.get(arrow.type, _FORMS[0])[1 if arrow.style else 0]


def _point_before_end(line: Path, distance: float) -> Point:
    return _cut_off(line, distance)[-1]


def _cut_off(line: Path, distance: float) -> Path:
    """Remove a length of *distance* from the end of the line; at least two points remain."""
    end = len(line) - 1
    while end > 0:
        length = math.dist(line[end - 1], line[end])
        if length > distance:
            share = distance / length
            (x0, y0), (x1, y1) = line[end - 1], line[end]
            return [*line[:end], (x1 + share * (x0 - x1), y1 + share * (y0 - y1))]
        distance -= length
        end -= 1
    return [line[0], line[0]]
