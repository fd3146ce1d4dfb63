"""What the store keeps of runs that have not ended, so that they outlive a Redis that loses everything."""

from datetime import datetime
from typing import NamedTuple

import structlog
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.runs.run import Run
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)


class KeptOrder(NamedTuple):
    """A run as it was ordered."""

    run: Run
    kept: datetime
    """Since when."""


async def keep_order(store: ObjectStore, run: Run) -> None:
    """Keep a run that is about to be started."""
    data = run.model_dump_json(exclude_defaults=True).encode()
    await store.put(keys.run_order(run.id), data, content_type="application/json")


async def forget_order(store: ObjectStore, run_id: str) -> None:
    """Forget a run that has ended, or has not begun."""
    await store.delete([keys.run_order(run_id)])


async def kept_orders(store: ObjectStore) -> list[KeptOrder]:
    """Return the runs that are kept, the oldest first; what is none of ours is left alone."""
    listed = [stored async for page in store.list(keys.run_orders()) for stored in page]
    orders = []
    for stored in sorted(listed, key=lambda stored: stored.modified):
        loaded = await store.get(stored.key)
        if loaded is None:
            continue
        try:
            orders.append(KeptOrder(Run.model_validate_json(bytes(loaded.data)), loaded.stored.modified))
        except ValidationError:
            _log.warning("order of a run cannot be read", key=stored.key)
    return orders
