"""The index of previews in Redis: the keys, the previews of each, and the time of its last access.

The images are in the object store; the index determines which of its objects are in use. Each change is one script,
so that the counters are always exact. The script that removes a group also marks it as a pending delete until its
objects are deleted, and a group that is being written is marked as a pending write. So no object is left behind if a
process is killed (see `imageconverter.previews.eviction`).
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import redis_command, redis_errors, script_text

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

_KEYS = [
    keys.PREVIEW_IDS,
    keys.PREVIEW_BYTES,
    keys.PREVIEW_PENDING_WRITES,
    keys.PREVIEW_PENDING_DELETES,
    keys.PREVIEW_CONTEXTS,
]
_SCAN_COUNT = 1000
_NO_LIMIT = 2**53
# After this time, the writer of a group that is not published is considered dead.
_PENDING_WRITE_SECONDS = 3600


@dataclass(frozen=True, slots=True)
class Preview:
    """One stored preview."""

    media_type: str
    size: int
    """Bytes."""
    etag: str
    width: int
    """Pixels."""
    height: int


@dataclass(frozen=True, slots=True)
class Group:
    """The previews of one key."""

    key: str
    generation: str
    created: float
    """When this generation was created, in seconds since the epoch."""
    contexts: frozenset[str]
    bytes: int
    """Total size of the source and the previews."""
    previews: Mapping[str, Preview]
    """By `PreviewFormat.documented`."""
    context_added: bool = False
    """Whether this look-up added its context, which is not in the store's `group.json` yet."""


class Totals(NamedTuple):
    """The totals of all groups."""

    keys: int
    bytes: int
    idle: float | None
    """Seconds since the last access of the least recently used key, None if there is no key."""


class InUse(NamedTuple):
    """The objects of a key that are in use."""

    generation: str | None
    pending_write: bool
    """Whether further objects are being written."""


class PendingDelete(NamedTuple):
    """A key with objects to delete."""

    key: str
    since: bytes


class PreviewIndex:
    """Finds, changes, counts and removes groups. Every method raises QueueUnavailable if Redis does not answer.

    The time of a look-up or change depends on the size of its group and the logarithm of the number of groups.
    """

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*; an operation is retried for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._find = _script(redis, "find")
        self._mark_pending_write = _script(redis, "mark_pending_write")
        self._abandon_write = _script(redis, "abandon_write")
        self._publish_generation = _script(redis, "publish_generation")
        self._add = _script(redis, "add")
        self._forget = _script(redis, "forget")
        self._restore = _script(redis, "restore")
        self._remove = _script(redis, "remove")
        self._evict = _script(redis, "evict")
        self._pending_deletes = _script(redis, "pending_deletes")
        self._confirm_deleted = _script(redis, "confirm_deleted")

    async def find(self, key: str, *, context: str = "") -> Group | None:
        """Return the group of *key*, or None. Records the access, and adds *context* to the group."""
        context_added, fields = await self._run(self._find, keys.preview_id(key), context)
        return group_of_fields(key, fields, context_added=context if context_added else "")

    async def mark_pending_write(self, key: str, *, max_bytes: int | None = None) -> bool:
        """Mark *key* as being written until a generation is published; call it before the first object is put.

        Returns False, and marks nothing, if all previews together have more than *max_bytes*.
        """
        limit = "" if max_bytes is None else max_bytes
        return bool(await self._run(self._mark_pending_write, keys.preview_id(key), limit))

    async def abandon_write(self, key: str) -> PendingDelete:
        """Turn the pending write of *key* into a pending delete of what it has written; a group of it stays."""
        return PendingDelete(key, await self._run(self._abandon_write, keys.preview_id(key)))

    async def publish_generation(
        self, key: str, generation: str, *, context: str, source_bytes: int, previews: Mapping[str, Preview]
    ) -> str | None:
        """Create the group of *key*, or replace its generation, in one step; contexts are kept.

        If it already has this generation, *previews* are added to it. Returns the generation that was replaced.
        """
        replaced = await self._run(
            self._publish_generation, keys.preview_id(key), generation, context, source_bytes, *_records(previews)
        )
        return None if replaced is None else str(replaced.decode())

    async def add(self, key: str, generation: str, previews: Mapping[str, Preview]) -> bool:
        """Add *previews*; returns False if the group was removed or has another generation."""
        return bool(await self._run(self._add, keys.preview_id(key), generation, *_records(previews)))

    async def forget(self, key: str, generation: str, documented: str, preview: Preview) -> bool:
        """Remove *preview*, the object of which is missing, from its group; returns False if it was replaced."""
        return bool(await self._run(self._forget, keys.preview_id(key), generation, *_records({documented: preview})))

    async def remove(self, key: str) -> Group | None:
        """Remove and return the group of *key*, and mark its objects as pending deletes."""
        return group_of_fields(key, await self._run(self._remove, keys.preview_id(key)))

    async def evict(
        self, count: int, *, idle: float | None, max_keys: int | None, max_bytes: int | None
    ) -> list[str]:
        """Remove up to *count* least recently used groups and return their keys.

        Groups are removed while the next one was not accessed for *idle* seconds, there are more than *max_keys*, or
        they have more than *max_bytes* in total. Their objects become pending deletes.
        """
        limits = (None if idle is None else int(idle * 1000), max_keys, max_bytes)
        evicted = await self._run(self._evict, count, *(_NO_LIMIT if each is None else each for each in limits))
        return [keys.preview_key(each) for each in evicted]

    async def restore(self, group: Group) -> bool:
        """Create *group* as read from the store; returns False if it exists or its objects are being deleted.

        It counts as accessed now.
        """
        return bool(
            await self._run(
                self._restore,
                keys.preview_id(group.key),
                group.generation,
                int(group.created * 1000),
                group.bytes - sum(preview.size for preview in group.previews.values()),
                len(group.contexts),
                *group.contexts,
                *_records(group.previews),
            )
        )

    async def count(self, context: str = "") -> int:
        """Return the number of keys, or of those of *context*."""
        command = ("SCARD", keys.preview_context(context)) if context else ("ZCARD", keys.PREVIEW_IDS)
        return int(await redis_command(self._redis, self._retry_timeout, *command))

    async def keys(self, context: str = "") -> AsyncIterator[list[str]]:
        """List all keys, or those of *context*, in batches and in no particular order.

        Keys that are added or removed meanwhile may or may not be listed, and a key may be listed twice.
        """
        scan = ("SSCAN", keys.preview_context(context)) if context else ("ZSCAN", keys.PREVIEW_IDS)
        cursor = None
        while cursor != 0:
            cursor, found = await redis_command(
                self._redis, self._retry_timeout, *scan, cursor or 0, "COUNT", _SCAN_COUNT
            )
            yield [keys.preview_key(each if context else each[0]) for each in found]

    async def totals(self) -> Totals:
        """Return the totals, all of the same moment."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.zcard(keys.PREVIEW_IDS)
            pipe.get(keys.PREVIEW_BYTES)
            pipe.zrange(keys.PREVIEW_IDS, 0, 0, withscores=True)
            pipe.hget(keys.CLOCK, "steady")
            count, size, least_recently_used, steady = await pipe.execute()
        idle = max(0, int(steady or 0) - least_recently_used[0][1]) / 1000 if least_recently_used else None
        return Totals(int(count), int(size or 0), idle)

    async def in_use(self, key: str) -> InUse:
        """Return which objects of *key* are in use; this does not count as an access."""
        identity = keys.preview_id(key)
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("HGET", keys.preview(identity), "gen")
            pipe.zscore(keys.PREVIEW_PENDING_WRITES, identity)
            generation, since = await pipe.execute()
        return InUse(None if generation is None else generation.decode(), since is not None)

    async def pending_deletes(self, count: int) -> list[PendingDelete]:
        """Return up to *count* keys with objects to delete, the longest waiting first.

        Keys that are being written are omitted, unless for more than an hour, after which the write is abandoned.
        """
        found = await self._run(self._pending_deletes, count, _PENDING_WRITE_SECONDS * 1000)
        return [
            PendingDelete(keys.preview_key(each), since) for each, since in zip(found[::2], found[1::2], strict=True)
        ]

    async def confirm_deleted(self, pending: PendingDelete) -> None:
        """Record that the objects of a key are deleted."""
        await self._run(self._confirm_deleted, keys.preview_id(pending.key), pending.since)

    async def _run(self, script: "AsyncScript", *arguments: Any) -> Any:
        async with redis_errors(self._retry_timeout):
            return await script(keys=_KEYS, args=[keys.preview(b""), keys.preview_context(""), *arguments])


def live_prefixes(key: str, generation: str | None) -> tuple[str, ...]:
    """Return the prefixes of the objects of *key* that are in use with this *generation*."""
    return () if generation is None else (keys.preview_group(key), keys.preview_generation(key, generation))


def _script(redis: Redis, name: str) -> "AsyncScript":
    return redis.register_script(script_text("imageconverter.previews", "group", name))


def _records(previews: Mapping[str, Preview]) -> Iterable[str]:
    """Return the records of *previews*: short, because a value over 64 bytes doubles the memory of the hash."""
    for documented, each in previews.items():
        yield documented
        yield f"{each.size} {each.width} {each.height} {each.media_type} {each.etag}"


def _preview(text: str) -> Preview:
    size, width, height, media_type, etag = text.split(" ", 4)
    return Preview(media_type, int(size), etag, int(width), int(height))


def group_of_fields(key: str, flat: Sequence[bytes], *, context_added: str = "") -> Group | None:
    """Return the group of *key* with the fields *flat*, alternately name and value; None if there are none."""
    if not flat:
        return None
    fields = {name.decode(): value.decode() for name, value in zip(flat[::2], flat[1::2], strict=True)}
    contexts = {name[2:] for name in fields if name.startswith("c:")}
    return Group(
        key,
        fields["gen"],
        int(fields["made"]) / 1000,
        frozenset(contexts | {context_added} if context_added else contexts),
        int(fields["bytes"]),
        {name[2:]: _preview(text) for name, text in fields.items() if name.startswith("f:")},
        context_added=bool(context_added),
    )
