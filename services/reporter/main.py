"""The reporter process: reports, clean-ups and periodic tasks."""

import asyncio
import tempfile
from pathlib import Path

import structlog

from imageconverter.catalog.database import Workspace
from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.reports.progress import ScanProgress
from imageconverter.resources import open_resources, wait_for_bucket
from imageconverter.settings import ReportSettings, Settings, SettingsError
from services.reporter.automatic_conversion import convert_automatically
from services.reporter.periodic_tasks import periodic_tasks
from services.reporter.scanner import Scanner, catalog_sources
from services.reporter.scheduler import run_periodic_tasks
from services.reporter.tasks import ReporterTasks
from services.reporter.webhooks import send_webhooks, webhook_endpoints
from services.runtime.formats_reload import reloading
from services.runtime.lifecycle import heartbeats, run_unless_stopped
from services.runtime.metrics_server import serving_metrics
from services.runtime.queue_workers import run_queue_workers

_log = structlog.get_logger(__name__)

ROLE = "reporter"

_RETRY_TIMEOUT_SECONDS = 30  # covers a restart of Redis
_SLOTS = 2  # a clean-up need not wait for the scan, of which there is one at a time
_JOB_SECONDS = 24 * 3600  # the last resort: every wait of a scan has a shorter timeout


async def run(settings: Settings, stopping: asyncio.Event) -> None:
    """Carry out jobs and periodic tasks until *stopping* is set; raises SettingsError."""
    sources, endpoints = catalog_sources(settings.reports), webhook_endpoints(settings.webhooks)
    with tempfile.TemporaryDirectory(prefix="imageconverter-reporter-", dir=_folder(settings.reports)) as folder:
        workspace = Workspace(
            folder=Path(folder),
            memory_mb=settings.reports.memory_mb,
            disk_mb=settings.reports.disk_mb,
            threads=settings.reports.threads,
        )
        async with (
            open_resources(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as resources,
            reloading(resources.formats),
            serving_metrics(resources.metrics, settings.process),
        ):
            if not await run_unless_stopped(stopping, wait_for_bucket(resources.store)):
                return
            store, ownership, formats = resources.store, resources.ownership, resources.formats
            outbox = resources.outbox
            progress = ScanProgress(resources.redis, retry_timeout=_RETRY_TIMEOUT_SECONDS)
            scanner = Scanner(store, formats, settings.reports, sources, workspace, progress, outbox)
            work = ReporterTasks(
                store,
                resources.queue,
                formats,
                settings.reports,
                workspace,
                progress,
                scanner,
                outbox,
                resources.runs,
            )

            def workers() -> list[QueueWorker]:
                return [
                    QueueWorker(
                        QueueName.SCAN,
                        work.tasks(),
                        resources.redis,
                        give_up=work.give_up(),
                        slots=_SLOTS,
                        job_seconds=_JOB_SECONDS,
                        activity=resources.activity,
                        on_end=resources.metrics.job_ended,
                        is_paused=lambda: store.is_unavailable or bool(ownership.problem),
                    )
                ]

            periodic = periodic_tasks(settings, resources)
            async with ownership.kept(), heartbeats(resources, ROLE), asyncio.TaskGroup() as group:
                _log.info("reporter ready", tasks=[task.name for task in periodic])
                group.create_task(run_periodic_tasks(periodic, resources, stopping))
                group.create_task(run_queue_workers(workers, stopping))
                group.create_task(
                    convert_automatically(resources, stopping, max_share=settings.conversion.follow_max_share)
                )
                group.create_task(send_webhooks(endpoints, settings.webhooks, resources, stopping))


def _folder(settings: ReportSettings) -> Path:
    """Return the configured folder or the system's temporary one; raises SettingsError if it does not exist."""
    if settings.folder is not None and not settings.folder.is_dir():
        raise SettingsError(f"IMAGECONVERTER_REPORT_FOLDER: {settings.folder} is not a folder")
    try:
        return settings.folder or Path(tempfile.gettempdir())
    except FileNotFoundError:
        raise SettingsError("IMAGECONVERTER_REPORT_FOLDER: must be set, as there is no temporary folder") from None
