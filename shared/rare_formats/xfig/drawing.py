"""A parsed FIG file: shapes and texts in its own units, independent of the kinds of objects and the version."""

from dataclasses import dataclass

from rare_formats.strokes import Color, Path, Point
from rare_formats.xfig.faces import Face


@dataclass(frozen=True)
class Style:
    """How to draw a shape: the fields that all objects have."""

    line_style: int
    """0 solid, 1 dashed, 2 dotted, 3 to 5 dashes with one to three dots between."""
    thickness: float
    """Width of the line in 1/80 inch; 0 for no line."""
    pen_color: int
    fill_color: int
    depth: int
    area_fill: int
    """-1 for none; 0 to 20 shades, 21 to 40 tints, from 41 on patterns."""
    dash_length: float
    """Length of the dashes or distance of the dots in 1/80 inch."""
    join: int = 0
    cap: int = 0


@dataclass(frozen=True)
class ArrowHead:
    """The head of an arrow."""

    outline: Path
    thickness: float
    """Width of its line in 1/80 inch."""
    filling: Path
    """The part that is filled; it may be empty."""
    is_closed: bool
    is_solid: bool
    """Whether the filling has the color of the line, not white."""


@dataclass(frozen=True)
class Shape:
    """A line or an area, with curves flattened."""

    style: Style
    points: Path
    is_closed: bool
    line: Path
    """The line to draw; it is shorter than the points if it ends in an arrow."""
    heads: tuple[ArrowHead, ...] = ()


@dataclass(frozen=True)
class Text:
    """A line of text."""

    text: str
    depth: int
    color: int
    position: Point
    align: int
    """0 left, 1 centered, 2 right."""
    size: float
    """Type size in FIG units."""
    length: float
    """Length of the text in FIG units."""
    stretch: float
    """Factor by which its letters are widened for that length."""
    angle: float
    """Radians counterclockwise."""
    face: Face


@dataclass(frozen=True)
class Drawing:
    """A FIG file."""

    unit: float
    """1/80 inch, the unit of line widths, in FIG units."""
    point: float
    """1/72 inch in FIG units; in a metric drawing it is not 80/72 of `unit`."""
    objects: list[Shape | Text]
    """In drawing order."""
    colors: dict[int, Color]
    """The colors that the file defines."""
