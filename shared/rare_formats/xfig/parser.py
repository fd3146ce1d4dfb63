"""Reading FIG files of the versions 1.4 to 3.2 into drawings. Fields follow xfig's FORMAT3.2 and FORMAT2.1."""

import re
from collections.abc import Sequence
from dataclasses import replace
from operator import itemgetter

from rare_formats.canvas import arc_points
from rare_formats.lettering import text_length
from rare_formats.strokes import Color, Path
from rare_formats.xfig import curves
from rare_formats.xfig.arrows import Arrow, with_head
from rare_formats.xfig.drawing import ArrowHead, Drawing, Shape, Style, Text
from rare_formats.xfig.faces import latex_face, postscript_face
from rare_formats.xfig.scanner import Scanner

_MAX_POINTS = 1_000_000
_POINTS_OF_AN_OBJECT, _POINTS_OF_A_TEXT = 8, 50  # their cost in addition to their points
_MAX_HEADER_LINES = 20
_MAX_RESOLUTION = 1e6
_VERSION = re.compile(r"#FIG\s*(\d)\.(\d)")
_RESOLUTION = re.compile(r"\s*(\d+(?:\.\d+)?)\s+[0-9-]")
_COLOR = re.compile(r"\s*(\d+)\s+#([0-9a-fA-F]{6})")
# xfig uses 450 units for a centimeter, which has 472; texts are not scaled accordingly.
_METRIC_SHARE = 0.762 / 0.8
_END_OF_POINTS = 9999
_TOLERANCE = 0.08  # of curves, in 1/80 inch: a tenth of a pixel

_COLOR_DEFINITION, _ELLIPSE, _POLYLINE, _SPLINE, _TEXT, _ARC, _COMPOUND, _END_OF_COMPOUND = *range(7), -6
_BOX, _POLYGON, _ARC_BOX, _IMPORTED_IMAGE = 2, 3, 4, 5
_CLOSED_SPLINES, _INTERPOLATED_SPLINES = (1, 3, 5), (2, 3)
_OPEN_ARC = 1
# Drawing order at one depth: first the compounds within a compound, then its own objects by kind.
_RANKS = {_ARC: 0, _ELLIPSE: 1, _POLYLINE: 2, _SPLINE: 2, _TEXT: 3}
_POSTSCRIPT_FONT, _HIDDEN = 4, 8  # bits of a text's flags


def parse(data: bytes) -> Drawing:
    """Return the drawing of a FIG file, its objects in drawing order.

    Raises ValueError if the file is broken or has too many points.
    """
    return _Parser(data.decode("latin-1").replace("\r\n", "\n").replace("\r", "\n")).drawing()


class _Parser:
    def __init__(self, text: str) -> None:
        version = _VERSION.match(text)
        if version is None:
            raise ValueError("not a FIG file")
        self._version = int(version[1]), int(version[2])
        if self._version == (2, 2):  # a development version of 3.0
            self._version = 3, 0
        self._scanner = Scanner(text)
        self._unit, self._point = self._header()
        self._tolerance = self._unit * _TOLERANCE
        self._points_left = _MAX_POINTS

    def _header(self) -> tuple[float, float]:
        """Return the units of line widths (1/80 inch) and of type sizes (1/72 inch) in units of coordinates."""
        is_metric = False
        for _ in range(_MAX_HEADER_LINES):
            line = self._scanner.line()
            found = _RESOLUTION.match(line)
            if found:
                resolution = float(found[1])
                if not 1 <= resolution <= _MAX_RESOLUTION:
                    break
                return resolution / 80, resolution / 72 * (_METRIC_SHARE if is_metric else 1)
            is_metric |= line.lower().startswith("metric")
        raise ValueError("the drawing has no resolution")

    def drawing(self) -> Drawing:
        scanner = self._scanner
        colors: dict[int, Color] = {}
        finished: list[Shape | Text] = []
        open_groups: list[list[tuple[int, Shape | Text]]] = [[]]
        while not scanner.is_at_end:
            kind = scanner.integer()
            if kind == _COLOR_DEFINITION:
                found = _COLOR.match(scanner.line())
                if found:
                    red, green, blue = bytes.fromhex(found[2])
                    colors[int(found[1])] = red, green, blue
            elif kind == _COMPOUND:
                scanner.numbers(4)  # its corners
                open_groups.append([])
            elif kind == _END_OF_COMPOUND:
                finished += _in_order(open_groups.pop()) if len(open_groups) > 1 else []
            else:
                item = self._object(kind)
                open_groups[-1] += [(_RANKS[kind], item)] if item else []
            scanner.skip_line()
            self._count(_POINTS_OF_AN_OBJECT)
        while open_groups:
            finished += _in_order(open_groups.pop())
        return Drawing(self._unit, self._point, sorted(finished, key=_depth, reverse=True), colors)

    def _object(self, kind: int) -> Shape | Text | None:
        if kind == _ELLIPSE:
            return self._ellipse()
        if kind == _POLYLINE:
            return self._polyline()
        if kind == _SPLINE:
            return self._spline()
        if kind == _TEXT:
            return self._text()
        if kind == _ARC:
            return self._arc()
        raise ValueError(f"the drawing has an object of the unknown kind {kind}")

    def _count(self, points: int) -> None:
        self._points_left -= points
        if self._points_left < 0:
            raise ValueError("the drawing has too many points")

    def _style(self) -> Style:
        numbers = self._scanner.numbers(8 if self._version >= (3, 0) else 7)
        line_style, thickness, pen_color = int(numbers[0]), numbers[1], int(numbers[2])
        depth, _, area_fill, dash_length = numbers[-4:]
        fill = int(area_fill)
        if self._version < (2, 0) and fill >= 1:  # 1 black to 5 white
            fill = 20 - (fill - 1) * 5
        elif self._version < (3, 0):
            fill -= 1
        fill_color = int(numbers[3]) if self._version >= (3, 0) else pen_color
        return Style(line_style, max(thickness, 0), pen_color, fill_color, int(depth), fill, dash_length)

    def _ellipse(self) -> Shape:
        scanner = self._scanner
        scanner.number()
        style = self._style()
        _, angle, x, y, radius_x, radius_y, *_ = scanner.numbers(10)
        points = arc_points((x, y), radius_x, radius_y, tilt=-angle, tolerance=self._tolerance)
        return self._shape(style, points, is_closed=True)

    def _arc(self) -> Shape:
        scanner = self._scanner
        kind = scanner.integer()
        style = self._style()
        cap = scanner.integer() if self._version >= (3, 0) else 0
        direction, forward, backward = (scanner.integer() for _ in range(3))
        x, y, x1, y1, _, _, x3, y3 = scanner.numbers(8)
        arrows = self._arrows(forward, backward)
        is_clockwise = direction == 0
        points = curves.circular_arc((x, y), (x1, y1), (x3, y3), clockwise=is_clockwise, tolerance=self._tolerance)
        style = replace(style, cap=cap)
        if kind == _OPEN_ARC or self._version < (3, 0):
            return self._shape(style, points, arrows=arrows, curved=True)
        return self._shape(style, [*points, (x, y)], is_closed=True)

    def _polyline(self) -> Shape:
        scanner = self._scanner
        kind = scanner.integer()
        style = self._style()
        radius = 0.0
        count = None
        if self._version >= (3, 0):
            join, cap, radius, forward, backward, count = scanner.numbers(6)
            style = replace(style, cap=int(cap), join=int(join))
        else:
            if self._version >= (2, 1) or (self._version >= (2, 0) and kind == _ARC_BOX):
                radius = scanner.number()
            forward, backward = scanner.numbers(2)
        arrows = self._arrows(forward, backward)
        if kind == _IMPORTED_IMAGE:  # it refers to a file, which is not opened: only its frame is drawn
            scanner.line()
            style = Style(0, 1, 0, 0, style.depth, -1, 0)
        points = self._points(count)
        if kind == _ARC_BOX:
            points = curves.round_box(points, radius * self._unit, tolerance=self._tolerance)
        if kind in (_BOX, _POLYGON, _ARC_BOX, _IMPORTED_IMAGE):
            return self._shape(style, points, is_closed=True)
        return self._shape(style, points, arrows=arrows)

    def _spline(self) -> Shape:
        scanner = self._scanner
        kind = scanner.integer()
        style = self._style()
        count = None
        if self._version >= (3, 0):
            cap, forward, backward, count = scanner.numbers(4)
            style = replace(style, cap=int(cap))
        else:
            forward, backward = scanner.numbers(2)
        arrows = self._arrows(forward, backward)
        points = self._points(count)
        self._count(len(points) * curves.MIN_STEPS)
        is_closed = kind in _CLOSED_SPLINES
        if self._version >= (3, 2):
            factors = [max(-1.0, min(scanner.number(), 1.0)) for _ in points]
            points = curves.x_spline(points, factors, closed=is_closed, tolerance=self._tolerance)
        elif kind in _INTERPOLATED_SPLINES:
            controls = [scanner.numbers(4) for _ in points]
            points = curves.interpolated_spline(points, controls, tolerance=self._tolerance)
        else:
            points = curves.approximated_spline(points, closed=is_closed, tolerance=self._tolerance)
        return self._shape(style, points, is_closed=is_closed, arrows=() if is_closed else arrows, curved=True)

    def _text(self) -> Text | None:
        scanner = self._scanner
        numbers = scanner.numbers(12)
        if self._version >= (3, 0):
            align, color, depth, _, font, size, angle, flags, _, length, x, y = numbers
        else:
            align, font, size, _, color, depth, angle, flags, _, length, x, y = numbers
        text = scanner.text(escaped=self._version >= (3, 0))
        if int(flags) > 0 and int(flags) & _HIDDEN:
            return None
        is_postscript = bool(int(flags) & _POSTSCRIPT_FONT) or self._version < (2, 1)
        face = (postscript_face if is_postscript else latex_face)(int(font))
        size = max(size, 0) * self._point
        natural = text_length(text, size)
        stretch = face.stretch_to(length, natural)
        self._count(_POINTS_OF_A_TEXT + len(text))
        return Text(
            text=text,
            depth=int(depth),
            color=int(color),
            position=(x, y),
            align=int(align),
            size=size,
            length=natural * stretch,
            stretch=stretch,
            angle=angle,
            face=face,
        )

    def _arrows(self, forward: float, backward: float) -> tuple[Arrow | None, Arrow | None]:
        return self._arrow() if forward else None, self._arrow() if backward else None

    def _arrow(self) -> Arrow:
        kind, style, thickness, width, length = self._scanner.numbers(5)
        if self._version < (3, 0):
            kind, style = 0, 0
        return Arrow(int(kind), int(style), max(thickness, 0), abs(width), abs(length))

    def _points(self, count: float | None) -> list[tuple[float, float]]:
        """Read *count* points, or, in older files without a count, all points up to the end mark."""
        scanner = self._scanner
        points: list[tuple[float, float]] = []
        if count is not None and not 1 <= count <= scanner.words_left:
            raise ValueError("the drawing ends too early")
        while count is None or len(points) < count:
            x, y = scanner.number(), scanner.number()
            if count is None and x == _END_OF_POINTS:
                break
            points.append((x, y))
            self._count(1)
        if not points:
            raise ValueError("a line has no points")
        return points

    def _shape(
        self,
        style: Style,
        points: Path,
        *,
        is_closed: bool = False,
        arrows: Sequence[Arrow | None] = (),
        curved: bool = False,
    ) -> Shape:
        """Return a shape with arrows, the forward one first, at the ends of its line."""
        self._count(len(points))
        line = points
        heads: list[ArrowHead] = []
        for arrow in arrows:
            if arrow and style.thickness > 0:
                line, head = with_head(line, arrow, thickness=style.thickness, curved=curved, unit=self._unit)
                heads += [head] if head else []
            line = line[::-1]
        return Shape(style, points, is_closed, line, tuple(heads))


def _in_order(group: list[tuple[int, Shape | Text]]) -> list[Shape | Text]:
    return [item for _, item in sorted(group, key=itemgetter(0))]


def _depth(item: Shape | Text) -> int:
    return item.depth if isinstance(item, Text) else item.style.depth
