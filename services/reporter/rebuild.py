"""Bringing back what Redis has lost: runs that had not ended, and the index of previews.

Whether it has lost anything shows by two keys that are there for ever otherwise. A run begins again from its order:
what it has made already is found up to date and counts as made. What clients wait for is theirs to ask for again;
jobs that were given up are forgotten, and given up again where their run meets them again.
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
from imageconverter.storage.sweep import delete_below

_log = structlog.get_logger(__name__)

RUNS, PREVIEWS = "runs", "previews"

_RETRY_TIMEOUT_SECONDS = 30
# Between keeping an order and starting its run a gateway may stand still for some time.
_SETTLED = timedelta(minutes=10)


async def rebuild(resources: Resources) -> int:
    """Bring back what is lost, if anything is; returns how many runs and keys of previews that were.

    It also forgets the orders of runs that have ended. It may be called at any time, also twice at once. Raises
    StoreUnavailable and QueueUnavailable; whatever was not brought back then is when it is called again.
    """
    restored = 0
    orders = await list_backups(resources.store)
    if await _is_remembered(resources.redis, RUNS):
        await _tidy(resources, orders)
    else:
        count, all_began = await _restore_runs(resources, orders)
        restored += count
        if all_began:
            await _remember(resources.redis, RUNS)
    if not await _is_remembered(resources.redis, PREVIEWS):
        restored += await reindex(resources.previews, resources.store)
        await _remember(resources.redis, PREVIEWS)
    return restored


async def _restore_runs(resources: Resources, orders: list[RunBackup]) -> tuple[int, bool]:
    """Begin lost runs again; returns how many, and whether none is left that has to wait for another to end."""
    restored, all_began = 0, True
    for run, _ in orders:
        if await resources.runs.status(run.id) is not None:
            continue
        await delete_below(resources.store, keys.result_parts(run.id))
        try:
            await resources.runs.start(run)
        except RunAlreadyRunning:
            all_began = False
        else:
            _log.warning("run begins again, Redis has lost it", run=run.id)
            restored += 1
    return restored, all_began


async def _tidy(resources: Resources, orders: list[RunBackup]) -> None:
    """Forget orders whose runs have ended, and those that no gateway has begun or that are long forgotten."""
    for run, kept in orders:
        stand = await resources.runs.status(run.id)
        is_over = not stand.is_running if stand is not None else kept < datetime.now(UTC) - _SETTLED
        # Once more: a Redis that has just lost its memory knows of no run either.
        if is_over and await _is_remembered(resources.redis, RUNS):
            await delete_backup(resources.store, run.id)


async def _is_remembered(redis: Redis, what: str) -> bool:
    return bool(await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "EXISTS", keys.memory(what)))


async def _remember(redis: Redis, what: str) -> None:
    await redis_command(redis, _RETRY_TIMEOUT_SECONDS, "SET", keys.memory(what), 1)
