"""JPEG without a decoder: segments, variants that nothing here decodes, and how often it is gone over an image."""

import re
import struct
from collections.abc import Iterator
from typing import IO, NamedTuple

from imageconverter.engine import extents
from imageconverter.engine.geometry import Size
from imageconverter.engine.limits import Limits
from imageconverter.errors import ImageTooLarge

# Neither pixels nor a restart between them.
_MARKER = re.compile(rb"\xff[\xc0-\xcf\xd9-\xfe]")
END, SCAN = 0xD9, 0xDA
APP0, COMMENT = 0xE0, 0xFE
START = b"\xff\xd8"
JFIF = b"JFIF\0\1\1\0\0\1\0\1\0\0"
"""The content of the segment that says how colors are coded: version 1.1, square pixels, no thumbnail."""
_APP1, _APP2 = 0xE1, 0xE2
_PER_INCH = 1
_PROFILE_PORTION = 65_519  # bytes, in a segment
PROGRESSIVE = (0xC2, 0xCA)
_SEQUENTIAL = (0xC0, 0xC1, 0xC9)
_LOSSLESS = 0xC3
_JPEG_LS = 0xF7
_HIERARCHICAL = (0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF, 0xDE)
_ARITHMETIC_LOSSLESS = 0xCB
FRAMES = (*range(0xC0, 0xC4), *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0), 0xDE, _JPEG_LS)
_DEPTHS = {0xC0: (8,), _LOSSLESS: range(2, 17)}  # by the kind of the frame; of all others 8 and 12 bits
_CHANNELS = (1, 3, 4)
_BLOCK = 8  # rows and columns
_LENGTH_BYTES = 2
_MAX_SEGMENTS = 400  # before the frame
_MAX_SCANNED = 32 * 1024  # bytes that are looked through for the frame if the segments do not lead to it
_MARKER_BYTES = 2


class Segment(NamedTuple):
    """A marker and what belongs to it; pixels come after the segment of their scan."""

    kind: int
    start: int
    """Where its marker begins."""
    end: int
    """Where it ends as it says itself, which may be after the end of the file."""


class Channel(NamedTuple):
    """How finely a channel is sampled: relative to the others, and in both directions."""

    name: int
    across: int
    down: int


class Frame(NamedTuple):
    """What the header says about the coding."""

    kind: int
    """The number of its marker, 0xC0 to 0xCF."""
    depth: int
    """Bits of a sample."""
    height: int
    """In pixels; 0 if a segment after the first scan has it."""
    width: int
    channels: tuple[Channel, ...]

    @property
    def is_lossless(self) -> bool:
        """Whether samples are coded, not blocks of them."""
        return self.kind == _LOSSLESS

    @property
    def band(self) -> int:
        """How many rows are decoded at once."""
        return max((channel.down for channel in self.channels), default=1) * (1 if self.is_lossless else _BLOCK)


def segment(kind: int, content: bytes) -> bytes:
    """Return the segment of a *kind* with its *content*, of at most 65,533 bytes."""
    return bytes((0xFF, kind)) + (len(content) + _LENGTH_BYTES).to_bytes(_LENGTH_BYTES, "big") + content


def header(*, dpi: tuple[int, int] = (0, 0), exif: bytes = b"", icc_profile: bytes = b"") -> bytes:
    """Return the segments before an image: how colors are coded, with the resolution if it is given, and metadata."""
    parts = [segment(APP0, JFIF if dpi == (0, 0) else JFIF[:7] + struct.pack(">BHHBB", _PER_INCH, *dpi, 0, 0))]
    if exif:
        parts.append(segment(_APP1, exif))
    portions = [icc_profile[at : at + _PROFILE_PORTION] for at in range(0, len(icc_profile), _PROFILE_PORTION)]
    for number, portion in enumerate(portions, start=1):
        parts.append(segment(_APP2, b"ICC_PROFILE\0" + bytes((number, len(portions))) + portion))
    return b"".join(parts)


def segments(data: bytes) -> Iterator[Segment]:
    """Go from marker to marker as a decoder does, up to the end marker or the end of *data*.

    A length below that of itself is taken for no content, and what is between two segments is passed, as by libjpeg.
    """
    at = 0
    while marker := _MARKER.search(data, at):
        kind, start, at = data[marker.end() - 1], marker.start(), marker.end()
        if kind != END:
            at += max(_LENGTH_BYTES, int.from_bytes(data[at : at + _LENGTH_BYTES], "big"))
        yield Segment(kind, start, at)
        if kind == END:
            return


def read_frame(data: bytes, segment: Segment) -> Frame:
    """Read the header of a frame (ISO/IEC 10918-1, B.2.2). What is missing at its end is left out."""
    content = data[segment.start + 4 : segment.end]
    channels = [content[at : at + 3] for at in range(6, len(content) - 2, 3)]
    sampled = tuple(Channel(channel[0], channel[1] >> 4, channel[1] & 15) for channel in channels)
    height, width = (int.from_bytes(content[at : at + 2], "big") for at in (1, 3))
    return Frame(segment.kind, content[0] if content else 0, height, width, sampled)


def find_frame(data: bytes) -> Frame | None:
    """Return the frame of the image; None if the header has none before the pixels."""
    for segment in segments(data):
        if segment.kind == SCAN or segment.end > len(data):
            return None
        if segment.kind in FRAMES:
            return read_frame(data, segment)
    return None


def _frame_of(source: IO[bytes]) -> Frame | None:
    """Return the frame of the image in *source*; reads little but the lengths of the segments before it."""
    at = _MARKER_BYTES
    for _ in range(_MAX_SEGMENTS):
        source.seek(at)
        head = source.read(_MARKER_BYTES + _LENGTH_BYTES)
        if len(head) < _MARKER_BYTES + _LENGTH_BYTES or not _MARKER.match(head):
            break  # fill bytes, or what should not be there
        kind, length = head[1], max(_LENGTH_BYTES, int.from_bytes(head[_MARKER_BYTES:], "big"))
        if kind in (SCAN, END):
            return None
        if kind in FRAMES:
            source.seek(at)
            segment = source.read(_MARKER_BYTES + length)
            return read_frame(segment, Segment(kind, 0, len(segment)))
        at += _MARKER_BYTES + length
    source.seek(0)
    return find_frame(source.read(_MAX_SCANNED))


def read_size(source: IO[bytes]) -> Size:
    """Read width and height, also behind faults that decoders pass; sides below 1 if the header is broken."""
    frame = _frame_of(source)
    return (frame.width, frame.height) if frame is not None else extents.by_imagesize(source)


def unsupported(source: IO[bytes]) -> str:  # noqa: PLR0911 - a table of variants
    """Return the name of the variant in *source* that nothing here decodes, or ""."""
    frame = _frame_of(source)
    if frame is None:
        return ""
    if frame.kind in _HIERARCHICAL:
        return "hierarchical JPEG"
    if frame.kind == _JPEG_LS:
        return "JPEG-LS"
    if frame.kind == _ARITHMETIC_LOSSLESS:
        return "lossless JPEG with arithmetic coding"
    if frame.depth not in _DEPTHS.get(frame.kind, (8, 12)):
        return f"{frame.depth}-bit JPEG"
    if frame.height == 0:
        return "JPEG with its height after the pixels"
    return "" if len(frame.channels) in _CHANNELS else f"JPEG of {len(frame.channels)} channels"


def check_scans(source: IO[bytes], size: Size, limits: Limits) -> None:
    """Raise ImageTooLarge if the JPEG in *source*, of *size* in pixels, has more scans than *limits* allow."""
    max_scans = min(limits.scans, limits.scanned_pixels // (size[0] * size[1]))
    source.seek(0)
    if _count_scans(source.read(), max_scans) > max_scans:
        raise ImageTooLarge(f"A JPEG of this size may not have more than {max_scans} scans.")


def _count_scans(data: bytes, max_scans: int) -> int:
    """Count the scans, up to one more than *max_scans*."""
    scans = 0
    channels = b""
    for kind, start, _ in segments(data):
        if kind in _SEQUENTIAL:
            channels = data[start + 9 : start + 10]
        if kind == SCAN:
            scans += 1
            if data[start + 4 : start + 5] == channels:  # not progressive and all at once: no second one counts
                break
        if scans > max_scans:
            break
    return scans
