"""The items of a GKS metafile and their contents.

Sources: annex E of ISO 7942 (1985), XGKS (gksm.c) and Varkon (wpplot.c). The kind of an item determines its fields,
and counts in it the lengths of lists: the length that is stored with an item is often wrong.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from rare_formats.gksm.fields import Array, BinaryFields, Fields, TextFields
from rare_formats.gksm.header import Header

_MAX_ITEMS = 1_000_000


class Kind(IntEnum):
    """Kinds of items by their numbers in the standard; from 101 on they are private."""

    END = 0
    CLEAR = 1
    REDRAW_SEGMENTS = 2
    POLYLINE = 11
    POLYMARKER = 12
    TEXT = 13
    FILL_AREA = 14
    CELL_ARRAY = 15
    LINE_INDEX = 21
    LINE_TYPE = 22
    LINE_WIDTH = 23
    LINE_COLOR = 24
    MARKER_INDEX = 25
    MARKER_TYPE = 26
    MARKER_SIZE = 27
    MARKER_COLOR = 28
    TEXT_INDEX = 29
    TEXT_FONT = 30
    TEXT_EXPANSION = 31
    TEXT_SPACING = 32
    TEXT_COLOR = 33
    CHARACTER_VECTORS = 34
    TEXT_PATH = 35
    TEXT_ALIGNMENT = 36
    FILL_INDEX = 37
    FILL_INTERIOR = 38
    FILL_STYLE = 39
    FILL_COLOR = 40
    PATTERN_SIZE = 41
    PATTERN_REFERENCE = 42
    ASPECT_SOURCES = 43
    LINE_REPRESENTATION = 51
    MARKER_REPRESENTATION = 52
    TEXT_REPRESENTATION = 53
    FILL_REPRESENTATION = 54
    PATTERN_REPRESENTATION = 55
    COLOR_REPRESENTATION = 56
    CLIPPING_RECTANGLE = 61
    WORKSTATION_WINDOW = 71
    CREATE_SEGMENT = 81
    CLOSE_SEGMENT = 82
    RENAME_SEGMENT = 83
    DELETE_SEGMENT = 84
    SEGMENT_TRANSFORMATION = 91
    SEGMENT_VISIBILITY = 92
    SEGMENT_PRIORITY = 94
    VARKON_PEN = 173
    VARKON_WIDTH = 174
    VARKON_WINDOW = 175


PRIMITIVES = range(Kind.POLYLINE, Kind.CELL_ARRAY + 1)
"""The kinds that draw."""

# The numbers of each kind in their order: i is an integer, r a real.
_FORMS = {
    kind: form
    for form, kinds in {
        "": (Kind.END, Kind.REDRAW_SEGMENTS, Kind.CLOSE_SEGMENT),
        "i": (
            Kind.CLEAR, Kind.POLYLINE, Kind.POLYMARKER, Kind.FILL_AREA, Kind.LINE_INDEX, Kind.LINE_TYPE,
            Kind.LINE_COLOR, Kind.MARKER_INDEX, Kind.MARKER_TYPE, Kind.MARKER_COLOR, Kind.TEXT_INDEX,
            Kind.TEXT_COLOR, Kind.TEXT_PATH, Kind.FILL_INDEX, Kind.FILL_INTERIOR, Kind.FILL_STYLE, Kind.FILL_COLOR,
            Kind.CREATE_SEGMENT, Kind.DELETE_SEGMENT, Kind.VARKON_PEN,
        ),
        "ii": (Kind.TEXT_FONT, Kind.TEXT_ALIGNMENT, Kind.RENAME_SEGMENT, Kind.SEGMENT_VISIBILITY),
        "iii": (Kind.PATTERN_REPRESENTATION,),
        "iiii": (Kind.FILL_REPRESENTATION,),
        "i" * 13: (Kind.ASPECT_SOURCES,),
        "iiirri": (Kind.TEXT_REPRESENTATION,),
        "iiri": (Kind.LINE_REPRESENTATION, Kind.MARKER_REPRESENTATION),
        "ir": (Kind.SEGMENT_PRIORITY,),
        "irrr": (Kind.COLOR_REPRESENTATION,),
        "irrrrrr": (Kind.SEGMENT_TRANSFORMATION,),
        "r": (Kind.LINE_WIDTH, Kind.MARKER_SIZE, Kind.TEXT_EXPANSION, Kind.TEXT_SPACING, Kind.VARKON_WIDTH),
        "rr": (Kind.PATTERN_REFERENCE,),
        "rri": (Kind.TEXT,),
        "rrrr": (
            Kind.CHARACTER_VECTORS, Kind.PATTERN_SIZE, Kind.CLIPPING_RECTANGLE, Kind.WORKSTATION_WINDOW,
            Kind.VARKON_WINDOW,
        ),
        "rrrrrrii": (Kind.CELL_ARRAY,),
    }.items()
    for kind in kinds
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """An item of a known kind."""

    kind: int
    numbers: tuple[float, ...]
    """The numbers before the list, if any."""
    points: Array | None = None
    """The points of a line, of markers or of an area: pairs of reals."""
    cells: Array | None = None
    """The color indices of a cell array or of a pattern: rows of integers."""
    text: str = ""


def read_items(data: bytes, header: Header) -> Iterator[Item]:
    """Yield the items up to the end of the metafile or of *data*. Raises ValueError if one is broken."""
    fields: Fields = BinaryFields(data, header) if header.is_binary else TextFields(data, header)
    for _ in range(_MAX_ITEMS):
        beginning = fields.begin_item()
        if beginning is None:
            return
        kind, length = beginning
        is_private = kind > 100 and not header.is_varkon  # noqa: PLR2004 -- the bound of the standard
        if kind not in _FORMS or is_private:
            fields.end_item(length)
            continue
        yield _item(kind, fields)
        if kind == Kind.END:
            return
        fields.end_item(None)
    raise ValueError("too many items")


def _item(kind: int, fields: Fields) -> Item:
    numbers = fields.numbers(_FORMS[Kind(kind)])
    if kind in (Kind.POLYLINE, Kind.POLYMARKER, Kind.FILL_AREA):
        return Item(kind, numbers, points=fields.reals(2 * int(numbers[0])).reshape(-1, 2))
    if kind in (Kind.CELL_ARRAY, Kind.PATTERN_REPRESENTATION):
        columns, rows = map(int, numbers[-2:])
        if min(columns, rows) < 1:
            raise ValueError("an array is empty")
        return Item(kind, numbers, cells=fields.integers(columns * rows).reshape(rows, columns))
    if kind == Kind.TEXT:
        return Item(kind, numbers, text=fields.characters(int(numbers[2])))
    return Item(kind, numbers)
