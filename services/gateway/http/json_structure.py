"""Looking over a JSON body before it is parsed: what would cost much, or can be understood in two ways, is refused.

Texts are skipped, so that tens of megabytes of base64 take milliseconds; nothing is kept of what is refused.
"""

import json
import re
from typing import Final

from imageconverter.errors import MalformedBody

MAX_DEPTH: Final = 32
"""Arrays and objects within each other."""
MAX_FIELDS: Final = 100
"""Fields of one object."""
MAX_VALUES: Final = 100_000
"""Values of the whole body: names and images of an upload, or names to delete."""

_MAX_QUOTES = 2 * MAX_VALUES
_MAX_BETWEEN_BYTES = 4 * 1024 * 1024
_MAX_KEY_BYTES = 1000
_BLANKS = b" \t\r\n"
_BACKSLASH = ord("\\")
_BRACKET = re.compile(rb"[\[\]{}]")


def check_structure(text: bytes | bytearray) -> None:
    """Raise MalformedBody where *text* is not to be parsed; what is left need not be JSON."""
    scan = _Scan(text)
    end = 0
    while (begin := text.find(b'"', end)) >= 0:
        scan.between(end, begin)
        end = scan.end_of(begin)
        scan.key = begin, end
    scan.between(end, len(text))


class _Scan:
    """How far a body was looked over."""

    def __init__(self, text: bytes | bytearray) -> None:
        self.key: tuple[int, int] | None = None
        """Where the last text begins and ends: a key, if a colon follows."""
        self._text = text
        self._fields: list[set[str] | None] = []  # the keys of each object that is open; None for an array
        self._bytes = self._quotes = self._values = 0

    def between(self, begin: int, end: int) -> None:
        """Look at all that stands between two texts."""
        self._bytes += end - begin
        if self._bytes > _MAX_BETWEEN_BYTES:
            raise MalformedBody("The body holds too much beside its texts.")
        piece = self._text[begin:end]
        self._values += sum(map(piece.count, (b",", b"[", b"{")))
        if self._values > MAX_VALUES:
            raise MalformedBody("The body holds too many values.")
        # NaN and Infinity are no JSON, but parsers take them. Nothing else has these letters outside of texts.
        if b"N" in piece or b"I" in piece:
            raise MalformedBody("The body is not JSON.")
        if piece.lstrip(_BLANKS).startswith(b":"):
            self._note_key()
        for bracket in _BRACKET.findall(piece):
            self._note_bracket(bracket)

    def end_of(self, begin: int) -> int:
        """Return where the text has ended that begins at *begin*."""
        searched = begin + 1
        while (quote := self._text.find(b'"', searched)) >= 0:
            self._quotes += 1
            if self._quotes > _MAX_QUOTES:
                raise MalformedBody("The body holds too many quotes.")
            if self._text[quote - 1] != _BACKSLASH:
                return quote + 1
            before = self._text[searched:quote]
            if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
                return quote + 1
            searched = quote + 1
        raise MalformedBody("A text of the body has no end.")

    def _note_key(self) -> None:
        fields = self._fields[-1] if self._fields else None
        if fields is None or self.key is None:
            raise MalformedBody("The body is not JSON.")
        begin, end = self.key
        if end - begin > _MAX_KEY_BYTES:
            raise MalformedBody("The name of a field is too long.")
        try:
            key = json.loads(self._text[begin:end])  # one key may be written in several ways
        except ValueError:
            raise MalformedBody("The body is not JSON.") from None
        if key in fields:
            raise MalformedBody("The body holds a field twice.")
        fields.add(key)
        if len(fields) > MAX_FIELDS:
            raise MalformedBody("An object of the body has too many fields.")

    def _note_bracket(self, bracket: bytes) -> None:
        if bracket in b"[{":
            self._fields.append(set() if bracket == b"{" else None)
            if len(self._fields) > MAX_DEPTH:
                raise MalformedBody("The body is nested too deeply.")
        elif self._fields:
            self._fields.pop()
        else:
            raise MalformedBody("The body is not JSON.")
