"""Enqueueing jobs and waiting for their results."""

import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple
from uuid import uuid4

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import ConversionFailed, QueueFull, QueueUnavailable
from imageconverter.jobs.connection import encode
from imageconverter.jobs.dead_letters import DeadLetterQueue
from imageconverter.jobs.queue_name import QueueName, job_body, job_key, lease_key, redis_errors
from imageconverter.jobs.scripts import script_text

_REPLY_SECONDS = 3600
_LIVE_SECONDS = 5
_READY_SECONDS = 60
_SEARCH_LIMIT = 1000
_DEDUP_MS = 7 * 24 * 3600 * 1000  # longer than any backlog may last
_WAITED_MS = 15_000  # after which a client that does not renew it no longer waits: its gateway was killed
# A wait is split into slices below the socket timeout, so that a dead Redis is noticed.
_SLICE_OF_TIMEOUT = 0.5


class PeriodicStats(NamedTuple):
    """Statistics of a periodic task since Redis was empty."""

    items: int
    at: int
    """Time of the last run, in seconds since 1970."""


class QueueState(NamedTuple):
    """The jobs of a queue."""

    jobs: int
    """Those that wait and those that run."""
    running: int
    """Among the first thousand: jobs that run stay at the head of their queue."""
    oldest_waits: float | None
    """For how many seconds the first job that no worker runs has been there; None if there is none."""


class JobQueue:
    """The job queues. All methods raise QueueUnavailable if Redis does not answer."""

    def __init__(self, redis: Redis, *, timeout_seconds: float, retry_timeout: float) -> None:
        """Use *redis*, whose commands time out after *timeout_seconds*; retry for *retry_timeout* seconds."""
        self.dead = DeadLetterQueue(redis, retry_timeout=retry_timeout)
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._slice = timeout_seconds * _SLICE_OF_TIMEOUT
        self._enqueue = redis.register_script(script_text("imageconverter.jobs", "enqueue"))
        self._leave = redis.register_script(script_text("imageconverter.jobs", "leave"))
        self._reply = redis.register_script(script_text("imageconverter.jobs", "reply"))
        self._enqueue_or_join = redis.register_script(script_text("imageconverter.jobs", "enqueue_or_join"))
        self._publish_result = redis.register_script(script_text("imageconverter.jobs", "publish_result"))
        self._lock = redis.register_script(script_text("imageconverter.jobs", "lock"))
        self._queue_state = redis.register_script(script_text("imageconverter.jobs", "queue_state"))
        self._heartbeat = redis.register_script(script_text("imageconverter.jobs", "heartbeat"))

    async def enqueue(
        self, queue: QueueName, function: str, job_id: str, payload: Any, *, limit: int = 0, waited: bool = False
    ) -> None:
        """Enqueue a job; an id that is in the queue already is not enqueued twice.

        If it is *waited* for, the caller has to `wait`, because otherwise it is not done.

        Raises QueueFull if *limit* (0: none) jobs are waiting or running.
        """
        async with redis_errors(self._retry_timeout):
            accepted = await self._enqueue(
                keys=[keys.queue(queue), job_key(job_id), keys.REFUSED, keys.wake(queue), keys.waited(job_id)],
                args=[
                    job_id,
                    job_body(function, payload),
                    limit,
                    queue.value,
                    _WAITED_MS if waited else 0,
                ],
            )
        if not accepted:
            raise QueueFull("Too many conversions are waiting; try again in a moment.")

    async def enqueue_or_join(
        self,
        queue: QueueName,
        function: str,
        dedup_key: str,
        payload: Any,
        *,
        limit: int = 0,
        waited: bool = False,
    ) -> str:
        """Enqueue a job, or join the one with the same *dedup_key*; returns the id of the job.

        Each caller can `wait` for it once, and has to if it is *waited* for. Raises QueueFull if *limit* (0: none)
        jobs are waiting or running and none has that key.
        """
        job_id = uuid4().hex
        async with redis_errors(self._retry_timeout):
            joined = await self._enqueue_or_join(
                keys=[
                    keys.dedup_key(dedup_key),
                    keys.queue(queue),
                    job_key(job_id),
                    keys.REFUSED,
                    keys.wake(queue),
                    keys.queue(QueueName.EXPENSIVE),
                ],
                args=[
                    job_id,
                    job_body(function, payload),
                    _DEDUP_MS,
                    limit,
                    queue.value,
                    keys.waiters(""),
                    _WAITED_MS if waited else 0,
                    keys.waited(""),
                ],
            )
        if not joined:
            raise QueueFull("Too many conversions are waiting; try again in a moment.")
        return str(joined.decode())

    async def publish_result(self, dedup_key: str, job_id: str, outcome: Mapping[str, Any]) -> None:
        """Leave the *outcome* of a deduplicated job for all its waiters; the next request enqueues another job."""
        async with redis_errors(self._retry_timeout):
            await self._publish_result(
                keys=[keys.dedup_key(dedup_key), keys.waiters(job_id), keys.reply(job_id)],
                args=[job_id, encode(outcome), _REPLY_SECONDS],
            )

    async def reply(self, job_id: str, outcome: Mapping[str, Any]) -> None:
        """Leave the *outcome* of a job for the client that waits for it."""
        async with redis_errors(self._retry_timeout):
            await self._reply(keys=[keys.reply(job_id)], args=[encode(outcome), _REPLY_SECONDS])

    async def wait(
        self, job_id: str, *, seconds: float, has_left: Callable[[], bool] | None = None
    ) -> dict[str, Any]:
        """Wait for the outcome of a job; raises ConversionFailed if there is none within *seconds*.

        The same if the client *has_left* meanwhile. If no other waits for the job, it need not be done then.
        """
        began = time.monotonic()
        until, renewal = began + seconds, began + _WAITED_MS / 3000
        while (left := until - time.monotonic()) > 0 and not (has_left is not None and has_left()):
            async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
                if time.monotonic() > renewal:
                    pipe.pexpire(keys.waited(job_id), _WAITED_MS)
                    renewal = time.monotonic() + _WAITED_MS / 3000
                pipe.execute_command("BLPOP", keys.reply(job_id), min(left, self._slice))
                *_, found = await pipe.execute()
            if found is not None:
                outcome: dict[str, Any] = json.loads(found[1])
                return outcome
        async with redis_errors(self._retry_timeout):
            await self._leave(keys=[keys.waiters(job_id), keys.waited(job_id)])
        raise ConversionFailed("The conversion was not done in time.")

    async def is_waited_for(self, job_id: str) -> bool:
        """Whether a client waits for a job that was enqueued as one that is waited for."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.exists(keys.waited(job_id))
            (exists,) = await pipe.execute()
        return bool(exists)

    async def heartbeat(self, role: str, process: str, formats: str = "", report: str = "") -> None:
        """Record that *process* of *role* is alive.

        *formats* is the digest of its image formats, *report* a text on what it is doing.
        """
        await self._live(role, process, formats, report)

    async def live_processes(self, role: str) -> dict[str, str]:
        """Return the processes of *role* with a recent heartbeat; also a check of Redis.

        The values are the digests of their image formats, "" if that is unknown.
        """
        found = [each.decode() for each in await self._live(role, "", "", "")]
        return dict(zip(found[::2], found[1::2], strict=True))

    async def reports(self, role: str) -> dict[str, str]:
        """Return what the processes of *role* report with their heartbeats; those of earlier releases do not."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.live_reports(role))
            (found,) = await pipe.execute()
        return {process.decode(): report.decode() for process, report in found.items()}

    async def _live(self, role: str, process: str, formats: str, report: str) -> list[bytes]:
        async with redis_errors(self._retry_timeout):
            found: list[bytes] = await self._heartbeat(
                keys=[keys.live(role), keys.live_formats(role), keys.live_reports(role)],
                args=[process, _LIVE_SECONDS, formats, report],
            )
        return found

    async def availability(self) -> Literal["up", "read-only", "down"]:
        """Return whether Redis can be read and written; at `maxmemory`, it may only be read."""
        try:
            async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
                pipe.ping()
                pipe.set(keys.READY, 1, ex=_READY_SECONDS)
                _, written = await pipe.execute(raise_on_error=False)
        except QueueUnavailable:
            return "down"
        return "read-only" if isinstance(written, Exception) else "up"

    async def try_claim_periodic(self, name: str, *, seconds: int) -> bool:
        """Return True to one caller among all processes once in *seconds*."""
        async with redis_errors(self._retry_timeout):
            return bool(await self._lock(keys=[keys.periodic_claim(name)], args=[seconds * 1000]))

    async def record_periodic_run(self, name: str, items: int) -> None:
        """Record a run of a periodic task and the number of its *items*."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hincrby(keys.TASK_COUNTS, name, items)
            pipe.hset(keys.TASK_TIMES, mapping={name: int(time.time())})
            await pipe.execute()

    async def periodic_stats(self) -> dict[str, PeriodicStats]:
        """Return the statistics of periodic tasks by name."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.TASK_COUNTS)
            pipe.hgetall(keys.TASK_TIMES)
            counts, times = await pipe.execute()
        return {name.decode(): PeriodicStats(int(count), int(times.get(name, 0))) for name, count in counts.items()}

    async def state(self, queue: QueueName) -> QueueState:
        """Return how many jobs of *queue* there are, and for how long the oldest one waits."""
        async with redis_errors(self._retry_timeout):
            jobs, running, waits_ms = await self._queue_state(
                keys=[keys.queue(queue)], args=[lease_key(""), _SEARCH_LIMIT]
            )
        return QueueState(jobs, running, None if waits_ms < 0 else waits_ms / 1000)

    async def depth(self, queue: QueueName) -> int:
        """Return how many jobs of *queue* are waiting or running."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.queue(queue))
            (depth,) = await pipe.execute()
        return int(depth)

    async def refused(self) -> dict[str, int]:
        """Return how many jobs were refused because a queue was full, by queue."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.REFUSED)
            (counts,) = await pipe.execute()
        return {queue.decode(): int(count) for queue, count in counts.items()}

    async def count_refused_system_calls(self, calls: Mapping[str, int]) -> None:
        """Count system calls that the sandbox has refused: their numbers by name."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            for name, count in calls.items():
                pipe.hincrby(keys.REFUSED_SYSTEM_CALLS, name, count)
            await pipe.execute()

    async def refused_system_calls(self) -> dict[str, int]:
        """Return how many system calls the sandbox has refused, by name."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.REFUSED_SYSTEM_CALLS)
            (counts,) = await pipe.execute()
        return {name.decode(): int(count) for name, count in counts.items()}
