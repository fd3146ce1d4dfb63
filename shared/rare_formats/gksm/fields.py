"""The fields of a GKS metafile, one after another: numbers of fixed width, as text or in binary, and characters."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from rare_formats.gksm.header import Header

_MAX_REAL = 1e12  # coordinates are between 0 and 1

Array = np.ndarray[Any, np.dtype[Any]]


class Fields(ABC):
    """A cursor in a metafile. All methods raise ValueError if the data does not have what they read."""

    def __init__(self, data: bytes, header: Header) -> None:
        self._data = data
        self._header = header
        self._at = 0

    @abstractmethod
    def begin_item(self) -> tuple[int, int] | None:
        """Read the start of an item: return its kind and length, or None at the end of the file."""

    @abstractmethod
    def end_item(self, length: int | None) -> None:
        """Go to the end of the item; *length* is its declared length, if the kind is unknown."""

    @abstractmethod
    def characters(self, count: int) -> str:
        """Read a text."""

    @abstractmethod
    def _integer(self, width: int) -> int:
        """Read one integer."""

    @abstractmethod
    def _values(self, count: int, *, real: bool) -> Array:
        """Read *count* numbers as stored."""

    def integers(self, count: int) -> Array:
        """Read integers."""
        return self._values(count, real=False)

    def reals(self, count: int) -> Array:
        """Read real numbers of a magnitude that can be drawn."""
        values = self._values(count, real=True).astype("f8")
        if self._header.whole:
            zero, one = self._header.whole
            values = (values - zero) / (one - zero)
        if not (np.abs(values) < _MAX_REAL).all():
            raise ValueError("a coordinate is not a number")
        return values

    def numbers(self, form: str) -> tuple[float, ...]:
        """Read numbers of a *form* such as `iir`: two integers and a real."""
        return tuple(
            float(self.reals(1)[0]) if each == "r" else self._integer(self._header.integer_width) for each in form
        )

    def _check(self, count: int, width: int) -> None:
        if not 0 <= count * width <= len(self._data) - self._at:
            raise ValueError("the file is truncated")


class TextFields(Fields):
    """Numbers in decimal digits. A line ends after each item, or anywhere if items have a prefix."""

    def __init__(self, data: bytes, header: Header) -> None:
        if header.prefix:
            super().__init__(data[header.end :].translate(None, b"\r\n"), header)
            self._seek_prefix()
        else:
            super().__init__(data[header.end :].replace(b"\r", b""), header)
            self._seek_line()

    def begin_item(self) -> tuple[int, int] | None:
        """Read the prefix, the kind and the length."""
        header = self._header
        self._at += len(header.prefix)
        while self._at < len(self._data):
            middle = self._at + header.kind_width
            end = middle + header.length_width
            if self._data[middle : middle + 1].isdigit():  # XGKS writes lengths that exceed their field
                while self._data[end : end + 1].isdigit():
                    end += 1
            kind, length = self._data[self._at : middle], self._data[middle:end]
            if kind.strip(b" \n\0\x1a"):
                self._at = end
                return int(kind), int(length)
            self._seek_line()
        return None

    def end_item(self, length: int | None) -> None:
        """Go to the next prefix or line."""
        if not self._header.prefix:
            self._seek_line()
        elif length is not None and self._data.startswith(self._header.prefix, self._at + max(length, 0)):
            self._at += max(length, 0)
        else:
            self._seek_prefix()

    def characters(self, count: int) -> str:
        """Read a text, which ends with its line."""
        end = self._at + max(count, 0)
        if not self._header.prefix and (line_end := self._data.find(b"\n", self._at, end)) >= 0:
            end = line_end
        text = self._data[self._at : end]
        self._at += len(text)
        return text.decode("latin-1")

    def _integer(self, width: int) -> int:
        return int(self._take(width))

    def _values(self, count: int, *, real: bool) -> Array:
        width = self._header.real_width if real else self._header.integer_width
        self._check(count, width)
        piece = self._take(count * width)
        kind = "f8" if real else "i8"
        return np.frombuffer(piece.replace(b"D", b"E"), f"S{width}").astype(kind)

    def _take(self, count: int) -> bytes:
        """Return characters, without the line ends inside of a list."""
        piece = self._data[self._at : self._at + count]
        self._at += len(piece)
        if b"\n" not in piece:
            return piece
        pieces = []
        self._at -= len(piece)
        while count > 0:
            end = self._data.find(b"\n", self._at, self._at + count)
            piece = self._data[self._at : end if end >= 0 else self._at + count]
            pieces.append(piece)
            count -= len(piece)
            self._at += len(piece) + (end >= 0)
            if self._at >= len(self._data) and count > 0:
                raise ValueError("the file is truncated")
        return b"".join(pieces)

    def _seek_line(self) -> None:
        end = self._data.find(b"\n", self._at)
        self._at = end + 1 if end >= 0 else len(self._data)

    def _seek_prefix(self) -> None:
        found = self._data.find(self._header.prefix, self._at)
        self._at = found if found >= 0 else len(self._data)


class BinaryFields(Fields):
    """Binary numbers; the kind of the first item reveals the byte order."""

    def __init__(self, data: bytes, header: Header) -> None:
        super().__init__(data, header)
        self._at = header.end
        if not data.startswith(header.prefix, self._at):
            self.end_item(None)
        start = self._at + len(header.prefix)
        first = data[start : start + header.kind_width]
        self._order = ">" if int.from_bytes(first, "big") <= int.from_bytes(first, "little") else "<"

    def begin_item(self) -> tuple[int, int] | None:
        """Read the prefix, the kind and the length."""
        if self._at >= len(self._data):
            return None
        self._at += len(self._header.prefix)
        return self._integer(self._header.kind_width), self._integer(self._header.length_width)

    def end_item(self, length: int | None) -> None:
        """Skip an unknown item, and go to the next prefix if there are prefixes."""
        self._at += max(length or 0, 0)
        found = self._data.find(self._header.prefix, self._at)
        self._at = found if found >= 0 else len(self._data)

    def characters(self, count: int) -> str:
        """Read a text."""
        self._check(count, 1)
        text = self._data[self._at : self._at + count]
        self._at += count
        return text.decode("latin-1")

    def _integer(self, width: int) -> int:
        self._check(1, width)
        piece = self._data[self._at : self._at + width]
        self._at += width
        return int.from_bytes(piece, "big" if self._order == ">" else "little", signed=True)

    def _values(self, count: int, *, real: bool) -> Array:
        width = self._header.real_width if real else self._header.integer_width
        self._check(count, width)
        kind = np.dtype(f"{self._order}{'f' if real and not self._header.whole else 'i'}{width}")
        values = np.frombuffer(self._data, kind, count, self._at)
        self._at += count * width
        return values
