"""Queues, jobs and leases in Redis, and how commands are sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from arq.constants import in_progress_key_prefix, job_key_prefix
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter import request_ids, tracing
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs.connection import encode


class QueueName(StrEnum):
    """The queues; a client waits for an interactive and an expensive job, but not for others."""

    INTERACTIVE = "interactive"
    EXPENSIVE = "expensive"
    """Interactive jobs that turned out to take long."""
    BATCH = "batch"
    SCAN = "scan"

    @property
    def origin(self) -> "QueueName":
        """The queue in which its jobs were enqueued."""
        return QueueName.INTERACTIVE if self is QueueName.EXPENSIVE else self


def job_body(function: str, payload: Any) -> bytes:
    """Return a job in arq's form: the name of the task and its one argument; and the ids of the request, if any."""
    ids = request_ids.current()
    if trace_parent := tracing.current():
        ids[tracing.TRACE_PARENT] = trace_parent
    return encode({"t": None, "f": function, "a": [payload], "k": {}, "et": 0, **({"ids": ids} if ids else {})})


def job_key(job_id: str) -> str:
    """Redis key of a job's body."""
    return job_key_prefix + job_id


def lease_key(job_id: str) -> str:
    """Redis key that exists while a worker runs a job."""
    return in_progress_key_prefix + job_id


@asynccontextmanager
async def redis_errors(retry_timeout: float) -> AsyncIterator[None]:
    """Bound one operation to *retry_timeout* seconds and raise QueueUnavailable for each error of Redis."""
    try:
        async with asyncio.timeout(retry_timeout):
            yield
    except (RedisError, OSError) as error:  # TimeoutError is an OSError
        raise QueueUnavailable("The job queue does not answer.") from error


async def redis_command(redis: Redis, retry_timeout: float, *command: Any) -> Any:
    """Send one *command*, its name first, and return the reply; retries for *retry_timeout* seconds.

    Raises QueueUnavailable if Redis does not answer.
    """
    # As a pipeline: the single commands of redis-py are typed as if they might not be awaitable.
    async with redis_errors(retry_timeout), redis.pipeline(transaction=False) as pipe:
        pipe.execute_command(*command)
        (reply,) = await pipe.execute()
    return reply
