"""What an AVIF or HEIC file says about its colors: the boxes `colr` and `clli` of the primary image.

ISO/IEC 14496-12 (boxes), ISO/IEC 23008-12 (items and their properties), ISO/IEC 23000-22 (MIAF). Pillow's reader of
AVIF gives the ICC profile, but not the numbers of ITU-T H.273, called nclx.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import IO

from imageconverter.engine.color.statements import CodePoints, Statements

Box = tuple[bytes, memoryview]

_MAX_BOXES = 64  # at the top of the file
_MAX_CHILDREN, _MAX_ITEMS = 4096, 65_536
_MAX_BYTES = 4 * 1024 * 1024  # of the box with the items, or with the tracks
_AV1_DEPTHS = (8, 8, 10, 12)  # by the flags high_bitdepth and twelve_bit
_TO_SAMPLES = (b"mdia", b"minf", b"stbl", b"stsd")
_SAMPLE_ENTRY_BYTES = 78  # before the boxes of an entry for video (ISO/IEC 14496-12, section 12.1.3)


def read_isobmff(source: IO[bytes]) -> Statements:
    """Read the properties of the primary item, or else those of the first track."""
    for properties in _properties(source):
        statements = _statements(properties)
        if statements.code_points or statements.icc_profile:
            return statements
    return Statements()


def read_depth(source: IO[bytes]) -> int:
    """Read how many bits a sample of the same image has, from the boxes `pixi` and `av1C`; 8 if they do not say."""
    for properties in _properties(source):
        found = {kind: bytes(content[:8]) for kind, content in properties if kind in (b"pixi", b"av1C")}
        if len(pixi := found.get(b"pixi", b"")) > 5:  # noqa: PLR2004 - version, flags and number of channels
            return pixi[5]
        if len(configuration := found.get(b"av1C", b"")) > 2:  # noqa: PLR2004 - version, profile and level
            return _AV1_DEPTHS[configuration[2] >> 5 & 3]
    return 8


def _properties(source: IO[bytes]) -> tuple[list[Box], list[Box]]:
    """Return the properties of the primary item, and those of the first track."""
    found = {kind: content for kind, content in _top_boxes(source) if kind in (b"meta", b"moov")}
    return _of_primary_item(found.get(b"meta")), _of_first_track(found.get(b"moov"))


def _statements(properties: Iterable[Box]) -> Statements:
    code_points, icc_profile, peak = None, b"", 0.0
    for kind, content in properties:
        form = bytes(content[:4])
        if kind == b"colr" and form == b"nclx" and len(content) >= 11:  # noqa: PLR2004 - bytes
            primaries, transfer, matrix, flags = struct.unpack_from(">HHHB", content, 4)
            code_points = CodePoints(primaries, transfer, matrix, flags >> 7)
        elif kind == b"colr" and form in (b"prof", b"rICC"):
            icc_profile = bytes(content[4:])
        elif kind == b"clli" and len(content) >= 2:  # noqa: PLR2004 - bytes
            (peak,) = struct.unpack_from(">H", content)
    return Statements(icc_profile=icc_profile, code_points=code_points, peak=peak)


def _top_boxes(source: IO[bytes]) -> Iterator[Box]:
    """Yield the boxes of the file, the content of those with items or tracks only."""
    at = 0
    for _ in range(_MAX_BOXES):
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:  # noqa: PLR2004 - of a box
            return
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        wanted = min(length - start if length else _MAX_BYTES, _MAX_BYTES)
        source.seek(at + start)
        yield kind, memoryview(source.read(wanted) if kind in (b"meta", b"moov") and wanted > 0 else b"")
        if length < start:
            return
        at += length


def _boxes(data: memoryview) -> Iterator[Box]:
    """Yield the boxes that *data* consists of, up to the first broken one."""
    at = 0
    for _ in range(_MAX_CHILDREN):
        if at + 8 > len(data):
            return
        length, kind = struct.unpack_from(">I4s", data, at)
        start = 8
        if length == 1 and at + 16 <= len(data):
            (length,), start = struct.unpack_from(">Q", data, at + 8), 16
        length = length or len(data) - at
        if length < start:
            return
        yield kind, data[at + start : at + length]
        at += length


def _first(data: memoryview | None, *path: bytes) -> memoryview | None:
    """Return the content of the box that is found at *path*."""
    for kind in path:
        data = next((content for found, content in _boxes(data) if found == kind), None) if data is not None else None
    return data


def _of_primary_item(meta: memoryview | None) -> list[Box]:
    inside = meta[4:] if meta is not None else None
    primary, container, associations = (
        _first(inside, *path) for path in ((b"pitm",), (b"iprp", b"ipco"), (b"iprp", b"ipma"))
    )
    if primary is None or container is None or associations is None or len(primary) < 6:  # noqa: PLR2004 - bytes
        return []
    item = int.from_bytes(primary[4 : 6 if primary[0] == 0 else 8], "big")
    properties = list(_boxes(container))
    return [properties[index - 1] for index in _associated(associations, item) if 0 < index <= len(properties)]


def _associated(data: memoryview, item: int) -> list[int]:
    """Return the numbers of the properties that the box `ipma` gives to *item*."""
    id_bytes, index_bytes = 2 if data[0] == 0 else 4, 1 + (data[3] & 1)
    at = 8
    for _ in range(_MAX_ITEMS):
        if at + id_bytes >= len(data):
            break
        found, count = int.from_bytes(data[at : at + id_bytes], "big"), data[at + id_bytes]
        at += id_bytes + 1
        end = at + count * index_bytes
        if found == item:
            essential = 1 << 8 * index_bytes - 1
            starts = range(at, min(end, len(data)), index_bytes)
            return [int.from_bytes(data[start : start + index_bytes], "big") & ~essential for start in starts]
        at = end
    return []


def _of_first_track(moov: memoryview | None) -> list[Box]:
    samples = _first(moov, b"trak", *_TO_SAMPLES)
    _, entry = next(_boxes(samples[8:]), (b"", None)) if samples is not None else (b"", None)
    return list(_boxes(entry[_SAMPLE_ENTRY_BYTES:])) if entry is not None else []
