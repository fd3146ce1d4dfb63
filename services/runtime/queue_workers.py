"""The queue workers of a process, restarted together after a connection error."""

import asyncio
from collections.abc import Callable, Sequence

import structlog
from redis.exceptions import RedisError

from imageconverter.jobs import QueueWorker

_log = structlog.get_logger(__name__)

_DRAIN_SECONDS = 6  # jobs that are still running are requeued and do not count as attempts
_RESTART_DELAY_SECONDS = 1


async def run_queue_workers(make: Callable[[], Sequence[QueueWorker]], stopping: asyncio.Event) -> None:
    """Run the workers that *make* returns until *stopping* is set, then drain them; make new ones after an error."""
    while not stopping.is_set():
        await _run_once(make(), stopping)


async def _run_once(workers: Sequence[QueueWorker], stopping: asyncio.Event) -> None:
    """Run *workers* until *stopping* is set or one of them fails, then drain all of them."""
    running = [asyncio.create_task(worker.async_run()) for worker in workers]
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([*running, stop], return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        _log.info("stopping", running=sum(len(worker.tasks) for worker in workers))
    stop.cancel()
    await asyncio.gather(*(worker.drain(_DRAIN_SECONDS) for worker in workers))
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, (RedisError, OSError)):
            _log.warning("queue workers restarting", error=str(outcome))
            await asyncio.sleep(_RESTART_DELAY_SECONDS)
        elif isinstance(outcome, Exception):
            raise outcome
