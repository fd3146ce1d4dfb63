"""FIG files for tests: headers of all versions and objects by their fields."""

from collections.abc import Sequence

Points = Sequence[tuple[float, float]]


def fig(*objects: str, units: str = "Inches", resolution: int = 1200) -> bytes:
    """Return a file of version 3.2."""
    header = f"#FIG 3.2  Produced by a test\nLandscape\nCenter\n{units}\nLetter\n100.00\nSingle\n-2\n{resolution} 2\n"
    return (header + "".join(objects)).encode("latin-1")


def fig_31(*objects: str) -> bytes:
    """Return a file of version 3.1, which has a shorter header."""
    return ("#FIG 3.1\nLandscape\nCenter\nInches\n1200 2\n" + "".join(objects)).encode("latin-1")


def fig_30(*objects: str) -> bytes:
    """Return a file of version 3.0."""
    return ("#FIG 3.0\nPortrait\nInches\n80 2\n" + "".join(objects)).encode("latin-1")


def fig_21(*objects: str) -> bytes:
    """Return a file of version 2.1, in pixels of 1/80 inch."""
    return ("#FIG 2.1\n80 2\n" + "".join(objects)).encode("latin-1")


def style(
    *, line: int = 0, width: int = 1, pen: int = 0, fill: int = 7, depth: int = 50, area: int = -1, dash: float = 4.0
) -> str:
    """Return the common fields of objects since version 3.0; *width* and *dash* in 1/80 inch."""
    return f"{line} {width} {pen} {fill} {depth} -1 {area} {dash:.3f}"


def _list(points: Points) -> str:
    return "\t" + " ".join(f"{x} {y}" for x, y in points) + "\n"


def polyline(
    points: Points, common: str, *, kind: int = 1, join: int = 0, cap: int = 0, radius: int = -1,
    forward: str = "", backward: str = "", image: str = "",
) -> str:  # fmt: skip
    """Return a line (*kind* 1), box (2), polygon (3), box with round corners (4) or image (5)."""
    head = f"2 {kind} {common} {join} {cap} {radius} {int(bool(forward))} {int(bool(backward))} {len(points)}\n"
    return head + forward + backward + image + _list(points)


def box(left: float, top: float, right: float, bottom: float, common: str) -> str:
    """Return a box."""
    corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]
    return polyline(corners, common, kind=2)


def arrow(kind: int, form: int = 0, *, width: float = 120, length: float = 200, thickness: float = 1) -> str:
    """Return the line that describes an arrow; extents in FIG units."""
    return f"\t{kind} {form} {thickness:.2f} {width:.2f} {length:.2f}\n"


def ellipse(x: float, y: float, radius_x: float, radius_y: float, common: str, *, angle: float = 0.0) -> str:
    """Return an ellipse; *angle* in radians counterclockwise."""
    return f"1 1 {common} 1 {angle:.4f} {x} {y} {radius_x} {radius_y} {x} {y} {x + radius_x} {y + radius_y}\n"


def arc(
    center: tuple[float, float], points: Points, common: str, *, kind: int = 1, direction: int = 0, cap: int = 0,
    forward: str = "", backward: str = "",
) -> str:  # fmt: skip
    """Return an arc through three points, open (*kind* 1) or a wedge (2), clockwise (*direction* 0) or not."""
    through = " ".join(f"{x} {y}" for x, y in points)
    ends = f"{int(bool(forward))} {int(bool(backward))}"
    return f"5 {kind} {common} {cap} {direction} {ends} {center[0]} {center[1]} {through}\n{forward}{backward}"


def spline(
    points: Points, common: str, *, kind: int, controls: str, cap: int = 0, forward: str = "", backward: str = ""
) -> str:
    """Return a spline; *controls* are its shape factors, or the control points of an older one."""
    ends = f"{int(bool(forward))} {int(bool(backward))}"
    return f"3 {kind} {common} {cap} {ends} {len(points)}\n{forward}{backward}{_list(points)}{controls}"


def text(
    x: float, y: float, letters: str, *, align: int = 0, color: int = 0, depth: int = 50, font: int = 16,
    size: float = 12, angle: float = 0.0, length: float = 0.0,
) -> str:  # fmt: skip
    """Return a text in a PostScript font; *letters* as stored, *length* in FIG units."""
    return f"4 {align} {color} {depth} -1 {font} {size} {angle:.4f} 4 {size * 14} {length} {x} {y} {letters}\\001\n"
