"""What the boxes of a JPEG 2000 file say before it is decoded (ISO/IEC 15444-1, annex I; 15444-2, annex M).

A box that is broken is ignored, and the code stream is searched for if no box leads to it. Of all there is a limit to
what is read.
"""

import io
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import IO, NamedTuple

from imageconverter.engine import j2k
from imageconverter.engine.geometry import Size

NUMBER, RESTRICTED_PROFILE, PROFILE = 1, 2, 3
"""Methods of a color box."""

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
_MAX_BOXES = 2000
_MAX_BOX = 4 * 1024 * 1024  # bytes that are read of a box with metadata
_MAX_HEADER = 256 * 1024  # bytes of a code stream's header, and those in which it is searched for
_MAX_SAMPLES = 500_000_000  # of all components together
_SUPERBOXES = (b"jp2h", b"jpch", b"jplh", b"cgrp")
_BOX_HEADER = 8


class ColorBox(NamedTuple):
    """A color specification."""

    method: int
    number: int
    """EnumCS, if the method is NUMBER."""
    data: bytes
    """The profile, or the parameters of the number."""


class ChannelBox(NamedTuple):
    """An entry of the channel definition."""

    channel: int
    kind: int
    """0: color, 1: opacity, 2: opacity by which the colors are multiplied."""
    color: int
    """The color that it is or belongs to, from 1; 0: all of them."""


class Mapping(NamedTuple):
    """An entry of the component mapping: how a channel is made."""

    component: int
    kind: int
    """1 if the samples are indices of the palette."""
    column: int


@dataclass
class Boxes:
    """What the boxes of a file say."""

    start: int = 0
    """Where the first code stream begins in the file."""
    end: int = 0
    """Where it ends, at the latest with the file."""
    brand: bytes = b""
    has_fragments: bool = False
    colors: list[ColorBox] = field(default_factory=list)
    palette: bytes = b""
    mapping: list[Mapping] = field(default_factory=list)
    channels: list[ChannelBox] = field(default_factory=list)


def read_size(source: IO[bytes]) -> Size:
    """Return width and height in pixels, or (0, 0) if they cannot be found."""
    codestream = read_codestream(source, read_boxes(source))
    return codestream.size if codestream else (0, 0)


def unsupported(source: IO[bytes]) -> str:
    """Return the name of a variant that nothing here decodes, or ""."""
    boxes = read_boxes(source)
    if boxes.brand in _OTHER_BRANDS:
        return _OTHER_BRANDS[boxes.brand]
    codestream = read_codestream(source, boxes)
    if codestream is None:
        return "JPEG 2000 in fragments" if boxes.has_fragments else ""
    width, height = codestream.size
    if len(codestream.components) * width * height > _MAX_SAMPLES:
        return f"JPEG 2000 with {len(codestream.components)} components"
    return ""


_OTHER_BRANDS = {b"mjp2": "Motion JPEG 2000", b"jpm ": "JPM, a compound image"}


def read_boxes(source: IO[bytes]) -> Boxes:
    """Read the boxes of *source*, or find that it is a bare code stream."""
    found = _BoxReader(source).read()
    if not found.end or read_codestream(source, found) is None:
        at = _bytes_at(source, 0, _MAX_HEADER).find(j2k.START)
        found.start, found.end = (at, source.seek(0, io.SEEK_END)) if at >= 0 else (0, 0)
    return found


def read_codestream(source: IO[bytes], boxes: Boxes) -> j2k.Codestream | None:
    """Read the main header of the first code stream; None if there is none, or if it is broken."""
    return j2k.parse(_bytes_at(source, boxes.start, min(boxes.end - boxes.start, _MAX_HEADER)))


class _BoxReader:
    """Reads the boxes of a file into a `Boxes`."""

    def __init__(self, source: IO[bytes]) -> None:
        self._source = source
        self._found = Boxes()
        self._left = _MAX_BOXES

    def read(self) -> Boxes:
        """Read all boxes, but those of which nothing is needed are skipped."""
        end = self._source.seek(0, io.SEEK_END)
        if _bytes_at(self._source, 0, len(_SIGNATURE)) == _SIGNATURE:
            self._read(0, end, 0)
        return self._found

    def _read(self, start: int, end: int, depth: int) -> None:
        for kind, content, stop in self._boxes(start, end):
            if kind == b"jp2c" and not self._found.end:
                self._found.start, self._found.end = content, min(stop, end)
            elif kind in _SUPERBOXES and depth < len(_SUPERBOXES):
                self._read(content, min(stop, end), depth + 1)
            elif kind in _READERS:
                _READERS[kind](_bytes_at(self._source, content, min(stop - content, _MAX_BOX)), self._found)

    def _boxes(self, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
        """Yield the kinds of the boxes between *start* and *end*, and where their contents begin and should end."""
        while self._left and start + _BOX_HEADER <= end:
            self._left -= 1
            head = _bytes_at(self._source, start, 2 * _BOX_HEADER)
            length, content = int.from_bytes(head[:4], "big"), start + _BOX_HEADER
            if length == 1:
                length, content = int.from_bytes(head[_BOX_HEADER:], "big"), start + 2 * _BOX_HEADER
            stop = start + length if length else end
            if stop < content:
                break
            yield head[4:_BOX_HEADER], content, stop
            start = stop


def _read_brand(content: bytes, found: Boxes) -> None:
    found.brand = found.brand or content[:4]


def _read_fragments(_content: bytes, found: Boxes) -> None:
    found.has_fragments = True


def _read_color(content: bytes, found: Boxes) -> None:
    if not content:
        return
    is_number = content[0] == NUMBER
    number = int.from_bytes(content[3:7], "big") if is_number else 0
    found.colors.append(ColorBox(content[0], number, content[7:] if is_number else content[3:]))


def _read_palette(content: bytes, found: Boxes) -> None:
    found.palette = found.palette or content


def _read_mapping(content: bytes, found: Boxes) -> None:
    if not found.mapping:
        found.mapping = [Mapping(*entry) for entry in struct.iter_unpack(">HBB", content[: len(content) // 4 * 4])]


def _read_channels(content: bytes, found: Boxes) -> None:
    if not found.channels:
        entries = content[2 : 2 + max(0, len(content) - 2) // 6 * 6]
        found.channels = [ChannelBox(*entry) for entry in struct.iter_unpack(">HHH", entries)]


_READERS: dict[bytes, Callable[[bytes, Boxes], None]] = {
    b"ftyp": _read_brand,
    b"ftbl": _read_fragments,
    b"colr": _read_color,
    b"pclr": _read_palette,
    b"cmap": _read_mapping,
    b"cdef": _read_channels,
}


def _bytes_at(source: IO[bytes], start: int, count: int) -> bytes:
    source.seek(start)
    return source.read(max(0, count))
