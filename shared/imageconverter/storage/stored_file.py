"""A stored object as a file of which only what is read is fetched."""

import io
from typing import TYPE_CHECKING

import obstore

if TYPE_CHECKING:
    from obstore.store import S3Store
    from typing_extensions import Buffer

_BUFFER_BYTES = 64 * 1024


class _RangeReader(io.RawIOBase):
    """Reads byte ranges of an object of *size* bytes, each by a request."""

    def __init__(self, store: "S3Store", key: str, size: int) -> None:
        super().__init__()
        self._store = store
        self._key = key
        self._size = size
        self._position = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self._size}[whence]
        self._position = max(0, start + offset)
        return self._position

    def readinto(self, buffer: "Buffer") -> int:
        view = memoryview(buffer).cast("B")
        length = min(len(view), self._size - self._position)
        if length <= 0:
            return 0
        data = obstore.get_range(self._store, self._key, start=self._position, length=length)
        view[:length] = memoryview(data)
        self._position += length
        return length


def open_stored(store: "S3Store", key: str, size: int) -> io.BufferedReader:
    """Return the object at *key*, which has *size* bytes, as a file; its methods block."""
    return io.BufferedReader(_RangeReader(store, key, size), _BUFFER_BYTES)
