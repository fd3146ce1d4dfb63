"""Animated PNGs, written chunk by chunk as PNG 3 says, so that every field can be right or wrong."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from tests.testing.chunks import IEND, PNG, Chunk, chunk, ihdr

Color = tuple[int, ...]

NONE, BACKGROUND, PREVIOUS = 0, 1, 2
SOURCE, OVER = 0, 1
_COLOR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # by the number of channels


@dataclass(frozen=True)
class Part:
    """A frame: an area of one color, or *rows* of bytes."""

    size: tuple[int, int]
    color: Color = ()
    at: tuple[int, int] = (0, 0)
    dispose: int = NONE
    blend: int = SOURCE
    delay: tuple[int, int] = (1, 10)
    """Seconds, as a numerator and a denominator."""
    rows: Sequence[bytes] = ()

    def control(self, number: int) -> bytes:
        """Return its frame control chunk, the *number*-th in the sequence."""
        fields = (number, *self.size, *self.at, *self.delay, self.dispose, self.blend)
        return chunk(b"fcTL", struct.pack(">IIIIIHHBB", *fields))

    def packed(self) -> bytes:
        """Return its compressed rows."""
        rows = self.rows or [bytes(self.color) * self.size[0]] * self.size[1]
        return zlib.compress(b"".join(b"\0" + row for row in rows))


def apng(
    *parts: Part,
    default: Part | None = None,
    plays: int = 0,
    frames: int | None = None,
    depth: int = 8,
    color_type: int | None = None,
    before: Sequence[Chunk] = (),
    end: bytes = IEND,
) -> bytes:
    """Make an APNG of *parts*; a *default* image is not part of the animation.

    *frames* is their number as it is declared; *before* are chunks before the first image.
    """
    first = default or parts[0]
    kind = _COLOR_TYPES[len(first.color)] if color_type is None else color_type
    animation = chunk(b"acTL", struct.pack(">II", len(parts) if frames is None else frames, plays))
    data = [PNG, ihdr(first.size, depth, kind), animation, *(chunk(*each) for each in before)]
    number = 0
    if default is not None:
        data.append(chunk(b"IDAT", default.packed()))
    for index, part in enumerate(parts):
        data.append(part.control(number))
        number += 1
        if index == 0 and default is None:
            data.append(chunk(b"IDAT", part.packed()))
        else:
            data.append(chunk(b"fdAT", struct.pack(">I", number) + part.packed()))
            number += 1
    return b"".join((*data, end))


def chunks(data: bytes) -> list[Chunk]:
    """Return the chunks of a PNG that is whole."""
    at, found = len(PNG), []
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def joined(*parts: Chunk) -> bytes:
    """Make a PNG of chunks, with right checksums."""
    return PNG + b"".join(chunk(*part) for part in parts)
