"""Deleting many objects of the store."""

from datetime import datetime

from imageconverter.storage.store import ObjectStore


async def delete_below(
    store: ObjectStore, prefix: str, *, before: datetime | None = None, kept: tuple[str, ...] = ()
) -> int:
    """Delete the objects below *prefix* (which ends in a slash); returns their number.

    With *before*, only those last modified before that time. Keys that start with one of *kept* are left alone.
    Raises StoreUnavailable; calling it again deletes the rest.
    """
    deleted = 0
    async for page in store.list(prefix):
        unwanted = [
            stored.key
            for stored in page
            if (before is None or stored.modified < before) and not stored.key.startswith(kept)
        ]
        await store.delete(unwanted)
        deleted += len(unwanted)
    return deleted
