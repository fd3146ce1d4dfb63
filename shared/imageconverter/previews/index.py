"""The index of previews in Redis: which keys there are, what is stored for each, and when it was last asked for.

The images are in the object store; the index says which of its objects count. Each change is one script, so that
the counters are those of the groups at every moment. Whatever is dropped is noted in the same step as leaving, and
stays noted until its objects are deleted; whatever is being put is noted as arriving. So no object is forgotten,
whoever is killed in between (see `imageconverter.previews.eviction`).
"""

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import redis_command, redis_errors, script_text

if TYPE_CHECKING:
    from redis.commands.core import AsyncScript

_KEYS = [keys.PREVIEW_IDS, keys.PREVIEW_BYTES, keys.PREVIEW_PENDING_WRITES, keys.PREVIEW_PENDING_DELETES]
_SCAN_COUNT = 1000
_NO_LIMIT = 2**53
# A group whose objects are not complete after that time has lost its writer.
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
    """Everything that is stored under one key."""

    key: str
    generation: str
    created: float
    """When this generation was, in seconds since the epoch."""
    contexts: frozenset[str]
    bytes: int
    """Of the source and the previews."""
    previews: Mapping[str, Preview]
    """By `PreviewFormat.documented`."""
    context_added: bool = False
    """Whether this look-up brought its context in: the store's `group.json` does not name it yet."""


class Totals(NamedTuple):
    """How much there is."""

    keys: int
    bytes: int
    oldest: float | None
    """Last access of the key that was not accessed for longest, in seconds since the epoch."""


class InUse(NamedTuple):
    """Which objects of a key count."""

    generation: str | None
    pending_write: bool
    """Whether others are being put."""


class PendingDelete(NamedTuple):
    """A key with objects that are to be deleted."""

    key: str
    since: bytes


class PreviewIndex:
    """Finds, changes, counts and removes groups. Raises QueueUnavailable where Redis does not answer.

    A look-up or change takes time by what its one group has, and by the logarithm of the number of groups.
    """

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*; an operation is tried for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._find = _script(redis, "find")
        self._mark_pending_write = _script(redis, "mark_pending_write")
        self._publish_generation = _script(redis, "publish_generation")
        self._add = _script(redis, "add")
        self._restore = _script(redis, "restore")
        self._remove = _script(redis, "remove")
        self._evict = _script(redis, "evict")
        self._pending_deletes = _script(redis, "pending_deletes")
        self._confirm_deleted = _script(redis, "confirm_deleted")

    async def find(self, key: str, *, context: str = "") -> Group | None:
        """Return the group of *key*, None where there is none. It counts as accessed, *context* as one of its own."""
        context_added, fields = await self._run(self._find, keys.preview_id(key), context)
        return _group(key, fields, context_added=context if context_added else "")

    async def mark_pending_write(self, key: str) -> None:
        """Note that objects of *key* are being put, until it is switched; call it before the first one is put."""
        await self._run(self._mark_pending_write, keys.preview_id(key))

    async def publish_generation(
        self, key: str, generation: str, *, context: str, source_bytes: int, previews: Mapping[str, Preview]
    ) -> str | None:
        """Make the group of *key* in one step, or replace it by another generation; its contexts stay.

        Where it has this generation, *previews* are added to it. Returns the generation that was replaced.
        """
        replaced = await self._run(
            self._publish_generation, keys.preview_id(key), generation, context, source_bytes, *_texts(previews)
        )
        return None if replaced is None else str(replaced.decode())

    async def add(self, key: str, generation: str, previews: Mapping[str, Preview]) -> bool:
        """Add *previews*; False where the group is gone or has another generation meanwhile."""
        return bool(await self._run(self._add, keys.preview_id(key), generation, *_texts(previews)))

    async def remove(self, key: str) -> Group | None:
        """Remove the group of *key* from the index; returns what it was. Whatever the store has of it is leaving."""
        return _group(key, await self._run(self._remove, keys.preview_id(key)))

    async def evict(
        self, count: int, *, idle: float | None, max_keys: int | None, max_bytes: int | None
    ) -> list[str]:
        """Remove up to *count* groups, those that were not accessed for longest, one by one while there is a reason.

        A reason is that the next one was not accessed for *idle* seconds, that there are more than *max_keys*, or
        that all together have more than *max_bytes*. Returns their keys. Their objects are leaving.
        """
        limits = (None if idle is None else int(idle * 1000), max_keys, max_bytes)
        evicted = await self._run(self._evict, count, *(_NO_LIMIT if each is None else each for each in limits))
        return [keys.preview_key(each) for each in evicted]

    async def restore(self, group: Group) -> bool:
        """Make *group* as it was read from the store; False where there is one, or its objects are being deleted.

        Nobody knows when it was accessed; it counts as accessed now.
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
                *_texts(group.previews),
            )
        )

    async def count(self, context: str = "") -> int:
        """Return how many keys there are, or how many *context* has asked for."""
        command = ("SCARD", keys.preview_context(context)) if context else ("ZCARD", keys.PREVIEW_IDS)
        return int(await redis_command(self._redis, self._retry_timeout, *command))

    async def keys(self, context: str = "") -> AsyncIterator[list[str]]:
        """List all keys, or those that *context* has asked for, in batches and in no order.

        What comes or goes meanwhile may be among them; Redis may name a key twice while many come or go.
        """
        scan = ("SSCAN", keys.preview_context(context)) if context else ("ZSCAN", keys.PREVIEW_IDS)
        cursor = None
        while cursor != 0:
            cursor, found = await redis_command(
                self._redis, self._retry_timeout, *scan, cursor or 0, "COUNT", _SCAN_COUNT
            )
            yield [keys.preview_key(each if context else each[0]) for each in found]

    async def totals(self) -> Totals:
        """Return how much there is, all at one moment."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.zcard(keys.PREVIEW_IDS)
            pipe.get(keys.PREVIEW_BYTES)
            pipe.zrange(keys.PREVIEW_IDS, 0, 0, withscores=True)
            count, size, least_recently_used = await pipe.execute()
        return Totals(int(count), int(size or 0), least_recently_used[0][1] / 1000 if least_recently_used else None)

    async def in_use(self, key: str) -> InUse:
        """Return which objects of *key* count; nothing counts as accessed by that."""
        identity = keys.preview_id(key)
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.execute_command("HGET", keys.preview(identity), "gen")
            pipe.zscore(keys.PREVIEW_PENDING_WRITES, identity)
            generation, since = await pipe.execute()
        return InUse(None if generation is None else generation.decode(), since is not None)

    async def pending_deletes(self, count: int) -> list[PendingDelete]:
        """Return up to *count* keys with objects that are to be deleted, the longest waiting first.

        Such that are arriving are left out, unless they have been for an hour: their writer is dead.
        """
        found = await self._run(self._pending_deletes, count, _PENDING_WRITE_SECONDS * 1000)
        return [
            PendingDelete(keys.preview_key(each), since) for each, since in zip(found[::2], found[1::2], strict=True)
        ]

    async def confirm_deleted(self, pending_deletes: PendingDelete) -> None:
        """Note that no objects of a key are left that had to be deleted."""
        await self._run(self._confirm_deleted, keys.preview_id(pending_deletes.key), pending_deletes.since)

    async def _run(self, script: "AsyncScript", *arguments: Any) -> Any:
        async with redis_errors(self._retry_timeout):
            return await script(keys=_KEYS, args=[keys.preview(b""), keys.preview_context(""), *arguments])


def live_prefixes(key: str, generation: str | None) -> tuple[str, ...]:
    """Return what the names of those objects of *key* begin with that count where it has this *generation*."""
    return () if generation is None else (keys.preview_group(key), keys.preview_generation(key, generation))


def _script(redis: Redis, name: str) -> "AsyncScript":
    return redis.register_script(script_text("imageconverter.previews", "group", name))


def _texts(previews: Mapping[str, Preview]) -> Iterable[str]:
    """Return what Redis keeps of *previews*: short, for a hash with a value above 64 bytes takes twice the memory."""
    for documented, each in previews.items():
        yield documented
        yield f"{each.size} {each.width} {each.height} {each.media_type} {each.etag}"


def _preview(text: str) -> Preview:
    size, width, height, media_type, etag = text.split(" ", 4)
    return Preview(media_type, int(size), etag, int(width), int(height))


def _group(key: str, flat: list[bytes], *, context_added: str = "") -> Group | None:
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
