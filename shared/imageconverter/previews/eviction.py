"""Keeping the previews within their limits, and the object store free of what no longer counts.

A group leaves the index first and the store after: who has found it before misses at worst. The step that takes it
out of the index notes it as leaving, and it stays noted until its objects are deleted. So a kill or an outage in
between leaves nothing behind but work for the next turn; nor does a writer that dies before it has switched the
index, because it has called `PreviewIndex.mark_pending_write` first. What is in the store without any note, because
Redis has lost its data, is found by `imageconverter.previews.reindex`.
"""

import time

import structlog

from imageconverter import keys
from imageconverter.gather import gather_all
from imageconverter.previews.index import PendingDelete, PreviewIndex, live_prefixes
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)

_LEFT_AFTER = 0.9  # of a limit that was exceeded
_AT_ONCE = 32
# The reporter has other things to do; what is left over waits for its next turn.
_SECONDS = 60


async def evict(index: PreviewIndex, store: ObjectStore, limits: PreviewSettings) -> int:
    """Remove what nobody has asked for in time, then what is too much, and sweep; returns the number of keys.

    Where there are too many keys or bytes, those that were not asked for longest go, until nine tenths of the limit
    are left. The index is within the limits when it ends; objects that could not be deleted in time wait for the next
    turn.
    """
    before = await index.totals()
    max_keys, max_bytes = _left_over(before.keys, limits.max_keys), _left_over(before.bytes, limits.max_bytes)
    evicted = 0
    while gone := await index.evict(_AT_ONCE, idle=limits.max_idle_seconds, max_keys=max_keys, max_bytes=max_bytes):
        evicted += len(gone)
    if evicted:
        after = await index.totals()
        _log.info("previews evicted", count=evicted, keys=after.keys, bytes=after.bytes)
    await sweep(index, store)
    return evicted


async def sweep(index: PreviewIndex, store: ObjectStore, *, seconds: float = _SECONDS) -> int:
    """Delete the objects of keys that are leaving, for *seconds* at most; returns the number of objects."""
    until = time.monotonic() + seconds
    deleted = 0
    while time.monotonic() < until and (batch := await index.pending_deletes(_AT_ONCE)):
        deleted += sum(await gather_all(_clear(index, store, each) for each in batch))
    return deleted


async def _clear(index: PreviewIndex, store: ObjectStore, pending_deletes: PendingDelete) -> int:
    """Delete what is stored for a key, but for the generation that the index has now."""
    found = [stored.key async for page in store.list(keys.preview_prefix(pending_deletes.key)) for stored in page]
    # After the listing: what is put from here on is not in it.
    generation, pending_write = await index.in_use(pending_deletes.key)
    if pending_write:
        return 0
    unwanted = [key for key in found if not key.startswith(live_prefixes(pending_deletes.key, generation))]
    await store.delete(unwanted)
    await index.confirm_deleted(pending_deletes)
    return len(unwanted)


def _left_over(amount: int, limit: int | None) -> int | None:
    return limit if limit is None or amount <= limit else int(limit * _LEFT_AFTER)
