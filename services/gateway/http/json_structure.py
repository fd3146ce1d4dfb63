"""Scan of a JSON body before it is parsed, which rejects what is expensive to parse or ambiguous.

It skips the contents of strings, so that tens of megabytes of base64 take milliseconds.
"""

import json
import re
from typing import Final

from imageconverter.errors import MalformedBody

MAX_DEPTH: Final = 32
"""Levels of nested arrays and objects."""
MAX_FIELDS: Final = 100
"""Fields of one object."""
MAX_VALUES: Final = 100_000
"""Values of the whole body, such as names and images of an upload, or names to delete."""

_MAX_QUOTES = 2 * MAX_VALUES
_MAX_STRUCTURE_BYTES = 4 * 1024 * 1024
_MAX_KEY_BYTES = 1000
_BLANKS = b" \t\r\n"
_BACKSLASH = ord("\\")
_BRACKET = re.compile(rb"[\[\]{}]")


def check_structure(text: bytes | bytearray) -> None:
    """Raise MalformedBody if *text* must not be parsed; otherwise it may still be invalid JSON."""
    scan = _Scan(text)
    end = 0
    while (begin := text.find(b'"', end)) >= 0:
        scan.between(end, begin)
        end = scan.end_of(begin)
        scan.key = begin, end
    scan.between(end, len(text))


class _Scan:
    """The state of a scan."""

    def __init__(self, text: bytes | bytearray) -> None:
        self.key: tuple[int, int] | None = None
        """Begin and end of the last string: a key, if a colon follows."""
        self._text = text
        self._fields: list[set[str] | None] = []  # keys of each open object; None for an array
        self._bytes = self._quotes = self._values = 0

    def between(self, begin: int, end: int) -> None:
        """Check the structure between two strings."""
        self._bytes += end - begin
        if self._bytes > _MAX_STRUCTURE_BYTES:
            raise MalformedBody("The body has too much text outside of strings.")
        piece = self._text[begin:end]
        self._values += sum(map(piece.count, (b",", b"[", b"{")))
        if self._values > MAX_VALUES:
            raise MalformedBody("The body has too many values.")
        # NaN and Infinity are not JSON, but parsers accept them. Nothing else has these letters outside of strings.
        if b"N" in piece or b"I" in piece:
            raise MalformedBody("The body is not JSON.")
        if piece.lstrip(_BLANKS).startswith(b":"):
            self._note_key()
        for bracket in _BRACKET.findall(piece):
            self._note_bracket(bracket)

    def end_of(self, begin: int) -> int:
        """Return the end of the string that begins at *begin*."""
        searched = begin + 1
        while (quote := self._text.find(b'"', searched)) >= 0:
            self._quotes += 1
            if self._quotes > _MAX_QUOTES:
                raise MalformedBody("The body has too many quotation marks.")
            if self._text[quote - 1] != _BACKSLASH:
                return quote + 1
            before = self._text[searched:quote]
            if (len(before) - len(before.rstrip(b"\\"))) % 2 == 0:
                return quote + 1
            searched = quote + 1
        raise MalformedBody("A string of the body has no end.")

    def _note_key(self) -> None:
        fields = self._fields[-1] if self._fields else None
        if fields is None or self.key is None:
            raise MalformedBody("The body is not JSON.")
        begin, end = self.key
        if end - begin > _MAX_KEY_BYTES:
            raise MalformedBody("The name of a field is too long.")
        try:
            key = json.loads(self._text[begin:end])  # escapes allow several spellings of a key
        except ValueError:
            raise MalformedBody("The body is not JSON.") from None
        if key in fields:
            raise MalformedBody("The body has a duplicate field.")
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
