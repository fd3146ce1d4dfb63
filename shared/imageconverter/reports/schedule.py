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
    Raises QueueUnavailable.
    """
    due = next(CronSim(schedule, now, reverse=True)).isoformat()
    last = await redis_command(redis, retry_timeout, "GET", keys.SCHEDULED)
    if last is not None and datetime.fromisoformat(last.decode()) >= datetime.fromisoformat(due):
        return 0
    if last is not None:
        await commands.scan(queue)
    # Recorded last: enqueuing a scan twice does no harm, but a scan that was not enqueued would be missed.
    await redis_command(redis, retry_timeout, "SET", keys.SCHEDULED, due)
    return int(last is not None)
