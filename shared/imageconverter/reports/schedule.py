"""Scheduled scans."""

from datetime import datetime

from cronsim import CronSim
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import JobQueue, redis_command
from imageconverter.reports import commands


async def scan_when_due(redis: Redis, queue: JobQueue, schedule: str, now: datetime, *, retry_timeout: float) -> int:
    """Enqueue a scan if *schedule*, a cron expression in the time zone of *now*, is due; returns the number enqueued.

    One scan makes up for all missed times. The first call only records the time: scans start with the next due time.
    All reporters have to take *now* from one clock.
    Raises QueueUnavailable.
    """
    due = next(CronSim(schedule, now, reverse=True))
    stored = await redis_command(redis, retry_timeout, "GET", keys.SCHEDULED)
    last = None if stored is None else datetime.fromisoformat(stored.decode())
    if last is not None and due <= last <= now:
        return 0
    is_due = last is not None and last < due  # else the clock was set back since
    if is_due:
        await commands.scan(queue)
    # Recorded last: enqueuing a scan twice does no harm, but a scan that was not enqueued would be missed.
    await redis_command(redis, retry_timeout, "SET", keys.SCHEDULED, due.isoformat())
    return int(is_due)
