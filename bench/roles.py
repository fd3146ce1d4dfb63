"""A worker or a gateway over a simulated store: ``python -m bench.roles worker|gateway [--seconds …]``.

Each is a process of its own, so that memory and CPU time are measured separately.
"""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

from aiohttp import web

from bench.simulated import NoEngine, SimulatedStore
from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import PreviewSettings, Settings, load_settings
from services.gateway.app import create_app
from services.runtime.lifecycle import heartbeats, run_until_signal
from services.runtime.logs import set_up_logging
from services.worker.conversion_executor import ConversionExecutor
from services.worker.facts_executor import FactsExecutor
from services.worker.preview_executor import PreviewExecutor
from services.worker.tasks import queue_tasks

_RETRY_TIMEOUT_SECONDS = 10
_DRAIN_SECONDS = 1
_JOB_SECONDS = 3600
_MAX_EXPENSIVE = 100


def main() -> None:
    """Run one role until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["worker", "gateway"])
    parser.add_argument("--slots", type=int, default=4, help="concurrent jobs")
    parser.add_argument("--seconds", type=float, default=0, help="duration of a conversion")
    options = parser.parse_args()
    settings = load_settings()
    set_up_logging(settings.process, role=options.role)
    if options.role == "gateway":
        run_until_signal(partial(_gateway, settings))
    else:
        run_until_signal(partial(_worker, settings, options.slots, options.seconds))


@asynccontextmanager
async def simulated_resources(settings: Settings) -> AsyncIterator[Resources]:
    """Open the resources of a role with a simulated store."""
    async with open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources:
        yield replace(resources, store=SimulatedStore())


def batch_worker(resources: Resources, *, slots: int, seconds: float = 0) -> QueueWorker:
    """Return a worker of the batch queue, with the real tasks and no engine; an image takes *seconds*."""
    engine, max_bytes = NoEngine(seconds=seconds), 1 << 20
    conversion = ConversionExecutor(resources.store, engine, max_source_bytes=max_bytes)
    preview_executor = PreviewExecutor(
        resources.store, resources.previews, resources.queue, engine, PreviewSettings(), max_bytes
    )
    facts_executor = FactsExecutor(resources.store, engine, max_bytes)
    all_tasks = queue_tasks(resources, conversion, preview_executor, facts_executor, max_expensive=_MAX_EXPENSIVE)
    tasks = all_tasks[QueueName.BATCH]
    return QueueWorker(
        QueueName.BATCH, tasks.tasks, resources.redis, give_up=tasks.give_up, slots=slots, job_seconds=_JOB_SECONDS
    )


async def _worker(settings: Settings, slots: int, seconds: float, stopping: asyncio.Event) -> None:
    async with simulated_resources(settings) as resources, heartbeats(resources, "worker"):
        worker = batch_worker(resources, slots=slots, seconds=seconds)
        running = asyncio.create_task(worker.async_run())
        stop = asyncio.create_task(stopping.wait())
        await asyncio.wait([running, stop], return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        await worker.drain(_DRAIN_SECONDS)
        await running


async def _gateway(settings: Settings, stopping: asyncio.Event) -> None:
    async with simulated_resources(settings) as resources:
        runner = web.AppRunner(create_app(settings, resources), access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.gateway.host, settings.gateway.port).start()
            async with heartbeats(resources, "gateway"):
                await stopping.wait()
        finally:
            await runner.cleanup()


if __name__ == "__main__":
    main()
