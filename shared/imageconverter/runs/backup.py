"""What the store keeps of runs that have not ended, so that they outlive a Redis that loses everything."""

from datetime import datetime
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.runs.run import Run
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)


class RunBackup(NamedTuple):
    """A run as it was ordered."""

    run: Run
    kept: datetime
    """Since when."""


async def save_backup(store: ObjectStore, run: Run) -> None:
    """Keep a run that is about to be started."""
    data = run.model_dump_json(exclude_defaults=True).encode()
    await store.put(keys.run_backup(run.id), data, content_type="application/json")


async def delete_backup(store: ObjectStore, run_id: str) -> None:
    """Forget a run that has ended, or has not begun."""
    await store.delete([keys.run_backup(run_id)])


async def list_backups(store: ObjectStore) -> list[RunBackup]:
    """Return the runs that are kept, the oldest first; what is none of ours is left alone."""
    listed = [stored async for page in store.list(keys.run_backups()) for stored in page]
    orders = []
    for stored in sorted(listed, key=lambda stored: stored.modified):
        loaded = await store.get(stored.key)
        if loaded is None:
            continue
        try:
            orders.append(RunBackup(Run.model_validate_json(bytes(loaded.data)), loaded.stored.modified))
        except ValidationError:
            _log.warning("order of a run cannot be read", key=stored.key)
    return orders
