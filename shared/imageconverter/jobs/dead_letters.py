"""The dead-letter queue: failed jobs, kept for a while so that a person can read why, and requeue or drop them."""

import json
from collections.abc import Container, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.jobs.queue_name import job_key, redis_errors
from imageconverter.jobs.scripts import script_text

MAX_DEAD_LETTERS = 1000
DEAD_LETTER_SECONDS = 30 * 24 * 3600
# The payload of a larger job is not kept; the jobs of this service have a few kilobytes.
_MAX_BODY = 64 * 1024


class DeadLetter(NamedTuple):
    """A job that has failed for good."""

    id: str
    queue: str
    task: str
    """"" if the job could not be read."""
    reason: str
    attempts: int
    failed_at: datetime
    payload: Any
    """The argument of the task; None if it was not kept or could not be read: such a job cannot be requeued."""


class DeadLetterRecord(NamedTuple):
    """A dead letter as it is stored."""

    id: str
    failed_at: int
    """In seconds since 1970."""
    text: str
    """The dead letter as JSON."""


class JobBody(NamedTuple):
    """A decoded job."""

    task: str
    arguments: list[Any]
    body: str
    """The JSON text as arq stores it."""
    ids: Any = None
    """The ids of the request that it is for, if any."""


def read_job_body(body: bytes | None) -> JobBody | None:
    """Decode a job; returns None if it cannot be read, or if there is no *body*."""
    try:
        text = (body or b"").decode()
        job = json.loads(text)
        task, arguments, ids = job["f"], job["a"], job.get("ids")
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return JobBody(task, arguments, text, ids) if isinstance(task, str) and isinstance(arguments, list) else None


def failure_reason(body: bytes | None, job: JobBody | None, *, known: Container[str], limit: int) -> str:
    """Return why a job was not run (again); *known* are the tasks, *limit* is the number of attempts."""
    if body is None:
        return "The payload of the job is lost."
    if job is None:
        return "The job cannot be read."
    if job.task not in known:
        return "There is no such task."
    return f"All {limit} attempts failed."


def dead_letter_record(queue: str, job: JobBody | None, reason: str, *, attempts: int) -> str:
    """Return a dead letter as JSON, with the names that release 0.1.0 reads."""
    body = job.body if job is not None and len(job.body) <= _MAX_BODY else ""
    kept = {"lane": queue, "task": job.task if job else "", "reason": reason, "tries": attempts, "body": body}
    return json.dumps(kept)


class DeadLetterQueue:
    """The newest thousand dead letters of the last thirty days. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._requeue = redis.register_script(script_text("imageconverter.jobs", "requeue"))

    async def all(self) -> list[DeadLetter]:
        """Return all dead letters, the newest first."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.zrevrange(keys.DEAD_LETTER_TIMES, 0, -1, withscores=True)
            pipe.hgetall(keys.DEAD_LETTERS)
            ids, texts = await pipe.execute()
        return [_read(each.decode(), failed_at, texts[each]) for each, failed_at in ids if each in texts]

    async def count(self) -> int:
        """Return the number of dead letters."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.DEAD_LETTER_TIMES)
            (count,) = await pipe.execute()
        return int(count)

    async def times(self) -> dict[str, int]:
        """Return the times of failure of all dead letters, in seconds since 1970, by id."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zrange(keys.DEAD_LETTER_TIMES, 0, -1, withscores=True)
            (found,) = await pipe.execute()
        return {each.decode(): int(failed_at) for each, failed_at in found}

    async def texts(self, ids: Sequence[str]) -> dict[str, str]:
        """Return those dead letters of *ids* that exist, as JSON."""
        if not ids:
            return {}
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.DEAD_LETTERS, list(ids))
            (found,) = await pipe.execute()
        return {each: text.decode() for each, text in zip(ids, found, strict=True) if text is not None}

    async def restore(self, records: Sequence[DeadLetterRecord]) -> None:
        """Add the newest of *records*, unless Redis has dead letters with their ids."""
        newest = sorted(records, key=lambda each: each.failed_at, reverse=True)[:MAX_DEAD_LETTERS]
        if not newest:
            return
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            for each in newest:
                pipe.zadd(keys.DEAD_LETTER_TIMES, {each.id: each.failed_at}, nx=True)
                pipe.hsetnx(keys.DEAD_LETTERS, each.id, each.text)
            pipe.expire(keys.DEAD_LETTER_TIMES, DEAD_LETTER_SECONDS)
            pipe.expire(keys.DEAD_LETTERS, DEAD_LETTER_SECONDS)
            await pipe.execute()

    async def retry(self, job_id: str) -> None:
        """Requeue a job with no attempts counted.

        Raises NotFound if there is no such dead letter, or if its payload was not kept.
        """
        await self._remove(job_id, queue=True)

    async def drop(self, job_id: str) -> None:
        """Delete a dead letter; raises NotFound if there is none."""
        await self._remove(job_id, queue=False)

    async def _remove(self, job_id: str, *, queue: bool) -> None:
        async with redis_errors(self._retry_timeout):
            found = await self._requeue(
                keys=[keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS],
                args=[job_id, int(queue), job_key(""), keys.queue(""), keys.wake("")],
            )
        if found == 0:
            raise NotFound("There is no such dead letter.")
        if found < 0:
            raise NotFound("The payload of that job was not kept; it can only be dropped.")


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
