"""What a PNG consists of: where the pixels of each frame are, and what else changes the image.

All other chunks may be as broken as they like.
"""

import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from imageconverter.engine import png
from imageconverter.engine.geometry import Size
from imageconverter.engine.png import Chunk, PngHeader

BACKGROUND, PREVIOUS = 1, 2
"""What is done with the area of a frame before the next frame: it is cleared, or restored."""
_CONTROL = struct.Struct(">IIIIIHHBB")
_ANIMATION = struct.Struct(">II")
_NUMBER = struct.Struct(">I")  # of a chunk of the animation, in their sequence
_MAX_NUMBER = 0x7FFFFFFF
_KEY_BYTES = {png.GRAY: 2, png.RGB: 6}
_COLOR_BYTES, _MAX_COLORS = 3, 256
_MAX_PROFILE = 16 * 1024 * 1024
_MAX_TEXT = 1024 * 1024
_EXIF_TEXT = b"Raw profile type exif\0"

Pieces = list[Chunk]
"""The compressed pixels, in their order."""


@dataclass(frozen=True)
class PngFrame:
    """A frame of an animation."""

    at: tuple[int, int]
    size: Size
    dispose: int
    is_over: bool
    """Whether it is blended with what was there; otherwise it replaces that."""
    milliseconds: float
    pieces: Pieces = field(default_factory=list)


class PngParts:
    """The parts of a PNG in memory."""

    def __init__(self, data: bytes) -> None:
        """Find them. Raises SyntaxError if there is no image."""
        self.data = data
        self.palette = self.transparency = b""
        self.pieces: Pieces = []
        """Of the image that programs without animation show."""
        self.profile = self.exif = b""
        self.exif_text = ""
        """EXIF as ImageMagick writes it: three lines, then hexadecimal digits."""
        self.warnings: list[str] = []
        self.is_cut_off = True
        self.declared_frames = self.plays = 0
        self.is_frame_damaged = False
        """Whether a checksum of the pixels in the frames read so far is wrong."""
        self.controls: list[int] = []
        """Where the chunks fcTL begin, of frames that are declared."""
        chunks = png.walk(data)
        first = next(chunks, None)
        if first is None:
            raise SyntaxError("it has no header")
        self.header: PngHeader = png.read_header(data, first)
        self._read(chunks)
        del self.controls[self.declared_frames :]
        if not self.pieces:
            raise SyntaxError("it has no pixels")
        if self.header.color_type == png.PALETTE and not self.palette:
            raise SyntaxError("its palette is missing")
        self.begins_with_image = bool(self.controls) and self.controls[0] < self.pieces[0].begin
        """Whether the image is the first frame of the animation."""

    def frames(self) -> Iterator[PngFrame]:
        """Yield the frames that are declared. Raises OSError where they are no longer valid."""
        if not self.controls:
            return
        frame, expected = None, 0
        for chunk in png.walk(self.data, self.controls[0] - 8):
            if chunk.kind == b"fcTL":
                if frame is not None and frame.pieces:
                    yield frame
                frame, expected = self._frame(chunk, expected), expected + 1
            elif chunk.kind == b"fdAT" and frame is not None:
                self._check_number(chunk, expected)
                expected += 1
                self.is_frame_damaged |= chunk.is_whole and not png.is_intact(self.data, chunk)
                frame.pieces.append(chunk._replace(begin=chunk.begin + _NUMBER.size))
            elif chunk.kind == b"IDAT" and frame is not None and self.begins_with_image:
                frame.pieces.append(chunk)
            elif chunk.kind == b"IEND":
                break
        if frame is not None and frame.pieces:
            yield frame

    def _read(self, chunks: Iterator[Chunk]) -> None:
        readers = {
            b"PLTE": self._read_palette,
            b"tRNS": self._read_transparency,
            b"acTL": self._read_animation,
            b"iCCP": self._read_profile,
            b"eXIf": self._read_exif,
            b"tEXt": self._read_text,
            b"zTXt": self._read_text,
        }
        previous = b""
        for chunk in chunks:
            kind = chunk.kind
            if kind == b"IDAT":
                if not self.pieces or previous == b"IDAT":
                    self.pieces.append(chunk)
            elif kind == b"IEND":
                self.is_cut_off = False
                return
            elif kind == b"fcTL":
                self.controls.append(chunk.begin)
            elif kind in readers:
                readers[kind](chunk)
            previous = kind

    def _content(self, chunk: Chunk) -> bytes:
        """Return the content of a *chunk*, empty if it is damaged."""
        return self.data[chunk.begin : chunk.end] if png.is_intact(self.data, chunk) else b""

    def _read_palette(self, chunk: Chunk) -> None:
        if self.header.color_type != png.PALETTE or self.palette or self.pieces:
            return
        self.palette = self._content(chunk)
        if not self.palette or len(self.palette) % _COLOR_BYTES:
            raise SyntaxError("its palette is damaged")
        self.palette = self.palette[: _COLOR_BYTES * min(_MAX_COLORS, 1 << self.header.depth)]

    def _read_transparency(self, chunk: Chunk) -> None:
        if self.pieces or self.transparency or self.header.color_type not in (png.PALETTE, *_KEY_BYTES):
            return
        content = self._content(chunk)
        if self.header.color_type == png.PALETTE:
            content = content[: len(self.palette) // _COLOR_BYTES]
            is_valid = len(content) > 0
        else:
            is_valid = len(content) == _KEY_BYTES[self.header.color_type]
        if is_valid:
            self.transparency = content
        else:
            self.warnings.append("The transparency is damaged and was ignored.")

    def _read_animation(self, chunk: Chunk) -> None:
        content = self._content(chunk)
        if len(content) == _ANIMATION.size and not self.pieces and not self.declared_frames:
            frames, self.plays = _ANIMATION.unpack(content)
            self.declared_frames = frames if frames <= _MAX_NUMBER else 0

    def _read_profile(self, chunk: Chunk) -> None:
        if self.pieces or self.profile:
            return
        _, _, packed = self._content(chunk).partition(b"\0")
        self.profile = _inflated(packed[1:], _MAX_PROFILE) if packed[:1] == b"\0" else b""
        if not self.profile:
            self.warnings.append("The color profile is damaged and was ignored.")

    def _read_exif(self, chunk: Chunk) -> None:
        self.exif = self.exif or self._content(chunk)

    def _read_text(self, chunk: Chunk) -> None:
        if self.data.startswith(_EXIF_TEXT, chunk.begin) and chunk.end - chunk.begin <= _MAX_TEXT:
            text = self._content(chunk)[len(_EXIF_TEXT) :]
            if chunk.kind == b"zTXt":
                text = _inflated(text[1:], _MAX_TEXT)
            self.exif_text = self.exif_text or text.decode("latin-1")

    def _check_number(self, chunk: Chunk, expected: int) -> None:
        content = self.data[chunk.begin : min(chunk.end, chunk.begin + _NUMBER.size)]
        if content != _NUMBER.pack(expected):
            raise OSError("the frames are not in sequence")

    def _frame(self, chunk: Chunk, expected: int) -> PngFrame:
        content = self._content(chunk)
        if len(content) != _CONTROL.size:
            raise OSError("a frame is damaged")
        self._check_number(chunk, expected)
        _, width, height, left, top, part, whole, dispose, blend = _CONTROL.unpack(content)
        is_within = left + width <= self.header.size[0] and top + height <= self.header.size[1]
        if not width or not height or not is_within or dispose > PREVIOUS or blend > 1:
            raise OSError("a frame is not valid")
        return PngFrame((left, top), (width, height), dispose, bool(blend), 1000 * part / (whole or 100))


def _inflated(packed: bytes, max_bytes: int) -> bytes:
    """Decompress *packed*; returns nothing if it is damaged or longer than *max_bytes*."""
    with suppress(zlib.error):
        content = zlib.decompressobj().decompress(packed, max_bytes + 1)
        return content if len(content) <= max_bytes else b""
    return b""
