"""The blocks of a GIF, as GIF89a describes them and browsers read them: where each image is, and what it says.

Nothing is decoded. The blocks are read once, from the first to the last, as far as they are asked for.
"""

import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

from imageconverter.engine.geometry import Size

_SCREEN = struct.Struct("<6sHHBBB")
_DESCRIPTOR = struct.Struct("<HHHHB")
_CONTROL = struct.Struct("<xBHB")  # its length, flags, hundredths of a second, transparent index
_HAS_TABLE, _TABLE_BITS, _INTERLACED = 0x80, 0x07, 0x40
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION, _COMMENT = 0xF9, 0xFF, 0xFE
_LOOPS = (b"\x0bNETSCAPE2.0", b"\x0bANIMEXTS1.0")
_FULL_BLOCK = 255
_MAX_COMMENT = 4096
_MAX_HEADER = 1024 * 1024  # bytes in which the first image has to begin, for the extents to be known before decoding
DISPOSALS = (0, 1, 2, 3, 3, 1, 1, 1)
"""What is done after a frame, by the number in the file: 0 and 1 nothing, 2 clear its area, 3 restore it. Some old
encoders write 4 for 3."""


def read_size(source: IO[bytes]) -> Size:
    """Read the extents of the screen, enlarged to those of the first image, as browsers do.

    They are below 1 if the header is broken.
    """
    source.seek(0)
    with suppress(CutOffError):
        blocks = GifBlocks(source.read(_MAX_HEADER))
        with suppress(CutOffError):
            first = next(blocks.frames(), None)
            return blocks.screen if first is None else enlarged(blocks.screen, first)
        return blocks.screen
    return 0, 0


class CutOffError(OSError):
    """The file ends before its trailer."""


@dataclass(frozen=True)
class GifFrame:
    """An image of a GIF, as it is stored."""

    at: tuple[int, int]
    size: Size
    palette: bytes | None
    """Its own color table."""
    interlaced: bool
    transparent: int | None
    """The index that stands for transparency."""
    disposal: int
    milliseconds: int
    code_bits: int
    """The size of an LZW code at first, without the one bit for control codes."""
    data: memoryview
    """The LZW codes, in blocks that begin with their lengths; the last one may be incomplete."""
    is_complete: bool
    """Whether the blocks have their end."""


def enlarged(screen: Size, first: GifFrame) -> Size:
    """Return the extents of the *screen* with all of the *first* image on it."""
    (left, top), (width, height) = first.at, first.size
    return max(screen[0], left + width), max(screen[1], top + height)


class GifBlocks:
    """The parts of a GIF in memory; `frames` can be read once."""

    def __init__(self, data: bytes) -> None:
        """Read the screen descriptor. Raises CutOffError if it is not there."""
        self._data = data
        if len(data) < _SCREEN.size:
            raise CutOffError("the header is incomplete")
        _, width, height, flags, _, _ = _SCREEN.unpack_from(data)
        self.screen: Size = (width, height)
        self.loop: int | None = None
        """How often the animation is repeated, 0 for ever."""
        self.comment = b""
        self._at = _SCREEN.size
        self.palette = self._table(flags)
        """The global color table."""
        self._control = (0, 0, 0)

    def frames(self) -> Iterator[GifFrame]:
        """Yield frame after frame. Raises CutOffError at the end of a file that has no trailer.

        As in browsers, unknown data between blocks end a file as its trailer does.
        """
        while True:
            kind = self._byte()
            if kind == _IMAGE:
                yield self._frame()
            elif kind == _EXTENSION:
                self._extension()
            elif kind != 0:  # some encoders write an empty block too many
                return

    def _frame(self) -> GifFrame:
        left, top, width, height, flags = _DESCRIPTOR.unpack(self._take(_DESCRIPTOR.size))
        palette = self._table(flags)
        code_bits = self._byte()
        begin = self._at
        is_complete = self._skip_blocks()
        control, hundredths, transparent = self._control
        self._control = (0, 0, 0)
        return GifFrame(
            at=(left, top),
            size=(width, height),
            palette=palette,
            interlaced=bool(flags & _INTERLACED),
            transparent=transparent if control & 1 else None,
            disposal=DISPOSALS[control >> 2 & 7],
            milliseconds=10 * hundredths,
            code_bits=code_bits,
            data=memoryview(self._data)[begin : self._at],
            is_complete=is_complete,
        )

    def _extension(self) -> None:
        label, begin = self._byte(), self._at
        if not self._skip_blocks():
            raise CutOffError("an extension is incomplete")
        content = self._data[begin : min(self._at, begin + _MAX_COMMENT)]
        if label == _GRAPHIC_CONTROL and len(content) > _CONTROL.size:
            self._control = _CONTROL.unpack_from(content)
        elif label == _APPLICATION and content.startswith(_LOOPS) and content[12:14] == b"\3\1":
            self.loop = int.from_bytes(content[14:16], "little")
        elif label == _COMMENT and not self.comment:
            self.comment = content[1 : 1 + content[0]]

    def _skip_blocks(self) -> bool:
        """Go behind the empty block that ends blocks; returns whether there was one before the end of the file."""
        data, at, end = self._data, self._at, len(self._data)
        full = 1
        while at < end and data[at]:
            if data[at] == _FULL_BLOCK:  # nearly all are
                lengths = data[at : at + full * (_FULL_BLOCK + 1) : _FULL_BLOCK + 1]
                run = len(lengths) - len(lengths.lstrip(b"\xff"))
                at += run * (_FULL_BLOCK + 1)
                full = min(2 * full, 1024)
            else:
                at += data[at] + 1
        self._at = min(at + 1, end)
        return at < end

    def _table(self, flags: int) -> bytes | None:
        return self._take(6 << (flags & _TABLE_BITS)) if flags & _HAS_TABLE else None

    def _byte(self) -> int:
        return self._take(1)[0]

    def _take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise CutOffError("a block is incomplete")
        self._at += length
        return taken
