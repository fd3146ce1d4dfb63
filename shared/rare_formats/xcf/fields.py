"""Reading numbers from an XCF file: big-endian, at offsets from the file itself, which are untrusted."""

import os
import struct
from typing import IO

_STRING_BYTES = 64  # more than any name that is needed


class Fields:
    """A cursor in the file. Every method raises ValueError if the file is too short."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.length = file.seek(0, os.SEEK_END)
        self.wide_pointers = False
        """Whether a pointer is 8 bytes long, as from version 11 on, or 4."""
        file.seek(0)

    def seek(self, offset: int) -> None:
        """Go to *offset*, in bytes from the start of the file."""
        if not 0 <= offset <= self.length:
            raise ValueError("a pointer is beyond the end of the file")
        self._file.seek(offset)

    def skip(self, size: int) -> None:
        """Skip *size* bytes."""
        self.seek(self.tell() + size)

    def tell(self) -> int:
        """Return the current offset."""
        return self._file.tell()

    def take(self, size: int) -> bytes:
        """Read *size* bytes."""
        if size > self.length - self.tell():
            raise ValueError("the file ends too early")
        return self._file.read(size)

    def at_most(self, size: int) -> bytes:
        """Read *size* bytes, or the rest of the file if it is shorter."""
        return self._file.read(size)

    def integer(self) -> int:
        """Read an unsigned integer of 4 bytes."""
        return int.from_bytes(self.take(4), "big")

    def integers(self, count: int) -> tuple[int, ...]:
        """Read *count* unsigned integers of 4 bytes."""
        return struct.unpack(f">{count}I", self.take(4 * count))

    def pointer(self) -> int:
        """Read an offset in the file; 0 means none, or the end of a list."""
        return self.pointers(1)[0]

    def pointers(self, count: int) -> tuple[int, ...]:
        """Read *count* offsets in the file."""
        size, code = (8, "Q") if self.wide_pointers else (4, "I")
        return struct.unpack(f">{count}{code}", self.take(size * count))

    @property
    def pointer_size(self) -> int:
        """Size of a pointer in bytes."""
        return 8 if self.wide_pointers else 4

    def string(self) -> bytes:
        """Read a string; only its first 64 bytes are returned."""
        size = self.integer()
        end = self.tell() + size
        text = self.take(min(size, _STRING_BYTES))
        self.seek(end)
        return text.rstrip(b"\0")
