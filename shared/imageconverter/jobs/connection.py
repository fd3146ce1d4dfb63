"""The connection to Redis: bounded in time, retrying through a restart."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError, TimeoutError  # noqa: A004 - the names that redis-py gives them

from imageconverter.settings import RedisSettings, SettingsError


def encode(value: Any) -> bytes:
    """Serialize a job as JSON. arq's default, pickle, would run the code of anyone who can write to Redis."""
    return json.dumps(value, separators=(",", ":")).encode()


@asynccontextmanager
async def open_redis(settings: RedisSettings, *, retry_timeout: float) -> AsyncIterator[Redis]:
    """Open a client whose commands are retried for about *retry_timeout* seconds; it connects on first use.

    A gateway needs a short one, so that its client gets an error soon; a worker a long one, so that it survives a
    restart of Redis. Raises SettingsError if the address of Redis is not set.
    """
    if settings.url is None:
        raise SettingsError("IMAGECONVERTER_REDIS_URL: must be set")
    pool = ConnectionPool.from_url(
        settings.url.get_secret_value(),
        socket_timeout=settings.timeout_seconds,
        socket_connect_timeout=settings.timeout_seconds,
        socket_keepalive=True,
        health_check_interval=15,
        # Otherwise each connection sends CLIENT SETINFO, which Redis before 7.2 and the ACL of docker/ refuse.
        lib_name=None,
        lib_version=None,
        # The first three pauses together take a second, as does each of the others.
        retry=Retry(ExponentialBackoff(cap=1, base=0.05), int(retry_timeout) + 3),
        # redis-py's own errors; a server that loads its data after a restart raises one of them.
        # OSError: redis-py does not convert it if a restarting server refuses the connection.
        retry_on_error=[ConnectionError, TimeoutError, OSError],
    )
    try:
        yield Redis(connection_pool=pool)
    finally:
        await pool.disconnect()
