"""Contents of images that are sent: bytes, files and streams."""

import asyncio
import base64
import hashlib
import io
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO

Content = bytes | Path | BinaryIO
"""An image to be sent: its bytes, a file by its path, or an open file, of which the rest is sent."""
Progress = Callable[[int, int | None], None]
"""Is called with the number of bytes so far and of all bytes, None if that is not known."""

CHUNK_BYTES = 256 * 1024
_AT_ONCE_BYTES = 1024 * 1024  # a smaller file is read as a whole


def is_repeatable(content: Content | None) -> bool:
    """Whether *content* can be sent again."""
    return content is None or isinstance(content, bytes | Path)


def repr_digest(sha256: str) -> dict[str, str]:
    """Return the header that announces *sha256*, in hexadecimal digits (RFC 9530)."""
    return {"Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(sha256)).decode()}:"}


def sha256_of(header: str) -> str:
    """Return the SHA-256 in the header Repr-Digest, in hexadecimal digits; "" if it has none."""
    _, found, rest = header.partition("sha-256=:")
    return base64.b64decode(rest.partition(":")[0]).hex() if found else ""


def file_digest(path: Path, algorithm: str) -> str:
    """Return the digest of a file in hexadecimal digits. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


class Body:
    """The body of one request: opened, measured and read in chunks."""

    def __init__(self, content: Content, on_progress: Progress | None = None) -> None:
        """Send *content*, and call *on_progress* after each chunk."""
        self._content = content
        self._on_progress = on_progress
        self.file: BinaryIO = io.BytesIO()
        """The open content."""
        self.size: int | None = None
        """Bytes; None if it is not known before the end."""

    async def open(self) -> None:
        """Open the content and measure it. Raises OSError."""
        self.file = await asyncio.to_thread(self._opened)

    def _opened(self) -> BinaryIO:
        if isinstance(self._content, bytes):
            self.size = len(self._content)
            return io.BytesIO(self._content)
        file = self._content.open("rb") if isinstance(self._content, Path) else self._content
        if file.seekable():
            start = file.tell()
            self.size = file.seek(0, os.SEEK_END) - start
            file.seek(start)
        if isinstance(self._content, Path) and self.size is not None and self.size <= _AT_ONCE_BYTES:
            with file:
                return io.BytesIO(file.read())
        return file

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the content. Raises OSError."""
        sent = 0
        is_memory = isinstance(self.file, io.BytesIO)
        while chunk := (
            self.file.read(CHUNK_BYTES) if is_memory else await asyncio.to_thread(self.file.read, CHUNK_BYTES)
        ):
            yield chunk
            sent += len(chunk)
            if self._on_progress is not None:
                self._on_progress(sent, self.size)

    def close(self) -> None:
        """Close the file, unless it is the caller's."""
        if isinstance(self._content, Path):
            self.file.close()
