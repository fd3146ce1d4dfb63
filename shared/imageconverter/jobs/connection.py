"""The client of Redis, which reports the time of each command."""

import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from redis.asyncio import ConnectionPool, Redis
from redis.asyncio.client import Pipeline

from imageconverter.jobs.connection_pool import open_pool
from imageconverter.settings import RedisSettings, SettingsError


def encode(value: Any) -> bytes:
    """Serialize a job as JSON. arq's default, pickle, would run the code of anyone who can write to Redis."""
    return json.dumps(value, separators=(",", ":")).encode()


_WAITING: Final = frozenset({"BLPOP", "BRPOP", "BLMOVE", "BZPOPMIN", "WAIT"})

CommandListener = Callable[[str, bool, float], None]
"""Gets the name of a command, or `PIPELINE`, whether it succeeded, and its time in seconds."""


class MeasuredPipeline(Pipeline):
    """A pipeline that reports how long it takes."""

    on_command: CommandListener

    async def execute(self, raise_on_error: bool = True) -> list[Any]:  # noqa: FBT001, FBT002 - redis-py's signature
        """Send the commands."""
        names = {str(arguments[0]) for arguments, _ in self.command_stack}
        async with measured(self.on_command, names.pop() if len(names) == 1 else "PIPELINE"):
            return await super().execute(raise_on_error)


class MeasuredRedis(Redis):
    """A client that reports how long its commands take."""

    def __init__(self, pool: ConnectionPool, on_command: CommandListener) -> None:
        """Use *pool*."""
        super().__init__(connection_pool=pool)
        self._on_command = on_command

    async def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send a command."""
        async with measured(self._on_command, str(args[0])):
            return await super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    def pipeline(self, transaction: bool = True, shard_hint: str | None = None) -> Pipeline:  # noqa: FBT001, FBT002
        """Return a pipeline that reports as well."""
        made = MeasuredPipeline(self.connection_pool, self.response_callbacks, transaction, shard_hint)
        made.on_command = self._on_command
        return made


@asynccontextmanager
async def measured(on_command: CommandListener, name: str) -> AsyncIterator[None]:
    """Report the command that is sent in the block, unless it waits for something to happen."""
    began, succeeded = time.perf_counter(), False
    try:
        yield
        succeeded = True
    finally:
        if name not in _WAITING:
            on_command(name, succeeded, time.perf_counter() - began)


@asynccontextmanager
async def open_redis(
    settings: RedisSettings, *, retry_timeout: float, on_command: CommandListener = lambda *_: None
) -> AsyncIterator[Redis]:
    """Open a client whose commands are retried for about *retry_timeout* seconds; it connects on first use.

    *on_command* is called after each command and pipeline.

    A gateway needs a short one, so that its client gets an error soon; a worker a long one, so that it survives a
    restart of Redis. Raises SettingsError if the address of Redis is not set.
    """
    if settings.url is None:
        raise SettingsError("IMAGECONVERTER_REDIS_URL: must be set")
    url = settings.url.get_secret_value()
    async with open_pool(settings, url, retry_timeout=retry_timeout) as pool:
        yield MeasuredRedis(pool, on_command)
