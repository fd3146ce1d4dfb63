"""The tokens of a FIG file: numbers, which can be on any line, comments, texts and whole lines."""

import re

_MAX_NUMBER = 1e9
# No input makes these backtrack more than once over itself. Possessive groups are avoided: Python before 3.11.5
# matches some of them wrongly (python/cpython#106052).
_BLANK = re.compile(r"\s*(?:^#[^\n]*\s*)*", re.MULTILINE)
_WORD = re.compile(r"(\S+)")
_LINE = re.compile(r"([^\n]*)")
_TEXT = re.compile(r"([^\\]*(?:\\(?!001)[\s\S][^\\]*)*)\\001")
_OLD_TEXT = re.compile(r"([^\x01]*)\x01")
_ESCAPE = re.compile(r"\\(?:([0-7]{3})|([\s\S]))")


class Scanner:
    """A cursor in the text of a FIG file. Its methods raise ValueError if the text does not have what they read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    @property
    def is_at_end(self) -> bool:
        """Whether only space and comments are left."""
        return self._blank_end() == len(self._text)

    @property
    def words_left(self) -> int:
        """The maximum number of words that can be left."""
        return (len(self._text) - self._at) // 2 + 1

    def number(self) -> float:
        """Read a number. Raises ValueError also if it is too large for any drawing."""
        word = self._match(_WORD, self._blank_end())
        value = float(word)
        if not abs(value) <= _MAX_NUMBER:
            raise ValueError(f"the number {word[:20]} is out of range")
        return value

    def numbers(self, count: int) -> list[float]:
        """Read *count* numbers."""
        return [self.number() for _ in range(count)]

    def integer(self) -> int:
        """Read an integer, which may be written as a real number."""
        return int(self.number())

    def line(self) -> str:
        """Read the rest of the line, or the next line that is not empty."""
        return self._match(_LINE, self._blank_end())

    def skip_line(self) -> None:
        """Go to the start of the next line."""
        self._at = self._text.find("\n", self._at) + 1 or len(self._text)

    def text(self, *, escaped: bool) -> str:
        r"""Read a text up to its end mark: the characters `\001`, with escapes, if *escaped*; else a byte of 1."""
        found = self._match(_TEXT if escaped else _OLD_TEXT, self._at + 1)  # a blank follows the last number
        if escaped:
            found = _ESCAPE.sub(lambda each: chr(int(each[1], 8) & 0xFF) if each[1] else each[2], found)
        try:
            return found.encode("latin-1").decode()  # as xfig writes it since version 3.2.8
        except UnicodeDecodeError:
            return found

    def _blank_end(self) -> int:
        match = _BLANK.match(self._text, self._at)
        return match.end() if match else self._at

    def _match(self, pattern: re.Pattern[str], start: int) -> str:
        match = pattern.match(self._text, start)
        if match is None:
            raise ValueError("the drawing ends too early")
        self._at = match.end()
        return match[1]
