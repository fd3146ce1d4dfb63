"""The worker process: one arq worker a lane and the children they share, restarted together after trouble."""

import asyncio
from collections.abc import Mapping

import structlog
from redis.exceptions import RedisError

from imageconverter.jobs import Lane, LaneWorker
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import Settings
from services.lifecycle import known_as_alive, unless_stopped
from services.worker.children.pool import ChildPool
from services.worker.conversion import Conversion
from services.worker.previewing import Previewing
from services.worker.tasks import LaneTasks, tasks_of_lanes

_log = structlog.get_logger(__name__)

ROLE = "worker"

_DRAIN_SECONDS = 20
_RESTART_SECONDS = 1
_PATIENCE_SECONDS = 30  # a Redis that restarts is waited for
# Jobs a child: while one is converted, the source of the next is fetched and the outputs of the last stored.
_SLOTS_PER_CHILD = 2
# The last resort. Everything in a job has its own, tighter limit, but for the wait for a child.
_JOB_SECONDS = 3600


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Run until *stopping* is set, then finish what runs and return."""
    async with open_resources(settings, patience=_PATIENCE_SECONDS) as resources:
        if not await unless_stopped(stopping, wait_for_bucket(resources.store)):
            return
        pool = ChildPool(settings.worker, max_pixels=settings.conversion.max_pixels)
        async with pool as children, known_as_alive(resources.queue, ROLE):
            conversion = Conversion(resources.store, children, settings.conversion.max_source_bytes)
            previewing = Previewing(
                resources.store,
                resources.previews,
                resources.queue,
                children,
                settings.previews,
                settings.conversion.max_source_bytes,
            )
            _log.info("worker ready", children=settings.worker.child_count)
            while not stopping.is_set():
                await _run_lanes(
                    resources,
                    tasks_of_lanes(resources, conversion, previewing),
                    settings.worker.child_count * _SLOTS_PER_CHILD,
                    stopping,
                )


async def _run_lanes(
    resources: Resources, work: Mapping[Lane, LaneTasks], slots: int, stopping: asyncio.Event
) -> None:
    """Run the lanes until *stopping* is set or one of them fails; either way all of them end."""
    lanes = [
        LaneWorker(lane, tasks.tasks, resources.redis, give_up=tasks.give_up, slots=slots, job_seconds=_JOB_SECONDS)
        for lane, tasks in work.items()
    ]
    running = [asyncio.create_task(lane.async_run()) for lane in lanes]
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait([*running, stop], return_when=asyncio.FIRST_COMPLETED)
    if stop.done():
        _log.info("worker stopping", running=sum(len(lane.tasks) for lane in lanes))
    stop.cancel()
    await asyncio.gather(*(lane.drain(_DRAIN_SECONDS) for lane in lanes))
    for outcome in await asyncio.gather(*running, return_exceptions=True):
        if isinstance(outcome, (RedisError, OSError)):
            _log.warning("lane restarts after trouble with Redis", error=str(outcome))
            await asyncio.sleep(_RESTART_SECONDS)
        elif isinstance(outcome, Exception):
            raise outcome
