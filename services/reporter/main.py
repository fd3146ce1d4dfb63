"""The reporter process: its recurring tasks, each done by one reporter at a time however many run."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from imageconverter import uploads
from imageconverter.errors import Unavailable
from imageconverter.previews.eviction import evict
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.runs import revive
from imageconverter.settings import Settings
from services.lifecycle import known_as_alive, unless_stopped

_log = structlog.get_logger(__name__)

ROLE = "reporter"

_LOOK_SECONDS = 5
_REVIVE_SECONDS = 10
_PATIENCE_SECONDS = 30  # a Redis that restarts is waited for


@dataclass(frozen=True)
class Recurring:
    """A task that is due once in every span of *seconds*."""

    name: str
    seconds: int
    work: Callable[[], Coroutine[Any, Any, int]]
    """Does it and returns how many things it dealt with."""


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Do what is due until *stopping* is set."""
    async with open_resources(settings, patience=_PATIENCE_SECONDS) as resources:
        if not await unless_stopped(stopping, wait_for_bucket(resources.store)):
            return
        tasks = recurring_tasks(settings, resources)
        async with known_as_alive(resources.queue, ROLE):
            _log.info("reporter ready", tasks=[task.name for task in tasks])
            while not stopping.is_set():
                for task in tasks:
                    await unless_stopped(stopping, _do_if_due(task, resources))
                await unless_stopped(stopping, asyncio.sleep(_LOOK_SECONDS))


def recurring_tasks(settings: Settings, resources: Resources) -> list[Recurring]:
    """Return everything that the reporter does by itself."""
    hours = settings.conversion.upload_hours
    return [
        Recurring(
            "sweep-uploads",
            # A tenth of their life: an upload is gone at the latest a tenth late.
            seconds=max(_LOOK_SECONDS, int(hours * 360)),
            work=lambda: uploads.sweep(resources.store, hours=hours),
        ),
        Recurring("revive-run", seconds=_REVIVE_SECONDS, work=lambda: revive(resources.runs, resources.queue)),
        Recurring(
            "evict-previews",
            seconds=settings.previews.cleanup_seconds,
            work=lambda: evict(resources.previews, resources.store, settings.previews),
        ),
    ]


async def _do_if_due(task: Recurring, resources: Resources) -> None:
    try:
        if await resources.queue.turn(task.name, seconds=task.seconds) and (count := await task.work()):
            _log.info("recurring task done", task=task.name, count=count)
    except Unavailable as error:
        _log.warning("recurring task failed, next try when it is due again", task=task.name, reason=error.reason)
