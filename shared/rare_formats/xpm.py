"""XPM, the X Window System's pixmaps: version 3, which is C source, and version 2, which is plain lines.

Source: the XPM manual (Arnaud Le Hors, 1996). There is a line for the extents, one for each color, and one for each
row of pixels. A pixel is one or more characters, the key of its color.
"""

import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from PIL import (
    Image,
    ImageFile,
    XpmImagePlugin,  # noqa: F401 - registers itself before the plugin below replaces it
)

from rare_formats.x11 import named_color

_MAX_COLORS = 1 << 20
_MAX_KEY_LENGTH = 8  # characters that fit into a number of 64 bits
_MAX_DENSE_KEY_LENGTH = 2  # up to which there is a table with an entry for every key
_STRIP = 1 << 20  # pixels decoded at a time
_KINDS = ("c", "g", "g4", "m", "s")  # visuals: color, grays, mono; s is a symbolic name

# Strings and comments of C. Both also end at the end of the file, so that nothing is searched twice.
_C_PIECE = re.compile(rb'"([^"\\]*(?:\\.[^"\\]*)*)(?:"|\\?\Z)|/\*.*?(?:\*/|\Z)|//[^\n]*', re.DOTALL)
_C_ESCAPE = re.compile(rb"\\([0-7]{1,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_C_LETTERS = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v", b"\n": b""}

_Array = np.ndarray[Any, np.dtype[Any]]
_Rgba = tuple[int, int, int, int]


class XpmImageFile(ImageFile.ImageFile):
    """An XPM image, of mode RGB, or RGBA if a color is `None`."""

    format = "XPM"
    format_description = "X11 Pixel Map"

    def _open(self) -> None:
        if self.fp is None:
            raise ValueError("the file is closed")
        data = self.fp.read()
        strings = _lines(data) if data.startswith(b"!") else _c_strings(data)
        width, height, count, self._key_length = map(int, next(strings, b"").split()[:4])
        if min(width, height, count, self._key_length) < 1:
            raise ValueError("the image is empty")
        if count > _MAX_COLORS or self._key_length > _MAX_KEY_LENGTH:
            raise ValueError("too many colors")
        self._size = width, height
        self._colors = {}
        for _ in range(count):
            line = next(strings, b"")
            if len(line) <= self._key_length:
                raise ValueError("the file is truncated")
            self._colors[line[: self._key_length]] = _color(line[self._key_length :].decode("latin-1"))
        self._mode = "RGB" if all(color[3] for color in self._colors.values()) else "RGBA"
        if width * height * self._key_length > len(data):
            raise ValueError("the file is truncated")
        self._rows = strings

    def load(self) -> Any:
        """Decode the pixels at the first call."""
        if self._im is None:
            self.im = self._decoded().im
            self._rows = iter(())
        return super().load()

    def _decoded(self) -> Image.Image:
        image = Image.new(self.mode, self.size)
        find = _key_finder(self._colors, self._key_length)
        colors = np.array([*self._colors.values()], "u1").view("u4")[:, 0]
        rows_at_once = max(_STRIP // self.width, 1)
        for top in range(0, self.height, rows_at_once):
            rows = min(rows_at_once, self.height - top)
            keys = b"".join(self._row() for _ in range(rows))
            pixels = colors[find(keys)].tobytes()
            raw = "RGBA" if self.mode == "RGBA" else "RGBX"
            image.paste(Image.frombytes(self.mode, (self.width, rows), pixels, "raw", raw, 0, 1), (0, top))
        return image

    def _row(self) -> bytes:
        length = self.width * self._key_length
        row = next(self._rows, b"")
        if len(row) < length:
            raise ValueError("the file is truncated")
        return row[:length]


def _c_strings(data: bytes) -> Iterator[bytes]:
    for piece in _C_PIECE.finditer(data):
        string = piece[1]
        if string is not None:
            yield _C_ESCAPE.sub(_unescaped, string) if b"\\" in string else string


def _unescaped(escape: re.Match[bytes]) -> bytes:
    what = escape[1]
    if what.isdigit():
        return bytes([int(what, 8) & 0xFF])
    if what.startswith(b"x") and len(what) > 1:
        return bytes([int(what[1:], 16)])
    return _C_LETTERS.get(what, what)


def _lines(data: bytes) -> Iterator[bytes]:
    """Yield the lines of a file of version 2, without the comments at its start."""
    lines = iter(data.splitlines())
    return itertools.dropwhile(lambda line: line.startswith(b"!"), lines)


def _color(text: str) -> _Rgba:
    """Return the color in text like `c red m white s edge`: the first of color, grays and mono that is present."""
    named: dict[str, list[str]] = {}
    kind = ""
    for word in text.split():
        if word in _KINDS and (not kind or named[kind]):
            kind = word
            named[kind] = []
        elif kind:
            named[kind].append(word)
    words = next((named[kind] for kind in _KINDS if kind in named), [])
    name = "".join(words).lower()
    if name in ("none", "transparent"):
        return 0, 0, 0, 0
    if name.startswith("#") and len(name) in (4, 7, 10, 13):
        digits = len(name) // 3
        most = 16**digits - 1
        red, green, blue = (int(name[at : at + digits], 16) for at in range(1, len(name), digits))
        return *((level * 255 + most // 2) // most for level in (red, green, blue)), 255
    color = named_color(name)
    if color is None:
        raise ValueError(f"the color {' '.join(words)[:40]!r} is not known")
    return *color, 255


def _key_finder(keys: Iterable[bytes], length: int) -> Callable[[bytes], _Array]:
    """Return a function that looks up the indices of many pixels among *keys*. It raises ValueError for others."""
    numbers = _numbers(b"".join(keys), length)
    if length <= _MAX_DENSE_KEY_LENGTH:
        table = np.full(256**length, -1)
        table[numbers] = np.arange(numbers.size)

        def find_dense(pixels: bytes) -> _Array:
            return _known(table[_numbers(pixels, length)])

        return find_dense
    order = np.argsort(numbers)
    ordered = numbers[order]

    def find(pixels: bytes) -> _Array:
        wanted = _numbers(pixels, length)
        places = np.minimum(np.searchsorted(ordered, wanted), ordered.size - 1)
        return _known(np.where(ordered[places] == wanted, order[places], -1))

    return find


def _numbers(keys: bytes, length: int) -> _Array:
    """Read each key of *length* bytes as a number."""
    room = next(size for size in (1, 2, 4, 8) if size >= length)
    padded = np.zeros((len(keys) // length, room), "u1")
    padded[:, :length] = np.frombuffer(keys, "u1").reshape(-1, length)
    return padded.view(f"u{room}")[:, 0]


def _known(indices: _Array) -> _Array:
    if indices.min() < 0:
        raise ValueError("a pixel has an undefined color")
    return indices


def _accept(prefix: bytes) -> bool:
    return prefix.startswith((b"/* XPM */", b"! XPM2"))


Image.register_open(XpmImageFile.format, XpmImageFile, _accept)
Image.register_extensions(XpmImageFile.format, [".xpm"])
Image.register_mime(XpmImageFile.format, "image/x-xpixmap")
