"""The worker process: one arq worker a queue and the sandbox that they share, restarted together after an outage."""

import asyncio
from functools import partial

import structlog

from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.monitoring.process_report import SandboxReport
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import Settings
from services.runtime.formats_reload import reloading
from services.runtime.freed_memory import keep_freed_memory
from services.runtime.lifecycle import heartbeats, run_unless_stopped
from services.runtime.metrics_server import serving_metrics
from services.runtime.queue_workers import run_queue_workers
from services.worker.conversion_executor import ConversionExecutor
from services.worker.facts_executor import FactsExecutor
from services.worker.memory_limit import check_memory_limit
from services.worker.preview_executor import PreviewExecutor
from services.worker.sandbox.pool import SandboxPool
from services.worker.tasks import queue_tasks

_log = structlog.get_logger(__name__)

ROLE = "worker"

_RETRY_TIMEOUT_SECONDS = 30  # longer than a restart of Redis
# While a process converts one image, the source of the next is fetched and the outputs of the last are stored.
_SLOTS_PER_PROCESS = 2
# The last resort. Everything in a job has its own, tighter limit, except the wait for a sandbox process.
_JOB_SECONDS = 3600


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Run until *stopping* is set, then finish the running jobs and return."""
    check_memory_limit(settings.worker)
    keep_freed_memory()
    async with (
        open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources,
        reloading(resources.formats),
        serving_metrics(resources.metrics, settings.process),
    ):
        if not await run_unless_stopped(stopping, wait_for_bucket(resources.store)):
            return
        pool = SandboxPool(
            settings.worker,
            max_pixels=settings.conversion.max_pixels,
            truncated=settings.conversion.accepts_truncated,
            on_refused=resources.queue.count_refused_system_calls,
            on_event=resources.metrics.sandbox_event,
        )
        async with (
            resources.ownership.kept(),
            pool as sandbox,
            heartbeats(resources, ROLE, sandbox=lambda: _sandbox_report(pool)),
        ):
            conversion_executor = ConversionExecutor(
                resources.store,
                sandbox,
                settings.conversion.max_source_bytes,
                resources.counts,
                makes_facts=settings.conversion.source_facts == "convert",
            )
            preview_executor = PreviewExecutor(
                resources.store,
                resources.previews,
                resources.queue,
                sandbox,
                settings.previews,
                settings.conversion.max_source_bytes,
                resources.counts,
            )
            facts_executor = FactsExecutor(resources.store, sandbox, settings.conversion.max_source_bytes)
            _log.info("worker ready", sandbox=settings.worker.process_count)
            tasks = queue_tasks(
                resources,
                conversion_executor,
                preview_executor,
                facts_executor,
                max_expensive=settings.conversion.max_interactive_queue,
            )
            count = settings.worker.process_count
            slots = {
                # Images that turn out to be expensive there keep their slots.
                QueueName.INTERACTIVE: count * (_SLOTS_PER_PROCESS + 1),
                QueueName.EXPENSIVE: count,
                QueueName.BATCH: count * _SLOTS_PER_PROCESS,
            }

            def workers() -> list[QueueWorker]:
                return [
                    QueueWorker(
                        queue,
                        each.tasks,
                        resources.redis,
                        give_up=each.give_up,
                        is_paused=partial(_is_paused, resources, queue),
                        slots=slots[queue],
                        job_seconds=_JOB_SECONDS,
                        activity=resources.activity,
                        on_end=resources.metrics.job_ended,
                    )
                    for queue, each in tasks.items()
                ]

            await run_queue_workers(workers, stopping)


def _sandbox_report(pool: SandboxPool) -> SandboxReport:
    return SandboxReport(missing=pool.missing, processes=len(pool.processes), converting=pool.converting)


def _is_paused(resources: Resources, queue: QueueName) -> bool:
    """Return whether no job of *queue* may be claimed now.

    A client that waits for a job gets an error at once if the store is unavailable.
    """
    is_waiting = queue is QueueName.BATCH and resources.store.is_unavailable
    return is_waiting or bool(resources.ownership.problem)
