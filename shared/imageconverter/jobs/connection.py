"""The connection to Redis: bounded in time, patient with a restart."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from arq.connections import ArqRedis
from redis.asyncio import ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - the names that redis-py gives them

from imageconverter.settings import RedisSettings, SettingsError


def encode(value: Any) -> bytes:
    """Serialise a job. JSON, because arq's pickle would run code for whoever can write to Redis."""
    return json.dumps(value, separators=(",", ":")).encode()


@asynccontextmanager
async def open_redis(settings: RedisSettings, *, retry_timeout: float) -> AsyncIterator[ArqRedis]:
    """Open a client whose commands are tried again for about *retry_timeout* seconds; nothing is connected yet.

    A gateway wants little of it, so that its client hears of the trouble at once; a worker more, so that it
    lives through a restart of Redis.
    """
    if settings.url is None:
        raise SettingsError("IMAGECONVERTER_REDIS_URL: must be set")
    pool = ConnectionPool.from_url(
        settings.url.get_secret_value(),
        socket_timeout=settings.timeout_seconds,
        socket_connect_timeout=settings.timeout_seconds,
        socket_keepalive=True,
        health_check_interval=15,
        # The first three pauses are together as long as each of the others: a second.
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), int(retry_timeout) + 3),
        # redis-py's own, not Python's of the same names; one that loads its data after a restart is among them.
        # OSError: redis-py lets it through when a restarting server refuses the connection.
        retry_on_error=[ConnectionError, TimeoutError, OSError],
    )
    try:
        yield ArqRedis(pool, job_serializer=encode, job_deserializer=json.loads)
    finally:
        await pool.disconnect()
