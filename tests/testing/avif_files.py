"""AVIF containers, written by hand around an image that Pillow has encoded."""

import struct
from collections.abc import Sequence

from PIL import Image

from imageconverter.engine.isobmff import Box, find, walk
from tests.testing.image_files import avif

_IMAGE, _EXTRA = 1, 2  # items


def container(
    image: Image.Image,
    properties: Sequence[bytes] = (),
    *,
    item: tuple[bytes, bytes] | None = None,
    separate: bool = False,
    brands: bytes = b"avifmif1miaf",
    groups: bytes = b"",
) -> bytes:
    """Make an AVIF of *image* with further *properties*, which are essential.

    *item* is the type and the content of a second item. With *separate*, each item has a box of associations.
    """
    stored = avif(image=image)
    own = [stored[box.begin - 8 : box.end] for box in _properties(stored)]
    mdat = find(stored, b"mdat")
    assert mdat is not None
    items = [(b"av01", stored[mdat.begin : mdat.end]), *([item] if item else [])]
    numbers = [
        *range(1, len(own) + 1),
        *(0x80 | number for number in range(len(own) + 1, len(own) + len(properties) + 1)),
    ]
    associations = [_association(_IMAGE, numbers), *([_association(_EXTRA, [1])] if item else [])]
    ipma = [[each] for each in associations] if separate else [associations]
    boxes = b"".join(_box(b"ipma", struct.pack(">II", 0, len(each)) + b"".join(each)) for each in ipma)
    iprp = _box(b"iprp", _box(b"ipco", b"".join([*own, *properties])) + boxes)
    infos = [
        _box(b"infe", struct.pack(">IHH4sB", 2 << 24, number, 0, kind, 0))
        for number, (kind, _) in enumerate(items, 1)
    ]
    iinf = _box(b"iinf", struct.pack(">IH", 0, len(infos)) + b"".join(infos))
    head = _box(b"hdlr", struct.pack(">II4s12xB", 0, 0, b"pict", 0)) + _box(b"pitm", struct.pack(">IH", 0, _IMAGE))
    if item and item[0] == b"Exif":
        groups += _box(b"iref", bytes(4) + _box(b"cdsc", struct.pack(">HHH", _EXTRA, 1, _IMAGE)))
    ftyp = _box(b"ftyp", b"avif\0\0\0\0" + brands)

    def meta(offset: int) -> bytes:
        locations = b""
        for number, (_, content) in enumerate(items, 1):
            locations += struct.pack(">HHHII", number, 0, 1, offset, len(content))
            offset += len(content)
        iloc = _box(b"iloc", struct.pack(">IHH", 0, 0x4400, len(items)) + locations)
        return _box(b"meta", bytes(4) + head + iloc + iinf + iprp + groups)

    start = len(ftyp) + len(meta(0)) + 8
    return ftyp + meta(start) + _box(b"mdat", b"".join(content for _, content in items))


def clap(width: tuple[int, int], height: tuple[int, int], right: tuple[int, int], down: tuple[int, int]) -> bytes:
    """Make the property of a clean aperture: its sides, and how far its center is from that of the image."""
    return _box(b"clap", struct.pack(">IIIIiIiI", *width, *height, *right, *down))


def irot(quarters: int) -> bytes:
    """Make the property of a rotation by *quarters*, against the clock."""
    return _box(b"irot", bytes([quarters]))


def _association(item: int, numbers: Sequence[int]) -> bytes:
    return struct.pack(">HB", item, len(numbers)) + bytes(numbers)


def _properties(stored: bytes) -> list[Box]:
    ipco = find(stored, b"meta", b"iprp", b"ipco")
    assert ipco is not None
    return [box for box in walk(stored, ipco.begin, ipco.end) if box.kind in (b"ispe", b"pixi", b"av1C", b"colr")]


def _box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", len(content) + 8, kind) + content
