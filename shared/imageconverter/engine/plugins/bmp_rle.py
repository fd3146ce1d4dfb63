"""Run-length encoded bitmaps: RLE8 and RLE4 of Windows, RLE24 of OS/2.

Everything in them is a whole number of words of two bytes: a word of a count and a value repeats the value; one with
a count of 0 ends a row or the image, moves on, or precedes values as they are.
"""

from dataclasses import dataclass

import numpy as np

from imageconverter.engine.plugins.decoded import Levels

_END_OF_ROW, _END, _MOVE = range(3)  # codes after a count of 0; larger ones count values
_COLOR_BITS, _COLOR_BYTES = 24, 3
_NIBBLE_BITS = 4
_BLOCK = 1 << 16  # words that are searched at once
_FEW = 8  # words of runs that numpy would take longer for


@dataclass
class Canvas:
    """The pixels so far; the first row is the first one in the file, and what is not written is 0."""

    width: int
    height: int
    pixel: int
    """Bytes of a pixel."""

    def __post_init__(self) -> None:
        self.pixels = bytearray(self.width * self.height * self.pixel)
        self.x = self.y = 0

    @property
    def room(self) -> int:
        """Pixels from the position to the end of its row."""
        return max(0, self.width - self.x)

    def write(self, values: bytes) -> None:
        """Write *values* from the position on, which is not after the last row; what exceeds the row is lost."""
        pixel, room = self.pixel, self.width - self.x
        if room > 0:
            at = (self.y * self.width + self.x) * pixel
            values = values[: room * pixel]
            self.pixels[at : at + len(values)] = values
            self.x += len(values) // pixel


def decode(data: bytes, canvas: Canvas, bits: int) -> int:
    """Decode *data* of pixels of 4, 8 or 24 *bits*. Returns how many rows it has; all of them if it has an end."""
    words = np.frombuffer(data, "u1", len(data) // 2 * 2).reshape(-1, 2)
    escapes = _Escapes(words)
    # As they are, a byte for each index.
    values = data
    if bits == _NIBBLE_BITS:
        values = np.stack([words >> 4, words & 0xF], axis=-1).tobytes()
    at, last = 0, len(words)
    while at < last and canvas.y < canvas.height:
        count, code = data[2 * at], data[2 * at + 1]
        if count and bits == _COLOR_BITS:
            canvas.write(data[2 * at + 1 : 2 * at + 4] * count)
            at += 2
            continue
        if count:
            end = escapes.following(at)
            canvas.write(_unpacked(words[at:end], canvas.room, bits))
            at = end
            continue
        at += 1
        if code > _MOVE:
            start = at * (4 if bits == _NIBBLE_BITS else 2)
            canvas.write(values[start : start + code * canvas.pixel])
            at += (code * bits + 15) // 16
        elif code == _END:
            return canvas.height
        elif code == _END_OF_ROW:
            canvas.x, canvas.y = 0, canvas.y + 1
        else:
            if at < last:
                canvas.x, canvas.y = canvas.x + data[2 * at], canvas.y + data[2 * at + 1]
            at += 1
    return min(canvas.height, canvas.y + (canvas.room == 0))


class _Escapes:
    """The words of count 0, found a block at a time."""

    def __init__(self, words: Levels) -> None:
        self._words = words
        self._found: list[int] = []
        self._next = self._end = 0

    def following(self, at: int) -> int:
        """Return the first one from *at* on, where *at* never goes back; the end of the data if there is none."""
        while True:
            while self._next < len(self._found):
                if self._found[self._next] >= at:
                    return self._found[self._next]
                self._next += 1
            start = max(at, self._end)
            if start >= len(self._words):
                return len(self._words)
            self._end = start + _BLOCK
            self._found = (np.flatnonzero(self._words[start : self._end, 0] == 0) + start).tolist()
            self._next = 0


def _unpacked(runs: Levels, room: int, bits: int) -> bytes:
    """Return the indices of *runs*, as far as there is *room* for them and little more."""
    if len(runs) <= _FEW:
        pairs = runs.tolist()
        if bits == _NIBBLE_BITS:
            return b"".join((bytes([value >> 4, value & 0xF]) * (count // 2 + 1))[:count] for count, value in pairs)
        return b"".join(bytes([value]) * count for count, value in pairs)
    runs = runs[: room + 1]  # each has a pixel at least
    counts = runs[:, 0].astype("i8")
    ends = np.cumsum(counts)
    used = int(np.searchsorted(ends, room)) + 1
    counts, ends, repeated = counts[:used], ends[:used], np.repeat(runs[:used, 1], counts[:used])
    if bits != _NIBBLE_BITS:
        return repeated.tobytes()
    is_odd = (np.arange(ends[-1]) - np.repeat(ends - counts, counts)) & 1  # its place in the run
    return np.where(is_odd, repeated & 0xF, repeated >> 4).astype("u1").tobytes()
