"""Running periodic tasks, each in one reporter at a time."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from imageconverter import audit
from imageconverter.errors import Unavailable
from imageconverter.resources import Resources
from services.runtime.lifecycle import run_unless_stopped

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 5


@dataclass(frozen=True)
class PeriodicTask:
    """A task that runs once every *seconds*."""

    name: str
    seconds: int
    work: Callable[[], Coroutine[Any, Any, int]]
    """Runs the task and returns the number of items it processed."""


async def run_periodic_tasks(tasks: Sequence[PeriodicTask], resources: Resources, stopping: asyncio.Event) -> None:
    """Run each of *tasks* when it is due, concurrently with the others, until *stopping* is set.

    None runs while this stack does not own the bucket.
    """
    async with asyncio.TaskGroup() as group:
        for task in tasks:
            group.create_task(_repeat(task, resources, stopping))


async def _repeat(task: PeriodicTask, resources: Resources, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        if not resources.ownership.problem:
            await run_unless_stopped(stopping, _run_if_due(task, resources))
        await run_unless_stopped(stopping, asyncio.sleep(_POLL_SECONDS))


async def _run_if_due(task: PeriodicTask, resources: Resources) -> None:
    queue = resources.queue
    try:
        if not await queue.try_claim_periodic(task.name, seconds=task.seconds):
            return
        with resources.activity.running(task.name), resources.metrics.periodic_task(task.name):
            count = await task.work()
        await queue.record_periodic_run(task.name, count)
        if count:
            audit.record(task.name, actor=f"task {task.name}", count=count)
    except Unavailable as error:
        _log.warning("periodic task failed", task=task.name, reason=error.reason)
    except Exception:  # noqa: BLE001 - the other tasks continue
        _log.exception("internal error in periodic task", task=task.name)
