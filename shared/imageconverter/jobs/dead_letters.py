"""Jobs that were given up: kept for a while, so that a person can see why, have them tried again, or drop them."""

import json
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.jobs.queue_name import PAYLOAD_MS, job_key, redis_errors
from imageconverter.jobs.scripts import script_text

MAX_DEAD_LETTERS = 1000
DEAD_LETTER_SECONDS = 30 * 24 * 3600
# Of a job that is larger nothing but its failure is kept; ours have a few kilobytes.
_MAX_BODY = 64 * 1024


class DeadLetter(NamedTuple):
    """A job that was given up."""

    id: str
    queue: str
    task: str
    """"" where that could not be read."""
    reason: str
    attempts: int
    failed_at: datetime
    payload: Any
    """What the task was asked for; None where that could not be read: such a job cannot be tried again."""


class JobBody(NamedTuple):
    """What a job says that it wants."""

    task: str
    arguments: list[Any]
    body: str
    """As arq keeps it."""


def read_job_body(body: bytes | None) -> JobBody | None:
    """Return what a job wants; None where that cannot be read, or has gone."""
    try:
        text = (body or b"").decode()
        job = json.loads(text)
        task, arguments = job["f"], job["a"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return JobBody(task, arguments, text) if isinstance(task, str) and isinstance(arguments, list) else None


def failure_reason(body: bytes | None, job: JobBody | None, *, known: Container[str], limit: int) -> str:
    """Return why a job is given up that has not failed by itself; *limit* is the number of its tries."""
    if body is None:
        return "It has waited for too long."
    if job is None:
        return "What it says cannot be read."
    if job.task not in known:
        return "There is no such task."
    return f"It was tried {limit} times."


def dead_letter_record(queue: str, job: JobBody | None, reason: str, *, attempts: int) -> str:
    """Return what is kept of a job."""
    body = job.body if job is not None and len(job.body) <= _MAX_BODY else ""
    kept = {"lane": queue, "task": job.task if job else "", "reason": reason, "tries": attempts, "body": body}
    return json.dumps(kept)


class DeadLetterQueue:
    """The newest thousand of the last thirty days. Every method raises QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*; try for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._requeue = redis.register_script(script_text("imageconverter.jobs", "requeue"))

    async def all(self) -> list[DeadLetter]:
        """Return them, the last that died first."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.zrevrange(keys.DEAD_LETTER_TIMES, 0, -1, withscores=True)
            pipe.hgetall(keys.DEAD_LETTERS)
            ids, texts = await pipe.execute()
        return [_read(each.decode(), failed_at, texts[each]) for each, failed_at in ids if each in texts]

    async def retry(self, job_id: str) -> None:
        """Queue a job again, as if it had never been tried.

        Raises NotFound where it is not among the dead, or where its order is not known.
        """
        await self._remove(job_id, queue=True)

    async def drop(self, job_id: str) -> None:
        """Forget a job; raises NotFound where it is not among the dead."""
        await self._remove(job_id, queue=False)

    async def _remove(self, job_id: str, *, queue: bool) -> None:
        async with redis_errors(self._retry_timeout):
            found = await self._requeue(
                keys=[keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS],
                args=[job_id, int(queue), job_key(""), PAYLOAD_MS, keys.queue(""), keys.wake("")],
            )
        if found == 0:
            raise NotFound("There is no such job among those that were given up.")
        if found < 0:
            raise NotFound("What that job was to do is not known any more; it can only be dropped.")


def _read(job_id: str, failed_at: float, text: bytes) -> DeadLetter:
    kept = json.loads(text)
    try:
        (job,) = json.loads(kept["body"])["a"]
    except (ValueError, RecursionError):
        job = None
    return DeadLetter(
        job_id,
        kept["lane"],
        kept["task"],
        kept["reason"],
        kept["tries"],
        datetime.fromtimestamp(failed_at, UTC),
        job,
    )
