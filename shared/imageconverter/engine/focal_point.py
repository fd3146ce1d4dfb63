"""Points of an image in shares of its width and height, as it is stored, turned and cut."""

from PIL.Image import Transpose

from imageconverter.engine.geometry import Region, Size
from imageconverter.engine.target import Point

_SWAPPING = (Transpose.TRANSPOSE, Transpose.TRANSVERSE, Transpose.ROTATE_90, Transpose.ROTATE_270)
_FROM_THE_RIGHT = (Transpose.FLIP_LEFT_RIGHT, Transpose.ROTATE_180, Transpose.TRANSVERSE, Transpose.ROTATE_270)
_FROM_THE_BOTTOM = (Transpose.FLIP_TOP_BOTTOM, Transpose.ROTATE_180, Transpose.TRANSVERSE, Transpose.ROTATE_90)
_OPPOSITE = {Transpose.ROTATE_90: Transpose.ROTATE_270, Transpose.ROTATE_270: Transpose.ROTATE_90}


def turned(point: Point, turn: Transpose | None) -> Point:
    """Return where *point* is after Pillow's `transpose` by *turn*."""
    if turn is None:
        return point
    x, y = point[::-1] if turn in _SWAPPING else point
    return 1 - x if turn in _FROM_THE_RIGHT else x, 1 - y if turn in _FROM_THE_BOTTOM else y


def turned_back(point: Point, turn: Transpose | None) -> Point:
    """Return where *point* was before."""
    return turned(point, _OPPOSITE.get(turn, turn) if turn is not None else None)


def inside(point: Point, size: Size, box: Region) -> Point:
    """Return where *point* of an image of *size* is in the *box* that is cut out of it, or the nearest one there."""
    left, top, right, bottom = box
    x, y = (point[0] * size[0] - left) / (right - left), (point[1] * size[1] - top) / (bottom - top)
    return min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)
