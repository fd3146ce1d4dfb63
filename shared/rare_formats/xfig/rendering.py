"""Rendering of drawings: their size at 100 pixels an inch, and their objects, the deepest first."""

import math

from PIL import Image

from rare_formats.canvas import Canvas
from rare_formats.lettering import ALIGNMENTS, CAP_HEIGHT, DESCENT, Alignment, Lettering
from rare_formats.strokes import Cap, Join, Pen, Point
from rare_formats.xfig.arrows import drawn_width
from rare_formats.xfig.drawing import ArrowHead, Drawing, Shape, Style, Text
from rare_formats.xfig.fills import color_of, paint_of

_PIXELS_AN_INCH = 100.0
_MAX_SIDE = 4096
_MARGIN = 3  # pixels around the drawing
_CAPS: dict[int, Cap] = {1: "round", 2: "projecting"}
_JOINS: dict[int, Join] = {1: "round", 2: "bevel"}
_ALIGNMENTS: dict[int, Alignment] = {1: "center", 2: "right"}
_SLANT = 0.25
_MIN_LINE_WIDTH = 1.0  # pixels, as in PostScript interpreters


class Rendering:
    """The rendering of a drawing."""

    def __init__(self, drawing: Drawing) -> None:
        """Determine the size of *drawing*."""
        self._drawing = drawing
        left, top, right, bottom = _bounds(drawing)
        room = _MAX_SIDE - 2 * _MARGIN
        self._scale = min(_PIXELS_AN_INCH / 72 / drawing.point, room / max(right - left, bottom - top, 1e-9))
        self._corner = left, top
        self._unit = self._scale * drawing.unit
        sides = (math.ceil(side * self._scale) + 2 * _MARGIN for side in (right - left, bottom - top))
        width, height = (max(1, min(side, _MAX_SIDE)) for side in sides)
        self.size = width, height

    def image(self) -> Image.Image:
        """Return the image, of mode RGB. Raises ValueError if it takes too much work."""
        scale, (left, top) = self._scale, self._corner
        canvas = Canvas(self.size, (scale, 0, _MARGIN - left * scale, 0, scale, _MARGIN - top * scale))
        for item in self._drawing.objects:
            if isinstance(item, Text):
                self._draw_text(canvas, item)
            else:
                self._draw_shape(canvas, item)
        return canvas.finish()

    def _draw_shape(self, canvas: Canvas, shape: Shape) -> None:
        style, colors = shape.style, self._drawing.colors
        if style.area_fill >= 0 and len(shape.points) > 1:
            canvas.fill(shape.points, paint_of(style, colors, unit=self._unit))
        if style.thickness > 0:
            is_closed = shape.is_closed or shape.line[0] == shape.line[-1]
            canvas.stroke(shape.line, self._pen(style, is_dot=len(shape.points) == 1), closed=is_closed)
        for head in shape.heads:
            self._draw_head(canvas, head, style)

    def _draw_head(self, canvas: Canvas, head: ArrowHead, style: Style) -> None:
        color = color_of(style.pen_color, self._drawing.colors)
        if head.filling:
            canvas.fill(head.filling, color if head.is_solid else (255, 255, 255))
        width = max(drawn_width(head.thickness) * self._unit, _MIN_LINE_WIDTH)
        canvas.stroke(head.outline, Pen(color, width), closed=head.is_closed)

    def _draw_text(self, canvas: Canvas, text: Text) -> None:
        lettering = Lettering(
            color=color_of(text.color, self._drawing.colors),
            size=text.size * self._scale,
            angle=text.angle,
            align=_ALIGNMENTS.get(text.align, "left"),
            stretch=text.stretch,
            slant=_SLANT if text.face.is_slanted else 0.0,
            bold=text.face.is_bold,
        )
        canvas.text(text.position, text.text, lettering)

    def _pen(self, style: Style, *, is_dot: bool) -> Pen:
        cap = _CAPS.get(style.cap, "butt")
        if is_dot and cap == "butt":  # a butt cap would draw nothing
            cap = "projecting"
        return Pen(
            color_of(style.pen_color, self._drawing.colors),
            max(drawn_width(style.thickness) * self._unit, _MIN_LINE_WIDTH),
            cap,
            _JOINS.get(style.join, "miter"),
            tuple(length * self._unit for length in _dashes(style)),
        )


def _dashes(style: Style) -> tuple[float, ...]:
    """Return strokes and gaps in 1/80 inch; none for a solid line."""
    length = style.dash_length
    if length <= 0:
        return ()
    return {
        1: (length, length),
        2: (1.0, length),
        3: (length, length * 0.5, 1.0, length * 0.5),
        4: (length, length * 0.45, 1.0, length * 0.333, 1.0, length * 0.45),
        5: (length, length * 0.4, 1.0, length * 0.3, 1.0, length * 0.3, 1.0, length * 0.4),
    }.get(style.line_style, ())


def _text_corners(text: Text) -> list[Point]:
    start = -text.length * ALIGNMENTS[_ALIGNMENTS.get(text.align, "left")]
    cos, sin = math.cos(text.angle), math.sin(text.angle)
    (x, y), above, below = text.position, CAP_HEIGHT * text.size, DESCENT * text.size
    offsets = [(u, v) for u in (start, start + text.length) for v in (-above, below)]
    return [(x + u * cos + v * sin, y - u * sin + v * cos) for u, v in offsets]


def _bounds(drawing: Drawing) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of all objects, in FIG units."""
    corners: list[Point] = []
    for item in drawing.objects:
        if isinstance(item, Text):
            corners += _text_corners(item)
            continue
        margin = 0.71 * item.style.thickness * drawing.unit  # as for a square corner
        for path in (item.points, *(head.outline for head in item.heads)):
            xs, ys = [x for x, _ in path], [y for _, y in path]
            corners += (min(xs) - margin, min(ys) - margin), (max(xs) + margin, max(ys) + margin)
    if not corners:
        raise ValueError("the drawing is empty")
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)
