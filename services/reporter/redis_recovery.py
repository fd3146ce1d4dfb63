"""Restoring what Redis has lost: unfinished runs and the index of previews.

Two keys that never expire show whether Redis has lost its data. A run is restarted from its backup; outputs that
exist are found to be up to date. Interactive jobs are not restored, because their clients retry, nor dead letters.
"""

from datetime import UTC, datetime, timedelta

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning
from imageconverter.jobs import redis_command
from imageconverter.previews.reindex import reindex
from imageconverter.resources import Resources
from imageconverter.runs import RunBackup, delete_backup, list_backups
from imageconverter.storage.bulk_delete import delete_below

_log = structlog.get_logger(__name__)

RUNS, PREVIEWS = "runs", "previews"

_RETRY_TIMEOUT_SECONDS = 30
# A gateway may take some time between writing a backup and starting its run.
_MIN_BACKUP_AGE = timedelta(minutes=10)


async def rebuild(resources: Resources) -> int:
    """Restore what Redis has lost; returns the number of runs and preview keys restored.

    Also deletes the backups of runs that have ended. It may be called at any time, also concurrently. Raises
    StoreUnavailable and QueueUnavailable; the next call restores the rest.
    """
    restored = 0
    backups = await list_backups(resources.store)
    if await _has_marker(resources.redis, RUNS):
        await _delete_old_backups(resources, backups)
    else:
        count, all_started = await _restore_runs(resources, backups)
        restored += count
        if all_started:
            await _set_marker(resources.redis, RUNS)
    if not await _has_marker(resources.redis, PREVIEWS):
        restored += await reindex(resources.previews, resources.store)
        await _set_marker(resources.redis, PREVIEWS)
    return restored


async def _restore_runs(resources: Resources, backups: list[RunBackup]) -> tuple[int, bool]:
    """Restart lost runs; returns their number, and whether all were started: only one can run at a time."""
    restored, all_started = 0, True
    for run, _ in backups:
        if await resources.runs.status(run.id) is not None:
            continue
        await delete_below(resources.store, keys.result_parts(run.id))
        try:
            await resources.runs.start(run)
        except RunAlreadyRunning:
            all_started = False
        else:
            _log.warning("lost run restarted", run=run.id)
            restored += 1
    return restored, all_started


async def _delete_old_backups(resources: Resources, backups: list[RunBackup]) -> None:
    """Delete the backups of runs that have ended or are unknown."""
    for run, written in backups:
        status = await resources.runs.status(run.id)
        is_over = not status.is_running if status is not None else written < datetime.now(UTC) - _MIN_BACKUP_AGE
        # Checked again: a Redis that has just lost its data knows no run either.
        if is_over and await _has_marker(resources.redis, RUNS):
            await delete_backup(resources.store, run.id)


async def _has_marker(redis: Redis, name: str) -> bool:
    return bool(await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "EXISTS", keys.memory(name)))


async def _set_marker(redis: Redis, name: str) -> None:
    await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "SET", keys.memory(name), 1)
