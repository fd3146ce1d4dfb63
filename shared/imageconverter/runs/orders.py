"""What the store keeps of runs that have not ended, so that they outlive a Redis that loses everything."""

from datetime import datetime
from typing import NamedTuple

from imageconverter import keys
from imageconverter.runs.run import Run
from imageconverter.storage import ObjectStore


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
    """Return the runs that are kept, the oldest first."""
    listed = [stored async for page in store.list(keys.run_orders()) for stored in page]
    loaded = [await store.get(stored.key) for stored in sorted(listed, key=lambda stored: stored.modified)]
    return [
        KeptOrder(Run.model_validate_json(bytes(found.data)), found.stored.modified)
        for found in loaded
        if found is not None
    ]
