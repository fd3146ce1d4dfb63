"""The output index: what the metadata of outputs say, which a listing does not show, in few objects.

The metadata remain the truth: an entry holds only for an object with its ETag, and an output without one is looked up
alone. So entries may be lost, as by two processes that add some at once, but none can be wrong.

A directory has its entries in segments of about a thousand names in their order, and a table of contents: the first
name of each segment.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple, TypeVar

import structlog
from pydantic import TypeAdapter, ValidationError

from imageconverter import keys
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore

_Value = TypeVar("_Value")

_log = structlog.get_logger(__name__)

MIN_NAMES: Final = 16
"""Fewer are not worth reading or writing a segment."""
_SEGMENT_NAMES: Final = 1000


class IndexedOutput(NamedTuple):
    """What the index has of an output."""

    fingerprint: str
    etag: str
    """Quoted, as in HTTP."""
    run: str
    """The run that has made it, or ""."""


class MadeOutput(NamedTuple):
    """An output at a path in the target tree, as its metadata describe it."""

    path: str
    indexed: IndexedOutput


Segment = dict[str, IndexedOutput]

_CONTENTS: Final = TypeAdapter(list[str])
_SEGMENT: Final = TypeAdapter(Segment)


class OutputIndex:
    """The output index in a store. All methods raise StoreUnavailable."""

    def __init__(self, store: ObjectStore) -> None:
        """Use *store*."""
        self._store = store

    async def find(self, directory: str, names: Iterable[str]) -> Segment:
        """Return the entries of *names* in a target directory, none if these come from all over a large one."""
        wanted = _by_segment(await self._contents(directory), names)
        if _is_scattered(wanted):
            return {}
        segments = await bounded(partial(self._segment, directory, first) for first in wanted)
        return {
            name: segment[name]
            for segment, some in zip(segments, wanted.values(), strict=True)
            for name in some
            if name in segment
        }

    async def add(self, made: Iterable[MadeOutput]) -> None:
        """Add entries, or replace those of the same paths; few, or those from all over a large directory, are not."""
        directories: dict[str, Segment] = {}
        for path, indexed in made:
            directory, _, name = path.rpartition("/")
            directories.setdefault(directory, {})[name] = indexed
        await bounded(
            partial(self._add, directory, entries)
            for directory, entries in directories.items()
            if len(entries) >= MIN_NAMES
        )

    async def _add(self, directory: str, entries: Segment) -> None:
        contents = await self._contents(directory)
        changed = _by_segment(contents, entries)
        if _is_scattered(changed):
            return
        firsts = set(contents)
        for first, names in changed.items():
            before = await self._segment(directory, first)
            for begin, part in _split(first, before | {name: entries[name] for name in names}).items():
                await self._put(keys.output_index_segment(directory, begin), _SEGMENT.dump_json(part))
                firsts.add(begin)
        if len(firsts) > len(contents):
            await self._put(keys.output_index_contents(directory), _CONTENTS.dump_json(sorted(firsts)))

    async def _contents(self, directory: str) -> list[str]:
        """Return the first names of the segments, in order; that of the first one is ""."""
        return await self._read(keys.output_index_contents(directory), _CONTENTS) or [""]

    async def _segment(self, directory: str, first: str) -> Segment:
        return await self._read(keys.output_index_segment(directory, first), _SEGMENT) or {}

    async def _read(self, key: str, adapter: TypeAdapter[_Value]) -> _Value | None:
        loaded = await self._store.get(key)
        if loaded is None:
            return None
        try:
            return adapter.validate_json(bytes(loaded.data))
        except ValidationError as error:
            _log.warning("output index unreadable", key=key, error=str(error))
            return None

    async def _put(self, key: str, data: bytes) -> None:
        await self._store.put(key, data, content_type="application/json")


def _by_segment(contents: Sequence[str], names: Iterable[str]) -> dict[str, list[str]]:
    """Return *names* by the first name of the segment in which they belong."""
    found: dict[str, list[str]] = {}
    for name in names:
        found.setdefault(contents[bisect_right(contents, name) - 1], []).append(name)
    return found


def _is_scattered(wanted: Mapping[str, Sequence[str]]) -> bool:
    """Whether so many segments would be needed for these names that the outputs themselves are better looked up."""
    return len(wanted) > max(2, sum(map(len, wanted.values())) // MIN_NAMES)


def _split(first: str, segment: Segment) -> dict[str, Segment]:
    """Return a segment, or several if it has become too large, by their first names."""
    if len(segment) <= 2 * _SEGMENT_NAMES:
        return {first: segment}
    names = sorted(segment)
    parts = [names[begin : begin + _SEGMENT_NAMES] for begin in range(0, len(names), _SEGMENT_NAMES)]
    return {part[0] if part is not parts[0] else first: {name: segment[name] for name in part} for part in parts}
