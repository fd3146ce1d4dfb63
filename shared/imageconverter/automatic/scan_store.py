"""The state of the scan for automatic runs, and the orphaned outputs that it has found. All of it is in Redis."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from heapq import nsmallest
from itertools import chain
from typing import Any, Final, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.automatic.orphans import Orphan
from imageconverter.images.image_formats import ImageFormat
from imageconverter.jobs import redis_command, redis_errors, script_text

SOURCES: Final = "sources"
"""The count of listed sources."""
SUBMITTED: Final = "submitted"
"""The count of those that were submitted for a run."""
UNLISTED: Final = "unlisted"
"""The count of known sources that were not listed, except those of which orphans were recorded before."""
MAX_UNLISTED: Final = 10_000
"""Of more, in one scan, the outputs are not looked for: so many are not deleted on purpose."""
MOVED: Final = "moved"
"""The count of orphaned outputs that were moved to the trash."""
_COUNT: Final = "count:"


def listed_of(image_format: ImageFormat) -> str:
    """Return the name of the count of listed sources of a format, which may be that of a subshop."""
    return f"{SOURCES}:{image_format.id}:{image_format.target_directory}"


class Refusal(BaseModel):
    """Why the orphaned outputs of a format were not moved to the trash."""

    model_config = ConfigDict(frozen=True)

    format: str
    """The node id of the format."""
    reason: str


class ScanRecord(BaseModel):
    """What the running scan has found so far, or the last one."""

    model_config = ConfigDict(frozen=True)

    started: str = ""
    """By Redis's clock, in ISO format; "" before the first scan. No two scans have the same."""
    ended: str = ""
    """"" while it is running."""
    share: float = 0
    """The share of the outputs of a format that the one who has requested it allows to be moved."""
    counts: Mapping[str, int] = {}
    refusals: tuple[Refusal, ...] = ()
    trash: tuple[str, ...] = ()
    """Ids of trash batches."""

    def has_too_many_unlisted(self, unlisted: int) -> bool:
        """Whether so many sources are *unlisted* that their outputs stay: a share of 1 allows any number."""
        return self.share < 1 and unlisted > MAX_UNLISTED


class ListedOrphans(NamedTuple):
    """A page of the orphaned outputs, by their paths."""

    page: tuple[Orphan, ...]
    total: int
    next_path: str
    """The last path of the page, "" if there are none behind it."""


class ScanStore:
    """Records scans. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._begin = redis.register_script(script_text("imageconverter.automatic", "begin"))
        self._advance = redis.register_script(script_text("imageconverter.automatic", "advance"))
        self._end = redis.register_script(script_text("imageconverter.automatic", "end"))

    async def request(self, *, share: float = 0) -> None:
        """Have all automatic directories scanned, once however often that is requested before.

        That scan may move the *share* of the outputs of a format to the trash, if the settings allow less.
        """
        fields: dict[str, float] = {"requested": 1} | ({"share": share} if share else {})
        await self._send("HSET", keys.AUTOMATIC, *[each for field in fields.items() for each in field])

    async def begin(self) -> None:
        """Record that a requested scan has begun."""
        started = await self._now()
        async with redis_errors(self._retry_timeout):
            await self._begin(keys=[keys.AUTOMATIC, keys.AUTOMATIC_SCAN], args=[started])

    async def advance(self, cursor: str, counts: Mapping[str, int], *, scan: str) -> None:
        """Record where the *scan*, by its start, continues, and add to its *counts*; nothing if it has ended."""
        fields = {_COUNT + name: str(count) for name, count in counts.items()}
        async with redis_errors(self._retry_timeout):
            await self._advance(
                keys=[keys.AUTOMATIC, keys.AUTOMATIC_SCAN], args=[scan, cursor, *chain.from_iterable(fields.items())]
            )

    async def count(self, name: str, count: int) -> int:
        """Add to one count of the scan; returns it."""
        return int(await self._send("HINCRBY", keys.AUTOMATIC_SCAN, _COUNT + name, count))

    async def end(self, *, scan: str, refusals: Sequence[Refusal], trash: Sequence[str], moved: int) -> None:
        """Record that the *scan* has ended, unless it had, and what has become of the orphaned outputs."""
        fields = {
            "ended": await self._now(),
            "refusals": json.dumps([each.model_dump() for each in refusals]),
            "trash": json.dumps(trash),
            _COUNT + MOVED: str(moved),
        }
        async with redis_errors(self._retry_timeout):
            await self._end(
                keys=[keys.AUTOMATIC, keys.AUTOMATIC_SCAN], args=[scan, *chain.from_iterable(fields.items())]
            )

    async def record(self) -> ScanRecord:
        """Return what is recorded of the running scan, or of the last one."""
        stored = await self._send("HGETALL", keys.AUTOMATIC_SCAN)
        fields = {name.decode(): value.decode() for name, value in stored.items()}
        counts = {name.removeprefix(_COUNT): int(fields.pop(name)) for name in [*fields] if name.startswith(_COUNT)}
        lists = {name: json.loads(fields.pop(name, "[]")) for name in ("refusals", "trash")}
        return ScanRecord.model_validate({**fields, **lists, "counts": counts})

    async def orphans(self) -> dict[str, Orphan]:
        """Return the orphaned outputs by path, in order."""
        stored = await self._send("HGETALL", keys.ORPHANS)
        return {each.path: each for each in _readable(text for _, text in sorted(stored.items()))}

    async def orphan_count(self) -> int:
        """Return the number of orphaned outputs."""
        return int(await self._send("HLEN", keys.ORPHANS))

    async def list_orphans(self, *, size: int, after: str = "", skip: int = 0) -> ListedOrphans:
        """Return up to *size* orphaned outputs with paths behind *after*, without the first *skip* of them."""
        paths, low = await self._send("HKEYS", keys.ORPHANS), after.encode()
        behind = nsmallest(skip + size + 1, (path for path in paths if path > low))[skip:]
        page = behind[:size]
        stored = await self._send("HMGET", keys.ORPHANS, *page) if page else []
        next_path = page[-1].decode() if len(behind) > size else ""
        return ListedOrphans(tuple(_readable(stored)), len(paths), next_path)

    async def put_orphans(self, orphans: Iterable[Orphan]) -> None:
        """Record *orphans*, or replace those with the same paths."""
        fields = [(each.path, each.model_dump_json()) for each in orphans]
        if fields:
            await self._send("HSET", keys.ORPHANS, *chain.from_iterable(fields))

    async def delete_orphans(self, paths: Sequence[str]) -> None:
        """Remove the orphaned outputs at *paths*, which are none any more."""
        if paths:
            await self._send("HDEL", keys.ORPHANS, *paths)

    async def _now(self) -> str:
        seconds, microseconds = await self._send("TIME")
        return datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(microseconds)).isoformat()

    async def _send(self, *command: str | bytes | float) -> Any:
        return await redis_command(self._redis, self._retry_timeout, *command)


def _readable(stored: Iterable[bytes | None]) -> Iterator[Orphan]:
    for text in stored:
        try:
            yield Orphan.model_validate_json(text or b"")
        except ValidationError:
            continue  # of another release, which the next scan finds again; or removed meanwhile
