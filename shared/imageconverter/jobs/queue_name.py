"""Lanes, jobs and leases as they stand in Redis, and how its scripts are called."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import StrEnum
from typing import Any

from arq.constants import in_progress_key_prefix, job_key_prefix
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter.errors import QueueUnavailable
from imageconverter.jobs.connection import encode

# Longer than any backlog may last; arq drops a job whose payload has expired.
PAYLOAD_MS = 7 * 24 * 3600 * 1000


class QueueName(StrEnum):
    """A queue of its own; clients wait for interactive jobs, for the others nobody does."""

    INTERACTIVE = "interactive"
    BATCH = "batch"
    SCAN = "scan"


def job_body(function: str, payload: Any) -> bytes:
    """Return a job as arq keeps it: the name of the task and its one argument."""
    return encode({"t": None, "f": function, "a": [payload], "k": {}, "et": 0})


def job_key(job_id: str) -> str:
    """Redis key of a job's body."""
    return job_key_prefix + job_id


def lease_key(job_id: str) -> str:
    """Redis key that exists while somebody works on a job."""
    return in_progress_key_prefix + job_id


@asynccontextmanager
async def redis_errors(retry_timeout: float) -> AsyncIterator[None]:
    """Bound one operation to *retry_timeout* seconds and turn every way it can fail into QueueUnavailable."""
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
