"""Backups of unfinished runs in the object store, in case Redis loses its data."""

from datetime import datetime
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.runs.run import Run
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)


class RunBackup(NamedTuple):
    """A stored run."""

    run: Run
    kept: datetime
    """When the backup was written."""


async def save_backup(store: ObjectStore, run: Run) -> None:
    """Write the backup of a run that is about to be started."""
    data = run.model_dump_json(exclude_defaults=True).encode()
    await store.put(keys.run_backup(run.id), data, content_type="application/json")


async def delete_backup(store: ObjectStore, run_id: str) -> None:
    """Delete the backup of a run that has ended or could not be started."""
    await store.delete([keys.run_backup(run_id)])


async def list_backups(store: ObjectStore) -> list[RunBackup]:
    """Return all backups, the oldest first; one that cannot be read is logged and skipped."""
    listed = [stored async for page in store.list(keys.run_backups()) for stored in page]
    backups = []
    for stored in sorted(listed, key=lambda stored: stored.modified):
        loaded = await store.get(stored.key)
        if loaded is None:
            continue
        try:
            backups.append(RunBackup(Run.model_validate_json(bytes(loaded.data)), loaded.stored.modified))
        except ValidationError:
            _log.warning("run backup unreadable", key=stored.key)
    return backups
