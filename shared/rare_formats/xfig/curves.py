"""The curves of FIG files as polylines: arcs, boxes with round corners, and four kinds of splines.

X-splines follow C. Blanc and C. Schlick, X-Splines: A Spline Model Designed for the End User, SIGGRAPH 1995.
"""

import math
from collections.abc import Sequence
from itertools import pairwise

from rare_formats.canvas import arc_points
from rare_formats.strokes import Path, Point, length_of

MIN_STEPS = 4
"""Minimum number of segments between two points of a spline."""
_MAX_STEPS = 40
_MAX_PIECES = 100_000  # of a spline


def circular_arc(center: Point, start: Point, end: Point, *, clockwise: bool, tolerance: float) -> list[Point]:
    """Return an arc from *start* towards *end*, *clockwise* with y downwards."""
    first = math.atan2(start[1] - center[1], start[0] - center[0])
    last = math.atan2(end[1] - center[1], end[0] - center[0])
    sweep = (last - first) % math.tau if clockwise else -((first - last) % math.tau)
    radius = math.dist(center, start)
    return arc_points(center, radius, radius, start=first, sweep=sweep, tolerance=tolerance)


def round_box(points: Path, radius: float, *, tolerance: float) -> list[Point]:
    """Return the box around *points* with its corners rounded."""
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    radius = max(min(radius, (right - left) / 2, (bottom - top) / 2), 0.0)
    outline: list[Point] = []
    corners = ((left, top, 1, 1), (right, top, -1, 1), (right, bottom, -1, -1), (left, bottom, 1, -1))
    for turn, (x, y, right_of, below) in enumerate(corners):
        center = x + right_of * radius, y + below * radius
        start = math.pi + turn * math.pi / 2
        outline += arc_points(center, radius, radius, start=start, sweep=math.pi / 2, tolerance=tolerance)
    return outline


def approximated_spline(points: Path, *, closed: bool, tolerance: float) -> list[Point]:
    """Return the quadratic B-spline of the control *points*: it touches the midpoints between them."""
    if closed and points[0] != points[-1]:
        points = [*points, points[0]]
    middles = [((x0 + x1) / 2, (y0 + y1) / 2) for (x0, y0), (x1, y1) in pairwise(points)]
    if closed:
        middles.append(middles[0])
        controls = points[1:]
    else:
        controls = points[1:-1]
    curve = [] if closed else [points[0]]
    for start, control, end in zip(middles, controls, middles[1:], strict=False):
        (x0, y0), (x1, y1), (x2, y2) = start, control, end
        steps = _steps((start, control, end), tolerance, len(points))
        for t in (index / steps for index in range(steps)):
            a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t * t
            curve.append((a * x0 + b * x1 + c * x2, a * y0 + b * y1 + c * y2))
    curve.append(middles[-1])
    if not closed:
        curve.append(points[-1])
    return curve


def interpolated_spline(points: Path, controls: Sequence[Sequence[float]], *, tolerance: float) -> list[Point]:
    """Return the Bézier curves through *points*; the control points of each are left x, y and right x, y."""
    curve = [points[0]]
    for index in range(len(points) - 1):
        (x0, y0), (x3, y3) = points[index], points[index + 1]
        x1, y1 = controls[index][2:]
        x2, y2 = controls[index + 1][:2]
        steps = _steps(((x0, y0), (x1, y1), (x2, y2), (x3, y3)), tolerance, len(points))
        for t in ((index + 1) / steps for index in range(steps)):
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            curve.append((a * x0 + b * x1 + c * x2 + d * x3, a * y0 + b * y1 + c * y2 + d * y3))
    return curve


def x_spline(points: Path, shapes: Sequence[float], *, closed: bool, tolerance: float) -> list[Point]:
    """Return the X-spline of the control *points*; *shapes* are from -1 (through the point) to 1 (past it)."""
    count = len(points)
    if count < 3:  # noqa: PLR2004 -- a straight line
        return list(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        near = [
            (index + offset) % count if closed else min(max(index + offset, 0), count - 1) for offset in range(-1, 3)
        ]
        corners = [points[each] for each in near]
        before, after = shapes[near[1]], shapes[near[2]]
        steps = _steps(corners[1:3], tolerance, count)
        for t in (step / steps for step in range(steps)):
            weights = _weights(t, before, after)
            total = sum(weights)
            x = sum(weight * corner[0] for weight, corner in zip(weights, corners, strict=True)) / total
            y = sum(weight * corner[1] for weight, corner in zip(weights, corners, strict=True)) / total
            curve.append((x, y))
    if not closed:
        curve.append(points[-1])
    return curve


def _weights(t: float, before: float, after: float) -> tuple[float, float, float, float]:
    """Return the weights of four control points at *t* between the second and the third one, given their shapes."""
    if before < 0:
        first, third = _h(-t, -before), _g(t, -before)
    else:
        first, third = (_f(t - before, -1 - before) if t < before else 0.0), _f(t + before, 1 + before)
    if after < 0:
        second, fourth = _g(1 - t, -after), _h(t - 1, -after)
    else:
        second = _f(t - 1 - after, -1 - after)
        fourth = _f(t - 1 + after, 1 + after) if t > 1 - after else 0.0
    return first, second, third, fourth


def _f(numerator: float, denominator: float) -> float:
    u, p = numerator / denominator, 2 * denominator * denominator
    return u**3 * (10 - p + (2 * p - 15) * u + (6 - p) * u * u)


def _g(u: float, q: float) -> float:
    return u * (q + u * (2 * q + u * (8 - 12 * q + u * (14 * q - 11 + u * (4 - 5 * q)))))


def _h(u: float, q: float) -> float:
    return u * (q + u * (2 * q + u * u * (-2 * q - u * q)))


def _steps(corners: Path, tolerance: float, count: int) -> int:
    """Return the number of segments for a curve near these *corners*, one of *count* in a spline."""
    wanted = math.ceil(math.sqrt(length_of(corners) / tolerance))
    return max(MIN_STEPS, min(wanted, _MAX_STEPS, _MAX_PIECES // count))
