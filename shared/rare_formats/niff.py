"""NIFF, the Navy Image File Format: TIFF with the letters "N1" in place of the number 42.

Source: the description by the TIFF mailing list (January 2004). Pages are bilevel, small ones in strips, large ones
in tiles.
"""

import io
from typing import IO, cast

from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

_TIFF_HEADS = {b"IIN1": b"II*\0", b"MMN1": b"MM\0*"}


class NiffImageFile(TiffImageFile):
    """The first page of a NIFF file, opened by Pillow's TIFF plugin."""

    format = "NIFF"
    format_description = "Navy Image File Format"

    def _open(self) -> None:
        if self.fp is None:
            raise ValueError("the file is closed")
        head = self.fp.read(4)
        if head not in _TIFF_HEADS:
            raise SyntaxError("not a NIFF file")
        self.fp = cast("IO[bytes]", _TiffHeadedFile(self.fp, _TIFF_HEADS[head]))
        super()._open()


class _TiffHeadedFile(io.BufferedIOBase):
    """A file whose first bytes are replaced."""

    def __init__(self, file: IO[bytes], head: bytes) -> None:
        self._file = file
        self._head = head
        file.seek(0)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read as from any file."""
        at = self._file.tell()
        data = self._file.read(-1 if size is None else size)
        head = self._head[at : at + len(data)]
        return head + data[len(head) :] if head else data

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Seek as in any file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the position as of any file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return True."""
        return True


def _accept(prefix: bytes) -> bool:
    return prefix[:4] in _TIFF_HEADS


Image.register_open(NiffImageFile.format, NiffImageFile, _accept)
Image.register_extensions(NiffImageFile.format, [".niff", ".nif"])
