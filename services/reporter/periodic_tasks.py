"""The table of the reporter's periodic tasks."""

from datetime import timedelta
from typing import Final, get_args

from imageconverter import catalog, keys
from imageconverter.automatic import AutomaticFormats
from imageconverter.images import source_trash, uploads
from imageconverter.images.image_formats import ImageType
from imageconverter.previews.eviction import evict
from imageconverter.reports import commands, index, orphaned_variants, trash
from imageconverter.resources import Resources
from imageconverter.runs import list_backups, requeue_stalled_run, results
from imageconverter.settings import Settings
from imageconverter.storage.store import ObjectStore
from services.reporter.redis_recovery import advance_epoch, rebuild
from services.reporter.scheduler import PeriodicTask

_HOUR: Final = 3600
_UNFINISHED_UPLOAD_AGE: Final = timedelta(days=1)


def periodic_tasks(settings: Settings, resources: Resources) -> list[PeriodicTask]:
    """Return the periodic tasks; those that list much of the store run rarely."""
    store, hours = resources.store, settings.conversion.upload_hours
    trash_days = settings.conversion.source_trash_days
    return [
        PeriodicTask(
            "sweep-uploads",
            # A tenth of the lifetime: an upload is deleted at most that much late.
            seconds=max(5, int(hours * 360)),
            work=lambda: _sweep_uploads(resources, hours),
        ),
        PeriodicTask("rebuild", seconds=10, work=lambda: rebuild(resources)),
        PeriodicTask("advance-epoch", seconds=60, work=lambda: _advance_epoch(resources)),
        PeriodicTask("revive-run", seconds=10, work=lambda: requeue_stalled_run(resources.runs, resources.queue)),
        PeriodicTask(
            "evict-previews",
            seconds=settings.previews.cleanup_seconds,
            work=lambda: evict(resources.previews, store, settings.previews),
        ),
        PeriodicTask("revive-imports", seconds=60, work=lambda: commands.requeue_imports(store, resources.queue)),
        PeriodicTask("sweep-results", seconds=24 * _HOUR, work=lambda: results.sweep(resources.runs, store)),
        PeriodicTask("sweep-catalogs", seconds=_HOUR, work=lambda: _sweep_catalogs(store)),
        PeriodicTask("sweep-reports", seconds=_HOUR, work=lambda: _sweep_reports(store)),
        PeriodicTask("sweep-trash", seconds=_HOUR, work=lambda: trash.sweep(store, days=settings.reports.trash_days)),
        PeriodicTask("sweep-source-trash", seconds=_HOUR, work=lambda: source_trash.sweep(store, days=trash_days)),
        PeriodicTask("sweep-variants", seconds=24 * _HOUR, work=lambda: orphaned_variants.sweep(store)),
        PeriodicTask("sweep-parts", seconds=6 * _HOUR, work=lambda: _sweep_parts(store)),
        PeriodicTask("schedule", seconds=5, work=lambda: _scan_if_due(resources)),
        PeriodicTask("schedule-runs", seconds=5, work=lambda: _search_sources_if_due(resources)),
    ]


async def _advance_epoch(resources: Resources) -> int:
    await rebuild(resources)  # first: what was lost must not be forgotten by a larger number
    await advance_epoch(resources)
    return 0


async def _sweep_uploads(resources: Resources, hours: float) -> int:
    """Delete expired uploads, but not those of runs that have not ended, of which there are backups."""
    batches = [batch for run, _ in await list_backups(resources.store) for batch in run.batches]
    sources = [path for batch in batches for path in batch.sources if path.startswith(f"{keys.UPLOADS}/")]
    kept = {batch.directory for batch in batches if not batch.sources} | {path.rpartition("/")[0] for path in sources}
    return await uploads.sweep(resources.store, hours=hours, kept=kept)


async def _sweep_catalogs(store: ObjectStore) -> int:
    return sum([await catalog.sweep(store, kind) for kind in get_args(ImageType)])


async def _sweep_reports(store: ObjectStore) -> int:
    return sum([await index.sweep(store, kind) for kind in get_args(ImageType)])


async def _sweep_parts(store: ObjectStore) -> int:
    return await store.abort_unfinished(await store.cutoff(_UNFINISHED_UPLOAD_AGE))


async def _search_sources_if_due(resources: Resources) -> int:
    schedule = resources.run_schedule
    if not AutomaticFormats(resources.formats.subshops.formats):
        return 0
    return await schedule.run_if_due(resources.scans.request, now=await schedule.now())


async def _scan_if_due(resources: Resources) -> int:
    schedule = resources.report_schedule
    return await schedule.run_if_due(lambda: commands.scan(resources.queue), now=await schedule.now())
