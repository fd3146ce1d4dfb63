"""Evicting previews over the limits, and deleting objects that the index no longer references.

A group is removed from the index first and from the store afterwards, so a concurrent reader gets a miss at worst.
The same script marks it as a pending delete until its objects are deleted, so after a kill or an outage the next
sweep continues. The same holds for a writer that is killed before it publishes its generation, because it has called
`PreviewIndex.mark_pending_write` first. Objects without any mark, after Redis has lost its data, are deleted by
`imageconverter.previews.reindex`.
"""

import time

import structlog

from imageconverter import keys
from imageconverter.gather import gather_all
from imageconverter.previews.index import PendingDelete, PreviewIndex, live_prefixes
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)

_TARGET_SHARE = 0.9  # of an exceeded limit, to which eviction goes down
_BATCH = 32
# The rest is left to the next run.
_SECONDS = 60


async def evict(index: PreviewIndex, store: ObjectStore, limits: PreviewSettings) -> int:
    """Remove idle keys and the least recently used ones over a limit, then sweep; returns the number of keys.

    If there are too many keys or bytes, the least recently used keys are removed down to nine tenths of the limit.
    Afterwards the index is within its limits; objects that could not be deleted in time are left to the next run.
    """
    before = await index.totals()
    max_keys, max_bytes = _target(before.keys, limits.max_keys), _target(before.bytes, limits.max_bytes)
    evicted = 0
    while removed := await index.evict(_BATCH, idle=limits.max_idle_seconds, max_keys=max_keys, max_bytes=max_bytes):
        evicted += len(removed)
    if evicted:
        after = await index.totals()
        _log.info("previews evicted", count=evicted, keys=after.keys, bytes=after.bytes)
    await sweep(index, store)
    return evicted


async def sweep(index: PreviewIndex, store: ObjectStore, *, seconds: float = _SECONDS) -> int:
    """Delete the objects of pending deletes, for *seconds* at most; returns their number."""
    until = time.monotonic() + seconds
    deleted = 0
    while time.monotonic() < until and (batch := await index.pending_deletes(_BATCH)):
        deleted += sum(await gather_all(_delete_objects(index, store, each) for each in batch))
    return deleted


async def abandon_write(index: PreviewIndex, store: ObjectStore, key: str) -> None:
    """Delete what was written of a generation of *key* that will not be published."""
    await _delete_objects(index, store, await index.abandon_write(key))


async def _delete_objects(index: PreviewIndex, store: ObjectStore, pending: PendingDelete) -> int:
    """Delete the objects of a key, except those of its current generation."""
    found = [stored.key async for page in store.list(keys.preview_prefix(pending.key)) for stored in page]
    # Read after the listing, which does not contain objects written from here on.
    generation, pending_write = await index.in_use(pending.key)
    if pending_write:
        return 0
    unwanted = [key for key in found if not key.startswith(live_prefixes(pending.key, generation))]
    await store.delete(unwanted)
    await index.confirm_deleted(pending)
    return len(unwanted)


def _target(amount: int, limit: int | None) -> int | None:
    return limit if limit is None or amount <= limit else int(limit * _TARGET_SHARE)
