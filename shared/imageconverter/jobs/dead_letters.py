"""Jobs that were given up: kept for a while, so that a person can see why, have them tried again, or drop them."""

import json
from collections.abc import Container
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.jobs.queue_name import PAYLOAD_MS, job_key, redis_errors, script_text

KEPT = 1000
KEPT_SECONDS = 30 * 24 * 3600
# Of a job that is larger nothing but its failure is kept; ours have a few kilobytes.
_MAX_BODY = 64 * 1024


class DeadJob(NamedTuple):
    """A job that was given up."""

    id: str
    lane: str
    task: str
    """"" where that could not be read."""
    reason: str
    tries: int
    died: datetime
    order: Any
    """What the task was asked for; None where that could not be read: such a job cannot be tried again."""


class Order(NamedTuple):
    """What a job says that it wants."""

    task: str
    arguments: list[Any]
    body: str
    """As arq keeps it."""


def read_order(body: bytes | None) -> Order | None:
    """Return what a job wants; None where that cannot be read, or has gone."""
    try:
        text = (body or b"").decode()
        job = json.loads(text)
        task, arguments = job["f"], job["a"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return Order(task, arguments, text) if isinstance(task, str) and isinstance(arguments, list) else None


def why(body: bytes | None, order: Order | None, *, known: Container[str], limit: int) -> str:
    """Return why a job is given up that has not failed by itself; *limit* is the number of its tries."""
    if body is None:
        return "It has waited for too long."
    if order is None:
        return "What it says cannot be read."
    if order.task not in known:
        return "There is no such task."
    return f"It was tried {limit} times."


def epitaph(lane: str, order: Order | None, reason: str, *, tries: int) -> str:
    """Return what is kept of a job."""
    body = order.body if order is not None and len(order.body) <= _MAX_BODY else ""
    kept = {"lane": lane, "task": order.task if order else "", "reason": reason, "tries": tries, "body": body}
    return json.dumps(kept)


class DeadJobs:
    """The newest thousand of the last thirty days. Every method raises QueueUnavailable."""

    def __init__(self, redis: Redis, *, patience: float) -> None:
        """Use *redis*; try for *patience* seconds."""
        self._redis = redis
        self._patience = patience
        self._exhume = redis.register_script(script_text("imageconverter.jobs", "requeue"))

    async def all(self) -> list[DeadJob]:
        """Return them, the last that died first."""
        async with redis_errors(self._patience), self._redis.pipeline(transaction=True) as pipe:
            pipe.zrevrange(keys.DEAD, 0, -1, withscores=True)
            pipe.hgetall(keys.DEAD_JOBS)
            ids, texts = await pipe.execute()
        return [_read(each.decode(), died, texts[each]) for each, died in ids if each in texts]

    async def retry(self, job_id: str) -> None:
        """Queue a job again, as if it had never been tried.

        Raises NotFound where it is not among the dead, or where its order is not known.
        """
        await self._take_out(job_id, queue=True)

    async def drop(self, job_id: str) -> None:
        """Forget a job; raises NotFound where it is not among the dead."""
        await self._take_out(job_id, queue=False)

    async def _take_out(self, job_id: str, *, queue: bool) -> None:
        async with redis_errors(self._patience):
            found = await self._exhume(
                keys=[keys.DEAD, keys.DEAD_JOBS],
                args=[job_id, int(queue), job_key(""), PAYLOAD_MS, keys.lane(""), keys.wake("")],
            )
        if found == 0:
            raise NotFound("There is no such job among those that were given up.")
        if found < 0:
            raise NotFound("What that job was to do is not known any more; it can only be dropped.")


def _read(job_id: str, died: float, text: bytes) -> DeadJob:
    kept = json.loads(text)
    try:
        (order,) = json.loads(kept["body"])["a"]
    except (ValueError, RecursionError):
        order = None
    return DeadJob(
        job_id,
        kept["lane"],
        kept["task"],
        kept["reason"],
        kept["tries"],
        datetime.fromtimestamp(died, UTC),
        order,
    )
