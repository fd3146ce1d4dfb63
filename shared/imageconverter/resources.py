"""What every process holds open for its life: the object store and the job queue."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.automatic import PendingSources, ScanStore
from imageconverter.errors import StoreUnavailable
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.jobs import Activity, JobQueue, open_redis
from imageconverter.monitoring.counts import Counts
from imageconverter.monitoring.history import HourHistory
from imageconverter.monitoring.metrics import Metrics
from imageconverter.ownership import Ownership
from imageconverter.previews.index import PreviewIndex
from imageconverter.runs import RunStore
from imageconverter.schedules.store import ScheduleStore
from imageconverter.settings import Settings, SettingsError
from imageconverter.storage.store import ObjectStore
from imageconverter.webhooks import Outbox

_log = structlog.get_logger(__name__)

_RETRY_SECONDS = 0.5


@dataclass(frozen=True)
class Resources:
    """The open resources of a process."""

    store: ObjectStore
    ownership: Ownership
    redis: Redis
    queue: JobQueue
    runs: RunStore
    previews: PreviewIndex
    formats: CurrentFormats
    outbox: Outbox
    report_schedule: ScheduleStore
    run_schedule: ScheduleStore
    pending_sources: PendingSources
    scans: ScanStore
    history: HourHistory
    metrics: Metrics
    counts: Counts
    activity: Activity = field(default_factory=Activity)


@asynccontextmanager
async def open_resources(settings: Settings, *, retry_timeout: float) -> AsyncIterator[Resources]:
    """Open all resources, which connect on first use; *retry_timeout* applies to commands to Redis, in seconds.

    Raises SettingsError if an address or credential is missing, and FormatsFileError if the formats file or the
    subshops file is invalid.
    """
    require(settings)
    formats = CurrentFormats(
        settings.conversion.formats_file, settings.conversion.subshops_file, settings.gateway.subshop_ids
    )
    metrics = Metrics()
    async with open_redis(settings.redis, retry_timeout=retry_timeout, on_command=metrics.redis_command) as redis:
        queue = JobQueue(redis, timeout_seconds=settings.redis.timeout_seconds, retry_timeout=retry_timeout)
        runs = RunStore(redis, retry_timeout=retry_timeout)
        previews = PreviewIndex(redis, retry_timeout=retry_timeout)
        outbox = Outbox(redis, retry_timeout=retry_timeout)
        store = ObjectStore(settings.storage, on_call=metrics.store_call)
        metrics.watch_store(store)
        metrics.watch_formats(formats)
        report_schedule = ScheduleStore(
            store,
            redis,
            object_key=keys.REPORT_SCHEDULE,
            redis_key=keys.SCHEDULED,
            default=settings.reports.schedule,
            retry_timeout=retry_timeout,
        )
        run_schedule = ScheduleStore(
            store,
            redis,
            object_key=keys.RUN_SCHEDULE,
            redis_key=keys.RUNS_SCHEDULED,
            default=settings.conversion.automatic_schedule,
            retry_timeout=retry_timeout,
        )
        history = HourHistory(redis, retry_timeout=retry_timeout)
        ownership = Ownership(store, redis)
        yield Resources(
            store=store,
            ownership=ownership,
            redis=redis,
            queue=queue,
            runs=runs,
            previews=previews,
            formats=formats,
            outbox=outbox,
            report_schedule=report_schedule,
            run_schedule=run_schedule,
            pending_sources=PendingSources(redis, retry_timeout=retry_timeout),
            scans=ScanStore(redis, retry_timeout=retry_timeout),
            history=history,
            metrics=metrics,
            counts=Counts(metrics),
        )


def require(settings: Settings) -> None:
    """Raise SettingsError that lists all missing addresses and credentials, if any."""
    needed = {
        "IMAGECONVERTER_REDIS_URL": settings.redis.url,
        "IMAGECONVERTER_S3_ENDPOINT": settings.storage.endpoint,
        "IMAGECONVERTER_S3_ACCESS_KEY": settings.storage.access_key,
        "IMAGECONVERTER_S3_SECRET_KEY": settings.storage.secret_key,
    }
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError("\n".join(f"{name}: must be set" for name in missing))


async def wait_for_bucket(store: ObjectStore) -> None:
    """Create the bucket if it does not exist; wait until the store is available."""
    is_logged = False
    while True:
        try:
            await store.ensure_bucket()
        except StoreUnavailable as error:
            if not is_logged:
                _log.warning("waiting for the object store", reason=error.reason)
                is_logged = True
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return
