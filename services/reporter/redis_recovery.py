"""Restoring what Redis has lost: runs, dead letters and the index of previews.

Redis may lose everything, or go back to an older state: by a backup that is restored, a failover to a replica, or a
truncated file. A number in Redis that grows every minute, and its copy in the object store, show either. A run that
Redis does not know is restarted from its backup in any case; outputs that exist are found to be up to date.
Of ended runs there are summaries, of dead letters copies. Interactive jobs are not restored, because their clients
retry.
"""

from datetime import timedelta

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning
from imageconverter.jobs import redis_command
from imageconverter.previews.reindex import reindex
from imageconverter.resources import Resources
from imageconverter.runs import RunBackup, archive_run, get_summary, list_backups, list_summaries
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore
from services.reporter.dead_letter_copies import copy_dead_letters, restore_dead_letters

_log = structlog.get_logger(__name__)

_RETRY_TIMEOUT_SECONDS = 30
# A gateway may take some time between writing a backup and starting its run.
_MIN_BACKUP_AGE = timedelta(seconds=15)


async def rebuild(resources: Resources) -> int:
    """Restore what Redis has lost; returns the number of runs, dead letters and preview keys restored.

    Also stores the summaries of runs that have ended, and copies of the dead letters. It may be called at any time,
    also concurrently. Raises StoreUnavailable and QueueUnavailable; the next call restores the rest.
    """
    epoch = max(await _stored_epoch(resources.store), 1)

    async def has_lost_data() -> bool:
        return await _epoch(resources.redis) < epoch

    is_lost, restored = await has_lost_data(), 0
    if is_lost:
        restored += await resources.runs.restore(await list_summaries(resources.store))
    backups = await list_backups(resources.store)
    restored += await _restore_runs(resources, backups, only_old=not is_lost)
    if is_lost:
        restored += await restore_dead_letters(resources)
        restored += await reindex(resources.previews, resources.store)
        await resources.scans.request()
        await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "SET", keys.EPOCH, epoch)
    archived = sum([await archive_run(run.id, resources.runs, resources.store) for run, _ in backups])
    if await copy_dead_letters(resources, has_lost_data) or archived:
        await advance_epoch(resources)  # so that a state of Redis without these is recognized as older
    return restored


async def advance_epoch(resources: Resources) -> int:
    """Increase the number by which older states of Redis are detected, and its copy; returns it.

    First in Redis: a crash in between leaves it larger there, which is no loss. If Redis has lost data since the last
    `rebuild`, the copy stays, so that the next one notices.
    """
    epoch = int(await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "INCR", keys.EPOCH))
    if epoch > await _stored_epoch(resources.store):
        await resources.store.put(keys.EPOCH_COPY, str(epoch).encode(), content_type="text/plain")
    return epoch


async def _restore_runs(resources: Resources, backups: list[RunBackup], *, only_old: bool) -> int:
    """Restart the runs that Redis does not know and that have not ended; returns their number.

    Only one runs at a time, the rest waits.
    """
    restored = 0
    oldest = await resources.store.cutoff(_MIN_BACKUP_AGE)
    latest = oldest + 2 * _MIN_BACKUP_AGE  # a later one dates from before the clock was set back
    for run, written in backups:
        if (only_old and oldest < written < latest) or await resources.runs.status(run.id) is not None:
            continue
        if (summary := await get_summary(resources.store, run.id)) is not None:
            restored += await resources.runs.restore([summary])
            continue
        await delete_below(resources.store, keys.result_parts(run.id))
        try:
            await resources.runs.start(run)
        except RunAlreadyRunning:
            continue
        _log.warning("lost run restarted", run=run.id)
        restored += 1
    return restored


async def _epoch(redis: Redis) -> int:
    return int(await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "GET", keys.EPOCH) or 0)


async def _stored_epoch(store: ObjectStore) -> int:
    copy = await store.get(keys.EPOCH_COPY)
    text = bytes(copy.data).decode(errors="replace") if copy is not None else ""
    return int(text) if text.isascii() and text.isdigit() else 0
