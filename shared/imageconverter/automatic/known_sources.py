"""The sources that were seen below a directory: a scan finds out by them which ones are new, and which are gone.

They are kept in the store, by segments of about a thousand names in their order, and a table of contents: the first
name of each segment. What is lost of them is seen again, and no deletion of it is followed until then.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Sequence
from itertools import pairwise
from typing import Final, TypeVar

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.images import directories
from imageconverter.storage.store import ObjectStore

_Value = TypeVar("_Value")

_log = structlog.get_logger(__name__)

_SEGMENT_NAMES: Final = 1000
_END: Final = "\U0010ffff"  # sorts behind all names


class _Contents(BaseModel):
    """The table of contents."""

    by_directory: bool = False
    """Whether names are sorted directory by directory, as SeaweedFS lists them, and not by their bytes."""
    firsts: list[str] = [""]

    def overlapping(self, low: str, high: str) -> list[tuple[int, str, str]]:
        """Return index, first name and end of the segments that may have names behind *low* up to *high*."""
        begin, end = bisect_right(self.firsts, low) - 1, bisect_right(self.firsts, high)
        ends = [*self.firsts[1:], _END]
        return [(index, self.firsts[index], ends[index]) for index in range(begin, end)]


_CONTENTS: Final = TypeAdapter(_Contents)
_SEGMENT: Final = TypeAdapter(list[str])


async def remember(paths: Collection[str], formats: AutomaticFormats, store: ObjectStore) -> None:
    """Add the sources at *paths* to the known ones, in directories of formats whose outputs follow.

    Sources that are converted may be gone before a scan has seen them. Raises StoreUnavailable.
    """
    for directory in formats.directories:
        if formats.follows(directory):
            below = [keys.source(each) for each in paths if each.startswith(f"{directory}/")]
            await KnownSources(store, directory).add(below)


class KnownSources:
    """The known sources below one directory, by their keys. All methods raise StoreUnavailable.

    One scan at a time may use them.
    """

    def __init__(self, store: ObjectStore, directory: str) -> None:
        """Use those below *directory*; nothing is read yet."""
        self._store = store
        self._directory = directory
        self._prefix = directories.prefix("source", directory)
        self._read_contents: _Contents | None = None
        self._read_segment: tuple[str, list[str]] | None = None

    async def between(self, after: str, last: str) -> list[str]:
        """Return those behind *after*, "" for all, up to *last*."""
        contents = await self._contents()
        low, high = self._place(after), self._place(last)
        found: list[str] = []
        for _, first, _ in contents.overlapping(low, high):
            segment = await self._segment(first)
            found += segment[bisect_right(segment, low) : bisect_right(segment, high)]
        return [self._key(place) for place in found]

    async def next_after(self, after: str) -> list[str]:
        """Return the next ones behind *after*, about a thousand; none if there are no more."""
        contents = await self._contents()
        low = self._place(after)
        for _, first, _ in contents.overlapping(low, _END):
            segment = await self._segment(first)
            if found := segment[bisect_right(segment, low) :]:
                return [self._key(place) for place in found]
        return []

    async def replace(self, after: str, last: str, known: Sequence[str]) -> None:
        """Make *known* those behind *after* up to *last*."""
        contents = await self._contents()
        low, high = self._place(after), self._place(last)
        places = sorted(map(self._place, known))
        for index, first, end in reversed(contents.overlapping(low, high)):
            before = await self._segment(first)
            own = places[bisect_left(places, first) : bisect_left(places, end)]
            changed = before[: bisect_right(before, low)] + own + before[bisect_right(before, high) :]
            await self._put_segment(index, before, changed)

    async def add(self, sources: Collection[str]) -> None:
        """Add *sources*."""
        await self._change(sources, lambda before, own: sorted({*before, *own}))

    async def discard(self, sources: Collection[str]) -> None:
        """Remove *sources*."""
        await self._change(sources, lambda before, own: sorted(set(before).difference(own)))

    async def is_ordered(self, after: str, listed: Sequence[str]) -> bool:
        """Whether keys that the store has *listed* behind *after* are in the order of these names.

        If it has the other order, what is known is forgotten, and sorted by that from now on.
        """
        contents = await self._contents()
        if self._is_sorted(after, listed):
            return True
        contents.by_directory = not contents.by_directory
        if not self._is_sorted(after, listed):
            contents.by_directory = not contents.by_directory
            return False
        _log.info("order of a listing noticed", directory=self._directory, by_directory=contents.by_directory)
        contents.firsts = [""]
        await self._put(keys.known_sources_segment(self._directory, ""), _SEGMENT.dump_json([]))
        await self._put_contents()
        self._read_segment = None
        return True

    async def _change(self, sources: Collection[str], change: Callable[[list[str], list[str]], list[str]]) -> None:
        if not sources:
            return
        contents = await self._contents()
        places = sorted(set(map(self._place, sources)))
        for index, first, end in reversed(contents.overlapping("", _END)):
            if own := places[bisect_left(places, first) : bisect_left(places, end)]:
                before = await self._segment(first)
                await self._put_segment(index, before, change(before, own))

    def _is_sorted(self, after: str, listed: Sequence[str]) -> bool:
        places = [self._place(after), *map(self._place, listed)]
        return all(one < other for one, other in pairwise(places))

    def _place(self, key: str) -> str:
        """Return the name of a source, by which it is sorted; "" for the key "". The contents must have been read."""
        name = key.removeprefix(self._prefix)
        return name.replace("/", "\0") if self._read_contents and self._read_contents.by_directory else name

    def _key(self, place: str) -> str:
        return self._prefix + place.replace("\0", "/")

    async def _contents(self) -> _Contents:
        if self._read_contents is None:
            key = keys.known_sources_contents(self._directory)
            self._read_contents = await self._read(key, _CONTENTS) or _Contents()
        return self._read_contents

    async def _put_contents(self) -> None:
        await self._put(keys.known_sources_contents(self._directory), _CONTENTS.dump_json(await self._contents()))

    async def _segment(self, first: str) -> list[str]:
        if self._read_segment is None or self._read_segment[0] != first:
            key = keys.known_sources_segment(self._directory, first)
            self._read_segment = first, await self._read(key, _SEGMENT) or []
        return self._read_segment[1]

    async def _put_segment(self, index: int, before: list[str], names: list[str]) -> None:
        """Store the segment with that *index* if it has changed, as several if it has become too large."""
        if names == before:
            return
        contents = await self._contents()
        size = _SEGMENT_NAMES if len(names) > 2 * _SEGMENT_NAMES else len(names) or 1
        begins = list(range(0, len(names), size)) or [0]
        firsts = [contents.firsts[index], *(names[begin] for begin in begins[1:])]
        for first, begin in reversed(list(zip(firsts, begins, strict=True))):
            key = keys.known_sources_segment(self._directory, first)
            await self._put(key, _SEGMENT.dump_json(names[begin : begin + size]))
        self._read_segment = None
        if len(firsts) > 1:
            contents.firsts[index : index + 1] = firsts
            await self._put_contents()

    async def _read(self, key: str, adapter: TypeAdapter[_Value]) -> _Value | None:
        loaded = await self._store.get(key)
        if loaded is None:
            return None
        try:
            return adapter.validate_json(bytes(loaded.data))
        except ValidationError as error:
            _log.warning("known sources unreadable", key=key, error=str(error))
            return None

    async def _put(self, key: str, data: bytes) -> None:
        await self._store.put(key, data, content_type="application/json")
