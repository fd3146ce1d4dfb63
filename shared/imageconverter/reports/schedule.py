"""Asking for scans by the clock."""

from datetime import datetime

from cronsim import CronSim
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import JobQueue, redis_command
from imageconverter.reports import commands


async def scan_when_due(redis: Redis, queue: JobQueue, schedule: str, now: datetime, *, retry_timeout: float) -> int:
    """Ask for a scan where *schedule*, a cron expression in the time zone of *now*, has come due; returns how many.

    Times that were missed are made up for by one scan. Where nothing is known of scans yet, the first one that is due
    from now on is made. Raises QueueUnavailable.
    """
    due = next(CronSim(schedule, now, reverse=True)).isoformat()
    last = await redis_command(redis, retry_timeout, "GET", keys.SCHEDULED)
    if last is not None and datetime.fromisoformat(last.decode()) >= datetime.fromisoformat(due):
        return 0
    if last is not None:
        await commands.scan(queue)
    # Afterwards: a scan that is asked for twice is one, one that is not asked for is missed.
    await redis_command(redis, retry_timeout, "SET", keys.SCHEDULED, due)
    return int(last is not None)
