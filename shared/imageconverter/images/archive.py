"""Zip archives of converted images, made while they are sent, so that none is in memory or on a disk."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final, NamedTuple
from zipfile import ZipFile, ZipInfo

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.images.archive_names import ArchiveNames
from imageconverter.storage.store import ObjectStore, OpenedObject

MISSING_FILE: Final = "missing.txt"
"""The entry that names the images which did not exist any more."""
_AHEAD: Final = 8
_PIECE_BYTES: Final = 256 * 1024
_MODE: Final = 0o644
_FIRST_YEAR: Final = 1980  # that a zip archive can hold


class _Image(NamedTuple):
    """An image whose first bytes are in memory: while others are sent, the store may end its request."""

    path: str
    opened: OpenedObject | None
    """None if there is no such image."""
    head: bytes


class _Pieces:
    """The file that `ZipFile` writes to: what was written waits to be sent."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: pieces are taken, not flushed."""

    def take(self, *, at_least: int = 1) -> bytes:
        """Return and forget what waits, if it has *at_least* so many bytes."""
        if len(self._waiting) < at_least:
            return b""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


async def zip_archive(store: ObjectStore, paths: Iterable[str]) -> AsyncGenerator[bytes]:
    """Yield the pieces of a zip archive of the images at *paths*, which are in normal form, in the target tree.

    Images are stored without compression, which would gain nothing. Those that do not exist are listed in
    `MISSING_FILE`. Raises NotFound before the first piece if none exists, and StoreUnavailable.
    """
    pieces, names, missing = _Pieces(), ArchiveNames(), list[str]()
    count = 0
    with ZipFile(pieces, "w") as archive:  # type: ignore[call-overload]  # a file that has no position
        async with aclosing(_images(store, dict.fromkeys(paths))) as images:
            async for path, opened, head in images:
                if opened is None:
                    missing.append(path)
                    continue
                count += 1
                with archive.open(_entry(names.add(path), opened), "w") as entry:
                    entry.write(head)
                    async for chunk in opened.chunks:
                        entry.write(chunk)
                        yield pieces.take()
                if piece := pieces.take(at_least=_PIECE_BYTES):
                    yield piece
        if not count:
            raise NotFound("None of the images exists.")
        if missing:
            archive.writestr(names.add(MISSING_FILE), "".join(f"{path}\n" for path in missing))
    yield pieces.take()


def _entry(name: str, opened: OpenedObject) -> ZipInfo:
    modified = opened.stored.modified
    entry = ZipInfo(name, date_time=(max(modified.year, _FIRST_YEAR), *modified.timetuple()[1:6]))
    entry.file_size = opened.stored.size  # for the decision whether 64 bits are needed
    entry.external_attr = _MODE << 16
    return entry


async def _images(store: ObjectStore, paths: Iterable[str]) -> AsyncGenerator[_Image]:
    """Yield the images at *paths*; some are opened ahead."""
    waiting: deque[asyncio.Task[_Image]] = deque()
    try:
        for path in paths:
            waiting.append(asyncio.create_task(_opened(store, path)))
            if len(waiting) >= _AHEAD:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _opened(store: ObjectStore, path: str) -> _Image:
    opened = await store.open(keys.target(path))
    return _Image(path, opened, await anext(opened.chunks, b"") if opened is not None else b"")
