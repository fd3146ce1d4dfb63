"""Summaries of ended runs in the object store, in case Redis loses its data. Their results are beside them."""

import structlog
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.runs.backup import delete_backup
from imageconverter.runs.results import move_results
from imageconverter.runs.run import RunSummary
from imageconverter.runs.store import RUNS_KEPT, RunStore
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)


async def archive_run(run_id: str, run_store: RunStore, store: ObjectStore) -> bool:
    """Store summary and results of a run that has ended, then delete its backup; returns whether it has ended.

    Without the backup and with the summary it is never restarted. If other results are just being moved, the backup
    stays for the next call. Raises QueueUnavailable, StoreUnavailable.
    """
    status = await run_store.status(run_id)
    if status is None or status.is_running:
        return False
    await move_results(run_id, run_store, store, at_least=1)
    moved, remaining = await run_store.unmoved_results(run_id)
    data = RunSummary.of(status, results=moved).model_dump_json(exclude_defaults=True).encode()
    await store.put(keys.run_summary(run_id), data, content_type="application/json")
    if not remaining:
        await delete_backup(store, run_id)
        await run_store.mark_archived(run_id)
    return True


async def get_summary(store: ObjectStore, run_id: str) -> RunSummary | None:
    """Return the summary of a run; None if it has not ended, or the summary cannot be read, which is logged."""
    return await _read(store, keys.run_summary(run_id))


async def list_summaries(store: ObjectStore) -> list[RunSummary]:
    """Return the summaries of the last runs, the newest first, as many as Redis keeps."""
    listed = [stored async for page in store.list(keys.run_summaries()) for stored in page]
    listed.sort(key=lambda stored: stored.modified, reverse=True)
    found = [await _read(store, stored.key) for stored in listed[:RUNS_KEPT]]
    return sorted((each for each in found if each), key=lambda each: each.started, reverse=True)


async def _read(store: ObjectStore, key: str) -> RunSummary | None:
    loaded = await store.get(key)
    if loaded is None:
        return None
    try:
        return RunSummary.model_validate_json(bytes(loaded.data))
    except ValidationError:
        _log.warning("run summary unreadable", key=key)
        return None
