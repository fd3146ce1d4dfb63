"""Restoring what Redis has lost: unfinished runs and the index of previews.

Redis may lose everything, or go back to an older state: by a backup that is restored, a failover to a replica, or a
truncated file. A number in Redis that grows every minute, and its copy in the object store, show either. A run that
Redis does not know is restarted from its backup in any case; outputs that exist are found to be up to date.
Interactive jobs are not restored, because their clients retry, nor dead letters.
"""

from datetime import timedelta

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning
from imageconverter.jobs import redis_command
from imageconverter.previews.reindex import reindex
from imageconverter.resources import Resources
from imageconverter.runs import RunBackup, delete_backup, list_backups
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)

_RETRY_TIMEOUT_SECONDS = 30
# A gateway may take some time between writing a backup and starting its run.
_MIN_BACKUP_AGE = timedelta(seconds=15)


async def rebuild(resources: Resources) -> int:
    """Restore what Redis has lost; returns the number of runs and preview keys restored.

    Also deletes the backups of runs that have ended. It may be called at any time, also concurrently. Raises
    StoreUnavailable and QueueUnavailable; the next call restores the rest.
    """
    epoch = await _stored_epoch(resources.store)
    has_lost_data = await _epoch(resources.redis) < max(epoch, 1)
    backups = await list_backups(resources.store)
    restored = await _restore_runs(resources, backups, only_old=not has_lost_data)
    await _delete_old_backups(resources, backups)
    if has_lost_data:
        restored += await reindex(resources.previews, resources.store)
        await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "SET", keys.EPOCH, max(epoch, 1))
    return restored


async def advance_epoch(resources: Resources) -> int:
    """Increase the number by which older states of Redis are detected; call it after `rebuild`. Returns it.

    First in Redis: a crash in between leaves it larger there, which is no loss.
    """
    epoch = int(await redis_command(resources.redis, _RETRY_TIMEOUT_SECONDS, "INCR", keys.EPOCH))
    await resources.store.put(keys.EPOCH_COPY, str(epoch).encode(), content_type="text/plain")
    return epoch


async def _restore_runs(resources: Resources, backups: list[RunBackup], *, only_old: bool) -> int:
    """Restart the runs that Redis does not know; returns their number. Only one runs at a time, the rest waits."""
    restored = 0
    oldest = await resources.store.cutoff(_MIN_BACKUP_AGE)
    latest = oldest + 2 * _MIN_BACKUP_AGE  # a later one dates from before the clock was set back
    for run, written in backups:
        if (only_old and oldest < written < latest) or await resources.runs.status(run.id) is not None:
            continue
        await delete_below(resources.store, keys.result_parts(run.id))
        try:
            await resources.runs.start(run)
        except RunAlreadyRunning:
            continue
        _log.warning("lost run restarted", run=run.id)
        restored += 1
    return restored


async def _delete_old_backups(resources: Resources, backups: list[RunBackup]) -> None:
    """Delete the backups of runs that have ended."""
    for run, _ in backups:
        status = await resources.runs.status(run.id)
        if status is not None and not status.is_running:
            await delete_backup(resources.store, run.id)


async def _epoch(redis: Redis) -> int:
    return int(await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "GET", keys.EPOCH) or 0)


async def _stored_epoch(store: ObjectStore) -> int:
    copy = await store.get(keys.EPOCH_COPY)
    text = bytes(copy.data).decode(errors="replace") if copy is not None else ""
    return int(text) if text.isascii() and text.isdigit() else 0
