"""Hearing of enqueued jobs, so that an idle worker begins one at once."""

import asyncio
from collections.abc import Callable

from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter import keys
from imageconverter.jobs.queue_name import QueueName

_LISTEN_SECONDS = 0.5  # at a time, so that stopping does not take longer
_WAKE_MS = 5000  # as in prelude.lua


class WakeListener:
    """Listens for jobs of one queue while the worker has a free slot; the worker's poll finds what this misses."""

    def __init__(
        self, queue: QueueName, redis: Redis, *, is_busy: Callable[[], bool], on_job: Callable[[], None]
    ) -> None:
        """Call *on_job* when a job is enqueued, unless *is_busy* returns True: another worker is to hear of it."""
        self._wake = keys.wake(queue)
        self._redis = redis
        self._is_busy = is_busy
        self._on_job = on_job
        self._slot_freed = asyncio.Event()
        self._is_stopping = False

    def slot_freed(self) -> None:
        """Listen again."""
        self._slot_freed.set()

    def stop(self) -> None:
        """End `run` soon."""
        self._is_stopping = True
        self._slot_freed.set()

    async def run(self) -> None:
        """Listen until `stop`."""
        while not self._is_stopping:
            if self._is_busy():
                self._slot_freed.clear()
                await self._slot_freed.wait()
                continue
            try:
                async with self._redis.pipeline(transaction=False) as pipe:
                    pipe.execute_command("BLPOP", self._wake, _LISTEN_SECONDS)
                    (woken,) = await pipe.execute()
                if woken is not None and self._is_busy():
                    await self._wake_another()
            except (RedisError, OSError):
                await asyncio.sleep(_LISTEN_SECONDS)  # the poll raises the error
            else:
                if woken is not None:
                    self._on_job()

    async def _wake_another(self) -> None:
        """Leave the entry of an enqueued job to another worker, as all slots have been taken in the meantime."""
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.rpush(self._wake, 1)
            pipe.pexpire(self._wake, _WAKE_MS)
            await pipe.execute()
