"""The first image of a GKS metafile: its window, and its primitives in drawing order."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from PIL import Image

from rare_formats.canvas import Affine, Canvas, Hatch, Tiling
from rare_formats.gksm.attributes import HATCH, HOLLOW, PATTERN, SOLID, Attributes
from rare_formats.gksm.drawables import (
    IDENTITY,
    LONG_SIDE,
    Area,
    Cells,
    Drawable,
    Line,
    Markers,
    colored,
    hatch,
    line_pen,
    tiling,
)
from rare_formats.gksm.header import Header
from rare_formats.gksm.items import PRIMITIVES, Item, Kind
from rare_formats.gksm.texts import Text
from rare_formats.strokes import Color

_MAX_ITEMS_BEFORE = 10_000  # of the first primitive
# Radius of a marker of size 1: XGKS counts sizes in pixels, others in multiples of a visible size.
_MARKER, _XGKS_MARKER = 5 / LONG_SIDE, 1 / LONG_SIDE

Rectangle = tuple[float, float, float, float]
"""Left, right, lower and upper side in normalized coordinates, the order of the metafile."""
_UNIT_SQUARE: Rectangle = (0.0, 1.0, 0.0, 1.0)


@dataclass
class _Segment:
    """Primitives that may be moved, hidden and deleted together."""

    transform: Affine = IDENTITY
    visible: bool = True
    priority: float = 0.0


@dataclass(frozen=True)
class _Entry:
    """A primitive with its clipping rectangle and segment."""

    drawable: Drawable
    clip: tuple[float, ...] | None
    segment: _Segment | None


def find_window(items: Iterable[Item]) -> Rectangle:
    """Return the workstation window at the first primitive. Raises ValueError if it is empty."""
    window = _UNIT_SQUARE
    for item in islice(items, _MAX_ITEMS_BEFORE):
        if item.kind in PRIMITIVES:
            break
        if item.kind in (Kind.WORKSTATION_WINDOW, Kind.VARKON_WINDOW):
            left, right, low, high = item.numbers
            if right <= left or high <= low:
                raise ValueError("the window is empty")
            window = left, right, low, high
            if item.kind == Kind.VARKON_WINDOW:  # in units of the model; the longer side becomes 1
                side = max(right - left, high - low)
                window = 0.0, (right - left) / side, 0.0, (high - low) / side
    return window


def window_size(window: Rectangle) -> tuple[int, int]:
    """Return width and height of the image in pixels."""
    left, right, low, high = window
    scale = LONG_SIDE / max(right - left, high - low)
    return max(round((right - left) * scale), 1), max(round((high - low) * scale), 1)


class Drawing:
    """The primitives of the items up to the end of the first image."""

    def __init__(self, header: Header, items: Iterable[Item]) -> None:
        self._header = header
        self._attributes = Attributes()
        if header.is_varkon:
            self._attributes.area.own[0] = SOLID
        self._units = 1.0  # length of the window's longer side in units of Varkon's model
        self._entries: list[_Entry] = []
        self._redrawn = 0  # entries before this one are erased, unless they are in a segment
        self._segments: dict[int, _Segment] = {}
        self._open: _Segment | None = None
        for item in items:
            if item.kind == Kind.CLEAR and self._entries:
                break
            if item.kind in PRIMITIVES:
                self._add(item)
            else:
                self._attributes.change(item)
                self._change_segments(item)
                self._change_as_varkon(item)

    def painted(self, window: Rectangle) -> Image.Image:
        """Return the image of *window*, on white."""
        left, right, low, high = window
        width, height = window_size(window)
        across, down = width / (right - left), height / (high - low)
        canvas = Canvas((width, height), (across, 0, -left * across, 0, -down, high * down))
        for entry in sorted(self._displayed(), key=lambda entry: entry.segment.priority if entry.segment else 0.0):
            if entry.clip:
                canvas.clip((entry.clip[0], entry.clip[2]), (entry.clip[1], entry.clip[3]))
            else:
                canvas.clip()
            entry.drawable.draw(canvas, entry.segment.transform if entry.segment else IDENTITY)
        return canvas.finish()

    def _displayed(self) -> Iterator[_Entry]:
        for index, entry in enumerate(self._entries):
            if entry.segment.visible if entry.segment else index >= self._redrawn:
                yield entry

    def _add(self, item: Item) -> None:
        drawable = self._drawable(item)
        if drawable:
            self._entries.append(_Entry(drawable, self._attributes.clip, self._open))

    def _drawable(self, item: Item) -> Drawable | None:
        now = self._attributes
        if item.kind == Kind.TEXT:
            _, expansion, spacing, index = now.lettering.now
            x, y, _ = item.numbers
            looks = now.path, now.alignment, abs(expansion), spacing, now.color(index)
            return Text((x, y), item.text, now.up, now.base, *looks)
        if item.cells is not None:
            return Cells(colored(item.cells, now.color), np.reshape(item.numbers[:6], (3, 2)))
        if item.points is None or not item.points.size:
            return None
        if item.kind == Kind.POLYLINE:
            kind, width, index = now.line.now
            return Line(item.points, line_pen(kind, width, now.color(index)))
        if item.kind == Kind.POLYMARKER:
            kind, size, index = now.marker.now
            unit = _XGKS_MARKER if self._header.is_xgks else _MARKER
            return Markers(item.points, int(kind), abs(size) * unit, now.color(index))
        interior, style, index = now.area.now
        color = now.color(index)
        return Area(item.points, self._paint(int(interior), style, color), color)

    def _paint(self, interior: int, style: float, color: Color) -> Color | Hatch | Tiling | None:
        """Return the paint of an area, None for a hollow one."""
        if interior == HOLLOW:
            return None
        if interior == HATCH:
            return hatch(style, color)
        pattern = self._attributes.pattern(style)
        if interior == PATTERN and pattern is not None:
            return tiling(pattern, self._attributes.pattern_size)
        return color

    def _change_segments(self, item: Item) -> None:
        kind = item.kind
        if kind == Kind.REDRAW_SEGMENTS:
            self._redrawn = len(self._entries)
        elif kind == Kind.CREATE_SEGMENT:
            self._open = self._segments[int(item.numbers[0])] = _Segment()
        elif kind == Kind.CLOSE_SEGMENT:
            self._open = None
        elif item.numbers and (segment := self._segments.get(int(item.numbers[0]))):
            if kind == Kind.RENAME_SEGMENT:
                self._segments[int(item.numbers[1])] = self._segments.pop(int(item.numbers[0]))
            elif kind == Kind.DELETE_SEGMENT:
                del self._segments[int(item.numbers[0])]
                segment.visible = False
            elif kind == Kind.SEGMENT_TRANSFORMATION:
                _, a, b, c, d, e, f = item.numbers
                segment.transform = a, b, c, d, e, f
            elif kind == Kind.SEGMENT_VISIBILITY:
                segment.visible = item.numbers[1] == 0  # as XGKS writes it
            elif kind == Kind.SEGMENT_PRIORITY:
                segment.priority = item.numbers[1]

    def _change_as_varkon(self, item: Item) -> None:
        if item.kind == Kind.VARKON_PEN:
            color = max(item.numbers[0], 1)  # even the pen with the background's number draws
            self._attributes.line.own[2] = self._attributes.area.own[2] = color
        elif item.kind == Kind.VARKON_WIDTH:
            self._attributes.line.own[1] = max(item.numbers[0] / self._units * LONG_SIDE, 1.0)
        elif item.kind == Kind.VARKON_WINDOW:
            left, right, low, high = item.numbers
            self._units = max(right - left, high - low, 1e-9)
