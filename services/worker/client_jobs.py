"""Jobs that a client waits for: they end if it leaves, and move to a queue of their own if they are expensive."""

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

from imageconverter.errors import QueueFull, QueueUnavailable, Unavailable
from imageconverter.jobs import JobContext, JobQueue, MovedJob, QueueName
from services.worker.sandbox.pool import ExpensiveImage

_Result = TypeVar("_Result")
_CHECK_SECONDS = 0.5
_LEFT = "The client has left."


@dataclass(frozen=True)
class ClientJobs:
    """The jobs of one queue that clients wait for."""

    queue: JobQueue
    queue_name: QueueName
    max_expensive: int
    """The largest number of expensive jobs that wait or run."""

    @property
    def are_expensive(self) -> bool:
        """Whether it is the queue of those that are."""
        return self.queue_name is QueueName.EXPENSIVE

    async def run(self, context: JobContext, work: Coroutine[Any, Any, _Result], *, waited: bool) -> _Result:
        """Await *work*; a job that was enqueued as *waited* for ends if no client waits for it.

        Raises Unavailable then, MovedJob if the image should be converted as an expensive one, and QueueFull if there
        are too many of these.
        """
        try:
            return await (self._run_while_waited_for(context, work) if waited else work)
        except ExpensiveImage:
            if await self.queue.depth(QueueName.EXPENSIVE) >= self.max_expensive:
                raise QueueFull("Too many images that take long are waiting; try again later.") from None
            raise MovedJob(QueueName.EXPENSIVE) from None

    async def _run_while_waited_for(self, context: JobContext, work: Coroutine[Any, Any, _Result]) -> _Result:
        # A job that is claimed at once is not looked up: that would be a command for each conversion.
        waits_since = context.get("score", 0) / 1000
        has_waited = self.are_expensive or time.time() > waits_since + _CHECK_SECONDS
        if has_waited and not await self._is_waited_for(context):
            work.close()
            raise Unavailable(_LEFT)
        working = asyncio.create_task(work)
        try:
            # The look-up is never cancelled itself: a cancellation may get lost in redis-py.
            while not (await asyncio.wait([working], timeout=_CHECK_SECONDS))[0]:
                if not await self._is_waited_for(context):
                    raise Unavailable(_LEFT)
            return await working
        finally:
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

    async def _is_waited_for(self, context: JobContext) -> bool:
        with suppress(QueueUnavailable):
            return await self.queue.is_waited_for(context["job_id"])
        return True
