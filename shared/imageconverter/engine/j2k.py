"""What the main header of a JPEG 2000 code stream says (ISO/IEC 15444-1, annex A)."""

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from imageconverter.engine.geometry import Size

START = b"\xff\x4f\xff\x51"
"""The first two markers."""

Area = tuple[int, int, int, int]
"""Left, top, right, bottom."""

_MAX_SEGMENTS = 1000
_MAX_TILE_PARTS = 100_000
_SIZE, _CODING, _COMPONENT_CODING, _TILE_PART, _FIRST_MARKER = 0xFF51, 0xFF52, 0xFF53, 0xFF90, 0xFF00
_IMAGE = struct.Struct(">HHIIIIIIIIH")
_TILE_PART_START = b"\xff\x90\0\x0a"
_LEVELS_AT, _COMPONENT_LEVELS_AT = 7, 4
_MAX_LEVELS = 32
_MAX_CODINGS = 16
_WIDE = 257  # from so many components on their numbers take two bytes


class Component(NamedTuple):
    """A component of the code stream."""

    bits: int
    is_signed: bool
    dx: int
    """How many columns of the reference grid there are for each of its samples."""
    dy: int


class Coding(NamedTuple):
    """How components are divided: of all of them, or of one."""

    levels: int
    """How often the resolution can be halved."""
    block: tuple[int, int] = (64, 64)
    """Width and height of a code block."""
    precincts: bytes = b""
    """The exponents of the widths (low four bits) and heights of the precincts, from the coarsest resolution on."""

    def precinct(self, resolution: int) -> tuple[int, int]:
        """Return width and height of the precincts of a *resolution*."""
        sizes = self.precincts[resolution] if resolution < len(self.precincts) else 0xFF
        return 1 << (sizes & 15), 1 << (sizes >> 4)


@dataclass(frozen=True)
class Codestream:
    """What the main header says."""

    area: Area
    """The image on the reference grid."""
    tiles: int
    components: tuple[Component, ...]
    codings: tuple[Coding, ...]
    """Of the main header."""

    @property
    def levels(self) -> int:
        """How often the resolution of all components can be halved."""
        return min((each.levels for each in self.codings), default=0)

    @property
    def precincts(self) -> int:
        """The number of the precincts, each of which takes at least a byte of the file; at the finest division."""
        return self._count(lambda precinct, _: precinct)

    @property
    def blocks(self) -> int:
        """The number of the code blocks at the finest division."""
        return self._count(lambda precinct, block: (min(precinct[0], block[0]), min(precinct[1], block[1])))

    def _count(self, part: Callable[[tuple[int, int], tuple[int, int]], tuple[int, int]]) -> int:
        """Count parts of the resolutions of all components; a part has a size by the precinct and the block."""
        counts = [0]
        for coding in self.codings:
            total = 0
            for component in self.components:
                for resolution in range(coding.levels + 1):
                    step = component.dx, component.dy
                    left, top, right, bottom = scaled(self.area, step, coding.levels - resolution)
                    width, height = part(coding.precinct(resolution), coding.block)
                    total += -(-(right - left) // width) * -(-(bottom - top) // height)
            counts.append(total)
        return max(counts)

    @property
    def step(self) -> tuple[int, int]:
        """The distances of the pixels on the reference grid: those of the finest component."""
        return min(each.dx for each in self.components), min(each.dy for each in self.components)

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        left, top, right, bottom = scaled(self.area, self.step)
        return right - left, bottom - top


def scaled(area: Area, step: tuple[int, int], reduction: int = 0) -> Area:
    """Return an *area* of the reference grid in samples that are *step* apart, at 1/2^*reduction* of the scale."""
    left, top, right, bottom = area
    dx, dy = (each << reduction for each in step)
    return -(-left // dx), -(-top // dy), -(-right // dx), -(-bottom // dy)


def parse(head: bytes) -> Codestream | None:
    """Read the main header at the begin of *head*; None if it is broken."""
    if not head.startswith(START):
        return None
    image = b""
    codings = []
    components = 0
    for marker, content in _segments(head):
        if marker == _SIZE and not image:
            image = content
            components = int.from_bytes(content[_IMAGE.size - 2 : _IMAGE.size], "big")
        elif marker == _CODING and len(content) > _LEVELS_AT:
            codings.append(_coding(content[2], content[_LEVELS_AT:]))
        elif marker == _COMPONENT_CODING and len(content) > _COMPONENT_LEVELS_AT + 1:
            at = _COMPONENT_LEVELS_AT + (components >= _WIDE)
            codings.append(_coding(content[at - 1], content[at:]))
    return _codestream(image, tuple(codings[:_MAX_CODINGS]))


def end_of_tiles(data: bytes, start: int) -> int:
    """Return where the last tile part that begins in *data* ends; that may be after the end of it.

    The code stream begins at *start*. A tile part that does not say its length ends with the data.
    """
    at = data.find(_TILE_PART_START, start)
    for _ in range(_MAX_TILE_PARTS):
        if at < 0 or data[at : at + 4] != _TILE_PART_START:
            break
        length = int.from_bytes(data[at + 6 : at + 10], "big")
        if at + 10 > len(data) or length == 0:
            break
        at += length
    return max(at, len(data))


def _segments(head: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker segments, each with its length, up to the first tile."""
    at = 2
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(head):
            break
        marker, length = struct.unpack_from(">HH", head, at)
        if marker < _FIRST_MARKER or marker == _TILE_PART:
            break
        yield marker, head[at + 2 : at + 2 + length]
        at += 2 + length


def _coding(style: int, content: bytes) -> Coding:
    """Read the parameters of COD and COC (tables A.15 and A.20), which begin with the number of levels."""
    levels, width, height, _, _, *precincts = content.ljust(5, b"\0")
    levels = min(levels, _MAX_LEVELS)
    return Coding(levels, (4 << (width & 15), 4 << (height & 15)), bytes(precincts) if style & 1 else b"")


def _codestream(image: bytes, codings: tuple[Coding, ...]) -> Codestream | None:
    if len(image) < _IMAGE.size:
        return None
    _, _, right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, count = _IMAGE.unpack_from(image)
    fields = image[_IMAGE.size : _IMAGE.size + 3 * count]
    components = tuple(
        Component((depth & 0x7F) + 1, bool(depth & 0x80), dx, dy)
        for depth, dx, dy in zip(fields[::3], fields[1::3], fields[2::3], strict=False)
    )
    is_sound = components and all(each.dx and each.dy for each in components)
    if not is_sound or not tile_width or not tile_height or left >= right or top >= bottom:
        return None
    across, down = -(-(right - tile_left) // tile_width), -(-(bottom - tile_top) // tile_height)
    return Codestream((left, top, right, bottom), across * down, components, codings)
