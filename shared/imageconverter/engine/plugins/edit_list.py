"""How often an image sequence in an ISO base media file is shown (ISO/IEC 23008-12, section 9.6.1)."""

import struct
from collections.abc import Iterator
from contextlib import suppress

from imageconverter.engine import isobmff

_REPEATED = 1
# By the version: where the duration is after version and flags, and how it is stored. All of its bits are set if
# there is no end.
_EDIT = {0: struct.Struct(">4xI"), 1: struct.Struct(">4xQ")}
_TRACK = {0: struct.Struct(">16xI"), 1: struct.Struct(">24xQ")}
_ENDLESS = {0: (1 << 32) - 1, 1: (1 << 64) - 1}

Span = tuple[int, int]


def plays(data: bytes) -> int:
    """Return how often the first track that has an edit list is shown, 0 for ever.

    Files without an edit list do not say it; browsers show them for ever.
    """
    with suppress(struct.error, KeyError, IndexError, StopIteration):
        for movie in _boxes(data, b"moov", (0, len(data))):
            for track in _boxes(data, b"trak", movie):
                for edits in _boxes(data, b"edts", track):
                    for edit in _boxes(data, b"elst", edits):
                        return _plays(data, edit, next(_boxes(data, b"tkhd", track)))
    return 0


def _plays(data: bytes, edit: Span, track: Span) -> int:
    edits, header = data[edit[0] : edit[1]], data[track[0] : track[1]]
    if not int.from_bytes(edits[1:4], "big") & _REPEATED:
        return 1
    (once,) = _EDIT[edits[0]].unpack_from(edits, 4)
    (whole,) = _TRACK[header[0]].unpack_from(header, 4)
    return 0 if whole == _ENDLESS[header[0]] or not once else max(1, -(-whole // once))


def _boxes(data: bytes, kind: bytes, within: Span) -> Iterator[Span]:
    """Yield where the contents of the boxes of a *kind* are that are directly *within* another one."""
    return ((box.begin, box.end) for box in isobmff.walk(data, *within) if box.kind == kind)
