"""Which stack may use the bucket.

Two stacks, each with a Redis of its own, would cancel, restore and sweep each other's runs. So the bucket has a mark
with the id of the stack that owns it. Every process of that stack renews the mark; no other stack serves requests or
executes jobs until the mark is older than `_LEASE`, by the clock of the object store.
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from uuid import uuid4

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import BucketNotOwned, QueueUnavailable, Unavailable
from imageconverter.jobs import redis_command, redis_errors
from imageconverter.storage.store import LoadedObject, ObjectStore

_log = structlog.get_logger(__name__)

_LEASE = timedelta(seconds=150)
_HELD_SECONDS = 120  # since the last renewal; shorter than the lease, as the store's clock has whole seconds
_RENEWAL_SECONDS = 15
_RETRY_SECONDS = 0.5  # while the store or Redis does not respond
_RETRY_TIMEOUT_SECONDS = 4

_UNCONFIRMED = "It is not confirmed that this stack owns the bucket: the object store or Redis does not respond."
_FOREIGN = (
    "Another stack owns the bucket: stop it and wait for two and a half minutes, or set IMAGECONVERTER_S3_BUCKET to "
    "another bucket."
)


class Ownership:
    """The ownership of the bucket, as this process knows it; the id of its stack is in Redis and in memory."""

    def __init__(self, store: ObjectStore, redis: Redis) -> None:
        """Assume that this stack owns the bucket until `kept` is entered or `claim` is called."""
        self._store = store
        self._redis = redis
        self._stack = ""
        self._held_until = math.inf
        self._problem = _UNCONFIRMED

    @property
    def problem(self) -> str:
        """Why this stack may not use the bucket, as a sentence; "" if it may."""
        return "" if time.monotonic() < self._held_until else self._problem

    def require(self) -> None:
        """Raise BucketNotOwned if there is a `problem`."""
        if problem := self.problem:
            raise BucketNotOwned(problem)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Claim the bucket during the block, again and again."""
        self._held_until = -math.inf
        ending = asyncio.Event()  # not a cancellation, which redis-py may swallow
        keeping = asyncio.create_task(self._keep(ending))
        try:
            yield
        finally:
            ending.set()
            await keeping

    async def _keep(self, ending: asyncio.Event) -> None:
        logged = ""
        while not ending.is_set():
            try:
                await self.claim()
            except Unavailable as error:
                _log.debug("claim of the bucket failed", reason=error.reason)
            except Exception:  # noqa: BLE001 - the next claim may succeed
                _log.exception("internal error in the claim of the bucket")
            problem = self.problem
            if problem not in ("", logged):
                _log.warning("bucket not owned", problem=problem)
            logged = problem
            with suppress(TimeoutError):
                await asyncio.wait_for(ending.wait(), _RETRY_SECONDS if problem == _UNCONFIRMED else _RENEWAL_SECONDS)

    async def claim(self) -> None:
        """Renew the mark if this stack owns the bucket; take it if no stack does. `problem` is the result.

        Raises StoreUnavailable and QueueUnavailable; then the result is that of the last claim, for two minutes.
        """
        began = time.monotonic()
        mark = await self._store.get(keys.OWNER)
        owner = _stack_of(mark)
        is_known = owner != "" and owner == self._stack
        if not is_known:
            self._stack = await self._stack_in_redis()
        if owner == self._stack:  # a store that is full, and does not take the renewal, still shows that
            self._held_until = max(self._held_until, began + 2 * _RENEWAL_SECONDS)
        is_ours = owner in ("", self._stack) or await self._is_abandoned(mark)
        if is_ours and not await self._write(mark):  # another process has just written it
            is_ours = _stack_of(await self._store.get(keys.OWNER)) == self._stack
        self._held_until = began + _HELD_SECONDS if is_ours else -math.inf
        self._problem = _UNCONFIRMED if is_ours else _FOREIGN
        if is_known:
            with suppress(QueueUnavailable):  # it may have lost the id
                await redis_command(self._redis, _RETRY_TIMEOUT_SECONDS, "SET", keys.STACK, self._stack)

    async def _stack_in_redis(self) -> str:
        """Return the id of this stack in Redis; if there is none, that of this process becomes it, or a new one."""
        async with redis_errors(_RETRY_TIMEOUT_SECONDS), self._redis.pipeline(transaction=True) as pipe:
            pipe.set(keys.STACK, self._stack or uuid4().hex, nx=True)
            pipe.get(keys.STACK)
            _, stack = await pipe.execute()
        return str(stack, "utf-8")

    async def _is_abandoned(self, mark: LoadedObject | None) -> bool:
        return mark is not None and mark.stored.modified < await self._store.cutoff(_LEASE)

    async def _write(self, before: LoadedObject | None) -> bool:
        """Write the mark of this stack over *before*; returns False if that is not the current one."""
        text = f"{self._stack} {uuid4().hex}"  # equal marks would have equal ETags
        return await self._store.replace(
            keys.OWNER, text.encode(), content_type="text/plain", before=before.stored if before else None
        )


def _stack_of(mark: LoadedObject | None) -> str:
    """Return the id of the stack that has written *mark*, "" if there is none."""
    return "" if mark is None else bytes(mark.data).decode(errors="replace").partition(" ")[0]
