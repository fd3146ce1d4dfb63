"""Strokes: the polygons that cover a line of some width, with its dashes, joins and caps."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Point = tuple[float, float]
Color = tuple[int, int, int]
Path = Sequence[Point]
Cap = Literal["butt", "round", "projecting"]
Join = Literal["miter", "round", "bevel"]

_MITER_LIMIT = 10.0  # line widths from a corner's inside to its tip, as in PostScript
_MIN_DISTANCE = 1e-6  # pixels between distinct points


@dataclass(frozen=True)
class Pen:
    """How a line is drawn; lengths in pixels of the finished image."""

    color: Color = (0, 0, 0)
    width: float = 1.0
    cap: Cap = "butt"
    join: Join = "miter"
    dashes: tuple[float, ...] = ()
    """Lengths of alternating strokes and gaps, an even number of them; empty for a solid line."""


def distinct(path: Path) -> list[Point]:
    """Remove the points that coincide with the one before them."""
    kept: list[Point] = list(path[:1])
    for x, y in path:
        if abs(x - kept[-1][0]) + abs(y - kept[-1][1]) > _MIN_DISTANCE:
            kept.append((x, y))
    return kept


def length_of(path: Path) -> float:
    """Return the length of a polyline."""
    return sum(math.dist(start, end) for start, end in pairwise(path))


def dashed(path: Path, dashes: Sequence[float]) -> Iterator[list[Point]]:
    """Cut a polyline into dashes; the first one begins at its first point."""
    index, left = 0, dashes[0]
    piece = [path[0]]
    for start, end in pairwise(path):
        length = math.dist(start, end)
        done = 0.0
        while length - done > left:
            done += left
            share = done / length
            at = (start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1]))
            if index % 2 == 0:
                yield [*piece, at]
            piece = [at]
            index = (index + 1) % len(dashes)
            left = dashes[index]
        left -= length - done
        piece.append(end)
    if index % 2 == 0:
        yield piece


def outlines(path: Path, half: float, pen: Pen, *, closed: bool = False) -> Iterator[Path]:
    """Yield polygons that together cover a line of width 2·*half*: its straight pieces, joins and caps.

    A closed path ends at its first point.
    """
    path = distinct(path)
    if len(path) == 1:
        yield from _dot(path[0], half, pen)
        return
    directions = []
    for (x0, y0), (x1, y1) in pairwise(path):
        length = math.hypot(x1 - x0, y1 - y0)
        directions.append(((x1 - x0) / length, (y1 - y0) / length))
    if not closed and pen.cap != "butt":
        yield from _caps(path, directions, half, pen)
    for (x0, y0), (x1, y1), (u, v) in zip(path, path[1:], directions, strict=False):
        a, b = -v * half, u * half
        yield (x0 + a, y0 + b), (x1 + a, y1 + b), (x1 - a, y1 - b), (x0 - a, y0 - b)
    corners = zip(path[1:], directions, directions[1:] + directions[:1] if closed else directions[1:], strict=False)
    for corner, before, after in corners:
        yield from _join(corner, before, after, half, pen)


def disc(center: Point, radius: float) -> Path:
    """Return a circle as a polygon; good for some hundred pixels."""
    x, y = center
    count = max(8, min(math.ceil(4 * math.sqrt(radius)), 128))
    angles = [math.tau * index / count for index in range(count)]
    return [(x + radius * math.cos(angle), y + radius * math.sin(angle)) for angle in angles]


def _dot(center: Point, half: float, pen: Pen) -> Iterator[Path]:
    x, y = center
    if pen.cap == "round":
        yield disc(center, half)
    elif pen.cap == "projecting":
        yield (x - half, y - half), (x + half, y - half), (x + half, y + half), (x - half, y + half)


def _caps(path: Path, directions: Sequence[Point], half: float, pen: Pen) -> Iterator[Path]:
    (u0, v0), (u1, v1) = directions[0], directions[-1]
    for (x, y), (u, v) in ((path[0], (-u0, -v0)), (path[-1], (u1, v1))):
        if pen.cap == "round":
            yield disc((x, y), half)
        else:
            a, b, c, d = -v * half, u * half, u * half, v * half
            yield (x + a, y + b), (x + a + c, y + b + d), (x - a + c, y - b + d), (x - a, y - b)


def _join(corner: Point, before: Point, after: Point, half: float, pen: Pen) -> Iterator[Path]:
    """Yield the polygon that closes the notch on the outside of a corner, unless it is invisibly small."""
    (u0, v0), (u1, v1) = before, after
    turn, along = u0 * v1 - v0 * u1, u0 * u1 + v0 * v1
    if abs(turn) * half < 0.5 and along > 0:  # noqa: PLR2004 -- half a pixel
        return
    if pen.join == "round":
        yield disc(corner, half)
        return
    x, y = corner
    out = -half if turn > 0 else half
    first, last = (x - v0 * out, y + u0 * out), (x - v1 * out, y + u1 * out)
    # A miter is 1 / sin(half of the angle between the lines) line widths long.
    squared_sine = (1 + along) / 2
    if pen.join == "miter" and squared_sine * _MITER_LIMIT**2 > 1:
        a, b = (first[0] + last[0]) / 2 - x, (first[1] + last[1]) / 2 - y
        yield corner, first, (x + a / squared_sine, y + b / squared_sine), last
    else:
        yield corner, first, last
