"""Lists of previews for people: keys by page, with what is stored of them, and contexts.

Nothing here counts as an access.
"""

from itertools import chain
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import redis_command, redis_errors
from imageconverter.previews.index import Group, group_of_fields

_MAX_SEARCHED: Final = 3000  # keys for one page, within a few milliseconds
_MAX_CONTEXTS: Final = 1000
_MAX_COUNT: Final = 1000


class ListedGroup(NamedTuple):
    """A group, and when it was last accessed."""

    group: Group
    idle: float
    """For how many seconds it was not accessed."""


class GroupPage(NamedTuple):
    """A part of a list of groups."""

    items: list[ListedGroup]
    cursor: int
    """Where the next page starts; 0 if this is the last one."""


class Context(NamedTuple):
    """A context."""

    name: str
    keys: int
    """How many keys have it."""


class PreviewListing:
    """Lists groups and contexts. Every method raises QueueUnavailable if Redis does not answer."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*; an operation is retried for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout

    async def recent(self, *, start: int, size: int) -> GroupPage:
        """Return up to *size* groups from the *start*-th on, the one that was accessed last first."""
        ids = await self._command("ZREVRANGE", keys.PREVIEW_IDS, start, start + size)
        return GroupPage(await self._groups(ids[:size]), start + size if len(ids) > size else 0)

    async def search(self, text: str, *, context: str, start: int, size: int) -> GroupPage:
        """Return about *size* groups whose key contains *text*, of *context* if that is not "", in no order.

        A page ends early after 3,000 keys, so that it may have few items, or none, although there are further pages.
        """
        found = [keys.preview_id(text)] if text and not start and not context else []  # if there is that key
        source = ("SSCAN", keys.preview_context(context)) if context else ("ZSCAN", keys.PREVIEW_IDS)
        cursor, searched, count = start, 0, size
        while True:
            cursor, batch = await self._command(*source, cursor, "COUNT", count)
            ids = batch if context else [each for each, _ in batch]
            searched += len(ids)
            matching = [each for each in ids if text in keys.preview_key(each)]
            found += [each for each in matching if each not in found]
            count = min(count * 2, _MAX_COUNT) if not matching else count
            if cursor == 0 or len(found) >= size or searched >= _MAX_SEARCHED:
                return GroupPage(await self._groups(found), cursor)

    async def contexts(self) -> list[Context]:
        """Return the contexts, the one with most keys first: a thousand of them, if there are more.

        Contexts that were added by an earlier release are there when another key has got them.
        """
        names: list[bytes] = []
        cursor = None
        while cursor != 0 and len(names) < _MAX_CONTEXTS:
            cursor, batch = await self._command("SSCAN", keys.PREVIEW_CONTEXTS, cursor or 0, "COUNT", _MAX_COUNT)
            names += batch
        texts = sorted({name.decode() for name in names})[:_MAX_CONTEXTS]
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            for name in texts:
                pipe.scard(keys.preview_context(name))
            counts = await pipe.execute()
        found = [Context(name, count) for name, count in zip(texts, counts, strict=True) if count]
        return sorted(found, key=lambda each: -each.keys)

    async def _groups(self, ids: list[bytes]) -> list[ListedGroup]:
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.CLOCK, "steady")
            for each in ids:
                pipe.execute_command("HGETALL", keys.preview(each))
                pipe.zscore(keys.PREVIEW_IDS, each)
            steady, *values = await pipe.execute()
        listed = []
        for each, fields, accessed in zip(ids, values[::2], values[1::2], strict=True):
            group = group_of_fields(keys.preview_key(each), [*chain.from_iterable(fields.items())])
            if group is not None and accessed is not None:  # unless it was removed meanwhile
                listed.append(ListedGroup(group, max(0.0, int(steady or 0) - accessed) / 1000))
        return listed

    async def _command(self, *command: object) -> Any:
        return await redis_command(self._redis, self._retry_timeout, *command)
