"""What is to be done again and again, each by one reporter at a time however many run."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from imageconverter.errors import Unavailable
from imageconverter.jobs import JobQueue
from services.runtime.lifecycle import run_unless_stopped

_log = structlog.get_logger(__name__)

_LOOK_SECONDS = 5


@dataclass(frozen=True)
class PeriodicTask:
    """A task that is due once in every span of *seconds*."""

    name: str
    seconds: int
    work: Callable[[], Coroutine[Any, Any, int]]
    """Does it and returns how many things it dealt with."""


async def run_periodic_tasks(tasks: Sequence[PeriodicTask], queue: JobQueue, stopping: asyncio.Event) -> None:
    """Do each of *tasks* whenever it is due, beside the others, until *stopping* is set."""
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_repeat(task, queue, stopping))


async def _repeat(task: PeriodicTask, queue: JobQueue, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        await run_unless_stopped(stopping, _do_if_due(task, queue))
        await run_unless_stopped(stopping, asyncio.sleep(_LOOK_SECONDS))


async def _do_if_due(task: PeriodicTask, queue: JobQueue) -> None:
    try:
        if not await queue.try_claim_periodic(task.name, seconds=task.seconds):
            return
        count = await task.work()
        await queue.record_periodic_run(task.name, count)
        if count:
            _log.info("recurring task done", task=task.name, count=count)
    except Unavailable as error:
        _log.warning("recurring task failed, next try when it is due again", task=task.name, reason=error.reason)
    except Exception:  # noqa: BLE001 - the others go on
        _log.exception("recurring task failed by a fault of ours", task=task.name)
