"""Boxes of an AVIF: the properties of its image, and how to repair what libavif refuses but browsers do not mind.

ISO/IEC 14496-12 (boxes, clean aperture), ISO/IEC 23008-12 (items and their properties).
"""

import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

_MAX_BOXES = 4096  # within another
_FULL_BOX_BYTES = 4  # version and flags
_APERTURE = struct.Struct(">IIIIiIiI")
_SAMPLE_ENTRY_BYTES = 78  # before the boxes of an entry for video
# Items and boxes without which the image is the same: EXIF, XMP, a gain map, groups of items.
_ANCILLARY_ITEMS, _GROUPS = (b"Exif", b"mime", b"tmap"), b"grpl"
_UNKNOWN = b"free"
_BRANDS = b"tmap", b"mif1"

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


class Box(NamedTuple):
    """A box, and where its content is in the file."""

    kind: bytes
    begin: int
    end: int


def walk(data: bytes, begin: int, end: int) -> Iterator[Box]:
    """Yield the boxes between two offsets, up to the first broken one."""
    for _ in range(_MAX_BOXES):
        if begin + 8 > end:
            return
        length, kind = struct.unpack_from(">I4s", data, begin)
        head = 8
        if length == 1 and begin + 16 <= end:
            (length,), head = struct.unpack_from(">Q", data, begin + 8), 16
        length = length or end - begin
        if length < head:
            return
        yield Box(kind, begin + head, min(begin + length, end))
        begin += length


def find(data: bytes, *path: bytes) -> Box | None:
    """Return the box that is found at *path*; `meta` and what it contains have a version and flags."""
    found: Box | None = Box(b"", 0, len(data))
    for kind in path:
        if found is None:
            return None
        skipped = _FULL_BOX_BYTES if found.kind == b"meta" else 8 if found.kind == b"stsd" else 0
        found = next((box for box in walk(data, found.begin + skipped, found.end) if box.kind == kind), None)
    return found


def image_properties(data: bytes) -> list[Box]:
    """Return the properties of the primary item."""
    primary, container = find(data, b"meta", b"pitm"), find(data, b"meta", b"iprp", b"ipco")
    if primary is None or container is None:
        return []
    item = int.from_bytes(data[primary.begin + 4 : primary.end], "big")
    properties = list(walk(data, container.begin, container.end))
    numbers = (number for box in _associations(data) for number in _numbers(data, box, item))
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def track_properties(data: bytes) -> list[Box]:
    """Return the boxes that describe the first track."""
    entry = find(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"av01")
    return list(walk(data, entry.begin + _SAMPLE_ENTRY_BYTES, entry.end)) if entry is not None else []


def clean_aperture(data: bytes, properties: list[Box], size: tuple[int, int]) -> Rectangle | None:
    """Return the part of an image of *size* that is to be shown; None if that is all, or not valid."""
    box = next((box for box in properties if box.kind == b"clap"), None)
    if box is None or box.end - box.begin < _APERTURE.size:
        return None
    numbers = _APERTURE.unpack_from(data, box.begin)
    if 0 in numbers[1::2]:
        return None
    width, height, right, down = (Fraction(numbers[at], numbers[at + 1]) for at in range(0, 8, 2))
    left = right + Fraction(size[0] - 1, 2) - (width - 1) / 2
    top = down + Fraction(size[1] - 1, 2) - (height - 1) / 2
    sides = (left, top, left + width, top + height)
    if any(side.denominator != 1 for side in sides):
        return None
    x, y, end_x, end_y = map(int, sides)
    is_valid = 0 <= x < end_x <= size[0] and 0 <= y < end_y <= size[1]
    return (x, y, end_x, end_y) if is_valid and (x, y, end_x, end_y) != (0, 0, *size) else None


def repaired(data: bytes) -> bytes:
    """Return *data* with different flags for each box `ipma`: some programs write one for each item."""
    changed = bytearray(data)
    for number, box in enumerate(_associations(data)):
        if number and box.end - box.begin > _FULL_BOX_BYTES:
            changed[box.begin + 2] |= number & 0xFF  # flags without a meaning
    return bytes(changed)


def without_ancillary(data: bytes) -> bytes:
    """Return *data* with other names for the items and boxes that the image does not need."""
    changed = bytearray(data)
    items = find(data, b"meta", b"iinf")
    if items is not None:
        count = 2 if data[items.begin] == 0 else 4
        for box in walk(data, items.begin + _FULL_BOX_BYTES + count, items.end):
            at = box.begin + _FULL_BOX_BYTES + (6 if data[box.begin] > 2 else 4)  # noqa: PLR2004 - version
            if data[at : at + 4] in _ANCILLARY_ITEMS:
                changed[at : at + 4] = _UNKNOWN
    brands = find(data, b"ftyp")
    if brands is not None:  # that of a gain map promises one
        changed[brands.begin : brands.end] = data[brands.begin : brands.end].replace(*_BRANDS)
    groups = find(data, b"meta", _GROUPS)
    if groups is not None:
        changed[groups.begin - 4 : groups.begin] = _UNKNOWN
    return bytes(changed)


def _associations(data: bytes) -> list[Box]:
    container = find(data, b"meta", b"iprp")
    boxes = walk(data, container.begin, container.end) if container is not None else ()
    return [box for box in boxes if box.kind == b"ipma"]


def _numbers(data: bytes, box: Box, item: int) -> list[int]:
    """Return the numbers of the properties that a box `ipma` gives to *item*."""
    id_bytes, index_bytes = 2 if data[box.begin] == 0 else 4, 1 + (data[box.begin + 3] & 1)
    at = box.begin + 8
    while at + id_bytes < box.end:
        found, count = int.from_bytes(data[at : at + id_bytes], "big"), data[at + id_bytes]
        at += id_bytes + 1
        end = at + count * index_bytes
        if found == item:
            essential = 1 << 8 * index_bytes - 1
            starts = range(at, min(end, box.end), index_bytes)
            return [int.from_bytes(data[start : start + index_bytes], "big") & ~essential for start in starts]
        at = end
    return []
