"""What to do about boxes of an AVIF: its clean aperture, and what libavif refuses but browsers do not mind.

ISO/IEC 14496-12 (clean aperture), ISO/IEC 23008-12 (items and their properties).
"""

import struct
from collections.abc import Sequence
from fractions import Fraction

from imageconverter.engine.isobmff import Box, associations, find, walk

_FULL_BOX_BYTES = 4  # version and flags
_APERTURE = struct.Struct(">IIIIiIiI")
# Items and boxes without which the image is the same: EXIF, XMP, a gain map, groups of items.
_ANCILLARY_ITEMS, _GROUPS = (b"Exif", b"mime", b"tmap"), b"grpl"
_UNKNOWN = b"free"
_BRANDS = b"tmap", b"mif1"

Rectangle = tuple[int, int, int, int]
"""Left, top, right and bottom in pixels."""


def clean_aperture(data: bytes, properties: Sequence[Box], size: tuple[int, int]) -> Rectangle | None:
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
    for number, box in enumerate(associations(data)):
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
