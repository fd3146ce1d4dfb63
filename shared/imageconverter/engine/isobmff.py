"""Boxes of an AVIF or HEIC file, and the properties of its image.

ISO/IEC 14496-12 (boxes, tracks), ISO/IEC 23008-12 (items and their properties).
"""

import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

_MAX_BOXES = 4096  # within another
_MAX_FILE_BOXES = 64
_MAX_BYTES = 4 * 1024 * 1024  # of the box with the items, or with the tracks
_FULL_BOX_BYTES = 4  # version and flags
_SAMPLE_ENTRY_BYTES = 78  # before the boxes of an entry for video (ISO/IEC 14496-12, section 12.1.3)


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


def without_media(source: IO[bytes]) -> bytes:
    """Read the boxes with the items and with the tracks, and nothing else."""
    kept, at = b"", 0
    for _ in range(_MAX_FILE_BOXES):
        source.seek(at)
        head = source.read(16)
        if len(head) < 8:  # noqa: PLR2004 - of a box
            break
        length, kind, start = int.from_bytes(head[:4], "big"), head[4:8], 8
        if length == 1:
            length, start = int.from_bytes(head[8:16], "big"), 16
        wanted = min(length - start if length else _MAX_BYTES, _MAX_BYTES)
        if kind in (b"meta", b"moov") and wanted > 0:
            source.seek(at + start)
            content = source.read(wanted)
            kept += struct.pack(">I4s", 8 + len(content), kind) + content
        if length < start:
            break
        at += length
    return kept


def find(data: bytes, *path: bytes) -> Box | None:
    """Return the box that is found at *path*; `meta` and what it contains have a version and flags."""
    found: Box | None = Box(b"", 0, len(data))
    for kind in path:
        if found is None:
            return None
        skipped = _FULL_BOX_BYTES if found.kind == b"meta" else 0
        found = next((box for box in walk(data, found.begin + skipped, found.end) if box.kind == kind), None)
    return found


def image_properties(data: bytes) -> list[Box]:
    """Return the properties of the primary item."""
    primary, container = find(data, b"meta", b"pitm"), find(data, b"meta", b"iprp", b"ipco")
    if primary is None or container is None:
        return []
    item = int.from_bytes(data[primary.begin + 4 : primary.end], "big")
    properties = list(walk(data, container.begin, container.end))
    numbers = (number for box in associations(data) for number in _numbers(data, box, item))
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def track_properties(data: bytes) -> list[Box]:
    """Return the boxes that describe the first track."""
    table = find(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
    entry = next(walk(data, table.begin + 2 * _FULL_BOX_BYTES, table.end), None) if table is not None else None
    return list(walk(data, entry.begin + _SAMPLE_ENTRY_BYTES, entry.end)) if entry is not None else []


def associations(data: bytes) -> list[Box]:
    """Return the boxes that say which item has which properties."""
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
