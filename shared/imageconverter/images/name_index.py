"""An index of the names in a tree, to search for any part of them.

A store can list names by their beginning only. The index is built from a listing when it is first needed, searched
while it is being built, refreshed in the background, and dropped if it was not searched for a while. It has names
only: what is found is looked up in the store, so that nothing is shown that is not there any more.
"""

import asyncio
import bisect
import unicodedata
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from functools import partial
from typing import Final, NamedTuple, Self

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.images.directories import PREFIXES, Root, is_file
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_SEPARATOR: Final = b"\0"  # no key contains it
_MIN_AGE_SECONDS: Final = 60.0
_MAX_LISTING_SHARE: Final = 0.1  # of the time, however long a listing takes
_IDLE_SECONDS: Final = 600.0
# Of one search, so that it takes about as long with a million names as with a thousand; the next page continues it.
_BUDGET: Final = 100
_LISTED_COST: Final = 25  # a chunk that is not in the index, in chunks
_CHUNKS_AT_ONCE: Final = 16  # before other requests have their turn
_WAIT_SECONDS: Final = 0.5


class _Chunk(NamedTuple):
    """A page of a listing."""

    last: str
    folded: bytes
    """The paths, for comparison without regard to case."""
    paths: bytes
    """Compressed; empty if they are the same."""

    @classmethod
    def of(cls, paths: list[str]) -> Self:
        """Return the chunk of *paths*."""
        plain = _SEPARATOR.join(path.encode() for path in paths)
        folded = _SEPARATOR.join(path.casefold().encode() for path in paths)
        return cls(paths[-1], folded, b"" if plain == folded else zlib.compress(plain, level=1))

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.folded) + len(self.paths)

    def find(self, needle: bytes, prefix: str, after: str) -> list[str]:
        """Return the paths that contain *needle*, begin with *prefix* and are behind *after*."""
        if needle not in self.folded:
            return []
        folded = self.folded.split(_SEPARATOR)
        paths = zlib.decompress(self.paths).split(_SEPARATOR) if self.paths else folded
        found = (path.decode() for line, path in zip(folded, paths, strict=True) if needle in line)
        return [path for path in found if path.startswith(prefix) and path > after]


class NameIndex:
    """The names in one tree."""

    def __init__(self, store: ObjectStore, root: Root, *, max_bytes: int) -> None:
        """Index the tree *root* when it is first searched; names beyond *max_bytes* are listed for each search."""
        self._store = store
        self._root = root
        self._max_bytes = max_bytes
        self._chunks: list[_Chunk] = []
        self._is_whole = False
        self._next_build = 0.0
        self._building: asyncio.Task[None] | None = None
        self._failure: StoreUnavailable | None = None
        self._grown = asyncio.Event()
        self._idle: asyncio.TimerHandle | None = None

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(chunk.size for chunk in self._chunks)

    async def search(self, text: str, directory: str, *, after: str, size: int) -> tuple[list[StoredObject], str]:
        """Return up to *size* files below *directory*, "" for the root, whose path contains *text*, and a cursor.

        The search goes on behind *after*, a cursor; with one, there may be more, although none was found. Case is
        ignored. Raises StoreUnavailable.
        """
        needle = unicodedata.normalize("NFC", text).casefold().encode(errors="replace")
        prefix = f"{directory}/" if directory else ""
        paths, cursor, left = list[str](), "", float(_BUDGET)
        async with aclosing(self._chunks_from(max(after, prefix))) as chunks:
            async for chunk, cost in chunks:
                paths += chunk.find(needle, prefix, after)
                left -= cost
                if len(paths) > size:
                    paths = paths[:size]
                    cursor = paths[-1]
                    break
                if chunk.last > prefix and not chunk.last.startswith(prefix):
                    break
                if left <= 0:
                    cursor = chunk.last
                    break
            else:
                cursor = max(after, self._chunks[-1].last) if self._is_incomplete else ""
        heads = await bounded(partial(self._store.head, PREFIXES[self._root] + path) for path in paths)
        return [stored for stored in heads if stored is not None and is_file(stored)], cursor

    async def close(self) -> None:
        """Drop the index, and stop building it."""
        self._drop()
        if self._building is not None:
            self._building.cancel()
            await asyncio.wait([self._building])

    @property
    def _is_incomplete(self) -> bool:
        """Whether the first build has not ended."""
        return self._building is not None and not self._building.done() and not self._next_build

    async def _chunks_from(self, after: str) -> AsyncGenerator[tuple[_Chunk, float], None]:
        """Yield the chunks from the one that contains *after* on, each with what it costs.

        Ends after a while if the index has not got further.
        """
        self._start()
        until = asyncio.get_running_loop().time() + _WAIT_SECONDS
        position = -1
        while True:
            chunks = self._chunks
            if position < 0 and chunks and (chunks[-1].last >= after or not self._is_incomplete):
                position = bisect.bisect_left(chunks, after, key=lambda chunk: chunk.last)
            while 0 <= position < len(chunks):
                yield chunks[position], 1
                position += 1
                if position % _CHUNKS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            if not self._is_incomplete:
                break
            if chunks and asyncio.get_running_loop().time() > until:
                return
            await self._wait()
        if self._failure is not None and not self._next_build:
            raise self._failure
        if not self._is_whole:
            last = self._chunks[-1].last if self._chunks else ""
            async for paths in self._listed(max(after, last)):
                yield _Chunk.of(paths), _LISTED_COST

    def _start(self) -> None:
        """Build the index if it is missing or old, and put off dropping it."""
        loop = asyncio.get_running_loop()
        if loop.time() >= self._next_build and (self._building is None or self._building.done()):
            self._failure = None
            self._building = loop.create_task(self._build())
        if self._idle is not None:
            self._idle.cancel()
        self._idle = loop.call_later(_IDLE_SECONDS, self._drop)

    async def _wait(self) -> None:
        """Wait until the index has grown, but not long."""
        self._grown.clear()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._grown.wait(), _WAIT_SECONDS)

    async def _build(self) -> None:
        """List the tree. The chunks of an earlier listing are used until this one is complete."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        chunks: list[_Chunk] = []
        size, is_whole = 0, True
        if not self._next_build:
            self._chunks = chunks
        try:
            async for paths in self._listed(""):
                chunks.append(_Chunk.of(paths))
                size += chunks[-1].size
                self._grown.set()
                if size > self._max_bytes:
                    is_whole = False
                    break
            self._chunks, self._is_whole = chunks, is_whole
            took = loop.time() - began
            self._next_build = loop.time() + max(_MIN_AGE_SECONDS, took / _MAX_LISTING_SHARE)
        except StoreUnavailable as error:
            self._failure = error
        finally:
            self._grown.set()

    async def _listed(self, after: str) -> AsyncIterator[list[str]]:
        prefix = PREFIXES[self._root]
        async for page in self._store.list(prefix, after=prefix + after if after else ""):
            paths = [stored.key.removeprefix(prefix) for stored in page if is_file(stored)]
            if self._root == "source":
                paths = [path for path in paths if not path.startswith(f"{keys.UPLOADS}/")]
            if paths:
                yield paths

    def _drop(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
        self._chunks, self._is_whole, self._next_build = [], False, 0.0
