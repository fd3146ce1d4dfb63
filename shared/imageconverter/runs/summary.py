"""Summaries of ended runs in the object store, in case Redis loses its data. Their results are beside them."""

import structlog
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.runs.run import RunStatus, RunSummary, is_run_id
from imageconverter.runs.store import RUNS_KEPT, RunStore
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)


async def find_status(run_id: str, run_store: RunStore, store: ObjectStore) -> RunStatus | None:
    """Return the status of a run in Redis, or of one in the store that has ended; None if neither has it.

    Raises QueueUnavailable, StoreUnavailable.
    """
    status = await run_store.status(run_id)
    if status is None and is_run_id(run_id) and (summary := await get_summary(store, run_id)) is not None:
        return summary.status
    return status


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
