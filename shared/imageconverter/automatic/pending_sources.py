"""The sources that wait for an automatic run, and whether a scan is to find others. All of it is in Redis.

What Redis loses is found by a scan, which a reporter requests then.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import redis_errors, script_text

MAX_PENDING: Final = 10_000
"""More are left to a scan."""
_SUBMITTED_SECONDS: Final = 24 * 3600
_MAX_SUBMITTED: Final = 200_000
_LEASE_SECONDS: Final = 60
_RENEWALS_PER_LEASE: Final = 3


class PendingState(NamedTuple):
    """How many sources are pending, and what the scan is doing."""

    waiting: int
    """Number of pending sources."""
    is_requested: bool
    """Whether a scan is to begin."""
    cursor: str | None
    """Where the scan in progress continues, None if there is none."""


class Submission(NamedTuple):
    """A pending source."""

    path: str
    number: int
    """Larger each time that the source is submitted."""


class PendingSources:
    """Submits, lists and removes pending sources, and keeps the state of the scan.

    All methods raise QueueUnavailable.
    """

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._submit = redis.register_script(script_text("imageconverter.automatic", "submit"))
        self._remove = redis.register_script(script_text("imageconverter.automatic", "remove"))
        self._hold = redis.register_script(script_text("imageconverter.automatic", "hold"))
        self._release = redis.register_script(script_text("imageconverter.automatic", "release"))

    async def submit(self, sources: Iterable[tuple[str, str]]) -> int:
        """Add sources, by path and version; returns the number of those that were added.

        A version that is not "" is added once a day, so that a source that cannot be converted is not tried all the
        time.
        """
        async with redis_errors(self._retry_timeout):
            return int(
                await self._submit(
                    keys=[keys.AUTOMATIC_PENDING, keys.AUTOMATIC, keys.AUTOMATIC_SUBMITTED],
                    args=[
                        MAX_PENDING,
                        _SUBMITTED_SECONDS * 1000,
                        _MAX_SUBMITTED,
                        *(text for source in sources for text in source),
                    ],
                )
            )

    async def first(self, count: int) -> list[Submission]:
        """Return up to *count* pending sources, the first ones; they stay pending until `remove`."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.AUTOMATIC_PENDING, 0, count - 1, withscores=True)
            (found,) = await pipe.execute()
        return [Submission(path.decode(), int(number)) for path, number in found]

    async def remove(self, submissions: Sequence[Submission]) -> None:
        """Remove the sources of *submissions* that were not submitted again since."""
        async with redis_errors(self._retry_timeout):
            await self._remove(
                keys=[keys.AUTOMATIC_PENDING], args=[str(value) for each in submissions for value in each]
            )

    async def state(self) -> PendingState:
        """Return how many sources are pending, and what the scan is doing."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.AUTOMATIC_PENDING)
            pipe.hmget(keys.AUTOMATIC, ["requested", "cursor"])
            waiting, (requested, cursor) = await pipe.execute()
        return PendingState(int(waiting), requested is not None, None if cursor is None else cursor.decode())

    @asynccontextmanager
    async def claimed(self) -> AsyncIterator[bool]:
        """Context with True in one reporter at a time; if it is killed, another one can have it a minute later."""
        token = uuid4().hex
        if not await self._renew(token):
            yield False
            return
        ending = asyncio.Event()  # not a cancellation, which redis-py may swallow
        renewing = asyncio.create_task(self._renew_until(ending, token))
        try:
            yield True
        finally:
            ending.set()
            await renewing
            async with redis_errors(self._retry_timeout):
                await self._release(keys=[keys.AUTOMATIC_LEASE], args=[token])

    async def _renew_until(self, ending: asyncio.Event, token: str) -> None:
        while not ending.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _LEASE_SECONDS / _RENEWALS_PER_LEASE)
            if not ending.is_set():
                with suppress(QueueUnavailable):
                    await self._renew(token)

    async def _renew(self, token: str) -> bool:
        async with redis_errors(self._retry_timeout):
            return bool(await self._hold(keys=[keys.AUTOMATIC_LEASE], args=[token, _LEASE_SECONDS * 1000]))
