"""The header of a TGA (Truevision TGA File Format Specification 2.0, 1991)."""

import struct
from dataclasses import dataclass

HEADER = struct.Struct("<BBBHHBHHHHBB")
INDEXED, COLOR, GRAY = 1, 2, 3
"""Kinds; run-length encoded ones are 8 more."""

_PACKED = 8
_DEPTHS = {INDEXED: (8, 16), COLOR: (15, 16, 24, 32), GRAY: (8, 16)}
_MAP_BITS = (15, 16, 24, 32)
_ALPHA, _FROM_RIGHT, _FROM_ABOVE, _INTERLEAVED = 0xF, 0x10, 0x20, 0xC0
_MAX_ALPHA_BITS = 8


@dataclass(frozen=True)
class Header:
    """The fields of a header."""

    kind: int
    is_packed: bool
    first_color: int
    """The index of the map's first color."""
    colors: int
    """In the map."""
    map_bits: int
    """Of a color in the map."""
    width: int
    height: int
    depth: int
    """Bits of a pixel."""
    alpha_bits: int
    """Of a pixel, as the header has it."""
    from_right: bool
    """Whether rows begin at the right."""
    from_above: bool
    """Whether the first row is the uppermost."""
    map: int
    """Offset of the map."""

    @property
    def pixels(self) -> int:
        """Offset of the pixels."""
        return self.map + self.colors * ((self.map_bits + 7) // 8)


def read(head: bytes) -> Header | None:
    """Read the header at the start of a file; None if its fields are inconsistent: TGA has no magic number."""
    if len(head) < HEADER.size:
        return None
    (identifier, has_map, kind, first, colors, map_bits, _, _, width, height, depth, flags) = HEADER.unpack_from(head)
    is_packed, kind = bool(kind & _PACKED), kind & ~_PACKED
    fits = depth in _DEPTHS.get(kind, ()) and width > 0 and height > 0
    fits = fits and not flags & _INTERLEAVED and flags & _ALPHA <= _MAX_ALPHA_BITS
    if has_map == 1:
        fits = fits and map_bits in _MAP_BITS and colors > 0 and first + colors <= 1 << 16
    else:
        fits = fits and not has_map and kind != INDEXED and not (first or colors) and map_bits in (0, *_MAP_BITS)
    if not fits:
        return None
    alpha, right, above = flags & _ALPHA, bool(flags & _FROM_RIGHT), bool(flags & _FROM_ABOVE)
    start = HEADER.size + identifier
    return Header(kind, is_packed, first, colors, map_bits, width, height, depth, alpha, right, above, start)
