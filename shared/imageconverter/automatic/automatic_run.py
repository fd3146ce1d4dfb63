"""Automatic runs: ordinary runs over pending sources."""

import hashlib
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final

import structlog

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.known_sources import remember
from imageconverter.automatic.outdated import outdated
from imageconverter.automatic.pending_sources import PendingSources, Submission
from imageconverter.errors import RunAlreadyRunning
from imageconverter.images.directories import is_file
from imageconverter.runs import Run, RunStore, delete_backup, save_backup
from imageconverter.runs.run import Batch
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore

ACTION: Final = "automatic"
STARTED_BY: Final = "task automatic"
_MAX_SOURCES: Final = 500  # the run of a person waits for their jobs

_log = structlog.get_logger(__name__)


async def start_run(
    pending: PendingSources, formats: AutomaticFormats, run_store: RunStore, store: ObjectStore
) -> Run | None:
    """Start a run over the first pending sources, unless an automatic run is running; returns it.

    Those that do not exist or are up to date are skipped: the store also sends events about what the API has stored.
    Sources are removed after the run has started, so none is lost if this process is killed. The id follows from the
    sources and their submissions, so of several processes that see the same, one starts a run. Raises
    QueueUnavailable, StoreUnavailable.
    """
    latest = await run_store.latest(automatic=True)
    if latest is not None and await run_store.is_running(latest):
        return None
    submissions = await pending.first(_MAX_SOURCES)
    found = await bounded(partial(store.head, keys.source(each.path)) for each in submissions)
    paths = await outdated([each for each in found if each is not None and is_file(each)], formats, store)
    run = create_automatic_run(submissions, paths, formats)
    await remember(paths, formats, store)
    if run is not None and not await run_store.is_known(run.id):
        await save_backup(store, run)
        try:
            await run_store.start(run)
        except RunAlreadyRunning:
            await delete_backup(store, run.id)
            return None
        _log.info("automatic run started", run=run.id, sources=sum(len(batch.sources) for batch in run.batches))
    await pending.remove(submissions)
    return run


def create_automatic_run(
    submissions: Sequence[Submission], paths: Iterable[str], formats: AutomaticFormats
) -> Run | None:
    """Return the run over those sources of *submissions* that are at *paths*, None if there are none."""
    batches = tuple(
        Batch(directory="", formats=group, sources=tuple(sorted(grouped, key=keys.source)))
        for group, grouped in formats.groups(paths).items()
    )
    if not batches:
        return None
    described = "\n".join(f"{number} {path}" for path, number in sorted(submissions))
    return Run(
        id=f"{keys.AUTOMATIC_RUN_ID}{hashlib.sha256(described.encode()).hexdigest()[:12]}",
        action=ACTION,
        batches=batches,
        formats=tuple(dict.fromkeys(each.node_id for batch in batches for each in batch.formats)),
        started_by=STARTED_BY,
        automatic=True,
    )
