"""The worker process: one arq worker a lane and the children they share, restarted together after trouble."""

import asyncio

import structlog

from imageconverter.jobs import Lane, LaneWorker
from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import Settings
from services.runtime.lifecycle import known_as_alive, unless_stopped
from services.runtime.queue_workers import run_lanes
from services.worker.conversions import Conversion
from services.worker.previews import Previewing
from services.worker.sandbox.pool import ChildPool
from services.worker.tasks import tasks_of_lanes

_log = structlog.get_logger(__name__)

ROLE = "worker"

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
            tasks = tasks_of_lanes(resources, conversion, previewing)
            slots = settings.worker.child_count * _SLOTS_PER_CHILD

            def lanes() -> list[LaneWorker]:
                return [
                    LaneWorker(
                        lane,
                        each.tasks,
                        resources.redis,
                        give_up=each.give_up,
                        # Who waits for a job is told at once that the store is away.
                        is_paused=None if lane is Lane.INTERACTIVE else lambda: resources.store.is_away,
                        slots=slots,
                        job_seconds=_JOB_SECONDS,
                    )
                    for lane, each in tasks.items()
                ]

            await run_lanes(lanes, stopping)
