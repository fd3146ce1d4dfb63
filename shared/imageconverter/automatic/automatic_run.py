"""Automatic runs: ordinary runs over pending sources."""

import hashlib
from collections.abc import Sequence
from typing import Final

import structlog

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.pending_sources import PendingSources, Submission
from imageconverter.errors import RunAlreadyRunning
from imageconverter.runs import Run, RunStore, delete_backup, save_backup
from imageconverter.runs.run import Batch
from imageconverter.storage.store import ObjectStore

ACTION: Final = "automatic"
STARTED_BY: Final = "task automatic"
_MAX_SOURCES: Final = 500  # jobs in the queue, which the run of a person waits for

_log = structlog.get_logger(__name__)


async def start_run(
    pending: PendingSources, formats: AutomaticFormats, run_store: RunStore, store: ObjectStore
) -> Run | None:
    """Start a run over the first pending sources, unless an automatic run is running; returns it.

    They are removed after it has started, so none is lost if this process is killed. The id follows from the sources
    and their submissions, so of several processes that see the same, one starts a run. Raises QueueUnavailable,
    StoreUnavailable.
    """
    latest = await run_store.latest(automatic=True)
    if latest is not None and await run_store.is_running(latest):
        return None
    taken = await pending.first(_MAX_SOURCES)
    run = create_automatic_run(taken, formats)
    if run is not None and not await run_store.is_known(run.id):
        await save_backup(store, run)
        try:
            await run_store.start(run)
        except RunAlreadyRunning:
            await delete_backup(store, run.id)
            return None
        _log.info("automatic run started", run=run.id, sources=sum(len(batch.sources) for batch in run.batches))
    await pending.remove(taken)
    return run


def create_automatic_run(submissions: Sequence[Submission], formats: AutomaticFormats) -> Run | None:
    """Return the run over sources, None if none of them is in the directory of an automatic format."""
    batches = tuple(
        Batch(directory="", formats=group, sources=tuple(sorted(paths, key=keys.source)))
        for group, paths in formats.groups(each.path for each in submissions).items()
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
