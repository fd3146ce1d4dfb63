"""Running jobs: an arq worker that holds its jobs under leases of a few seconds.

arq 0.28 marks a running job with a key that expires after the longest possible job and is never renewed, so the job
of a killed worker waits for minutes; it also claims jobs in three round trips each and lets the last worker finish
them. Here a lease is short, renewed while the job runs, and fenced by a token.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, cast

import structlog
from arq import Retry, Worker
from arq.connections import ArqRedis
from arq.constants import retry_key_prefix
from arq.worker import func
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter import keys, request_ids, tracing
from imageconverter.errors import QueueUnavailable, Unavailable
from imageconverter.jobs.activity import Activity
from imageconverter.jobs.connection import encode
from imageconverter.jobs.dead_letters import (
    DEAD_LETTER_SECONDS,
    MAX_DEAD_LETTERS,
    dead_letter_record,
    failure_reason,
    read_job_body,
)
from imageconverter.jobs.lease_token import has_ended, local_host, new_token
from imageconverter.jobs.queue_name import QueueName, job_key, lease_key
from imageconverter.jobs.retry import MovedJob, RetriesExhausted, requeue
from imageconverter.jobs.scripts import script_text
from imageconverter.jobs.task import JobContext, Task

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

_log = structlog.get_logger(__name__)

JobEnd = Literal["done", "retried", "requeued", "moved", "dead", "lease lost"]
"""How an attempt of a job ends; `retried` counts as one, `requeued` and `moved` do not."""
EndListener = Callable[[QueueName, JobEnd], None]

LEASE_SECONDS = 3.0
_RENEWALS_PER_LEASE = 3
# Running jobs stay at the head of their queue. What one search does not reach, the next one does.
_SEARCH_LIMIT = 1000
_LISTEN_SECONDS = 0.5  # at a time, so that stopping does not take longer
_WAKE_MS = 5000  # as in prelude.lua
_IDLE_AFTER_SECONDS = 1.0
# An attempt is a run that fails because of this job alone, or during which the worker dies.
# If workers are often killed for other reasons, four attempts are too few to identify a poison job.
_MAX_ATTEMPTS = 6
_QUARANTINE_ATTEMPTS = 2
_DEAD_LETTER_RETRY_MS = 1000
_NOT_RUN = "The job cannot be run."
# arq's own timeout counts the job as done; the one here comes first and moves it to the dead letters.
_ARQ_GRACE_SECONDS = 60


def _read_body(body: bytes) -> dict[str, Any]:
    """Parse a job, and bind the ids of its request; arq calls this in the task that runs the job."""
    job: dict[str, Any] = json.loads(body)
    ids = job.get("ids")
    request_ids.bind(ids)
    tracing.keep_parent(ids.get(tracing.TRACE_PARENT) if isinstance(ids, dict) else None)
    return job


class QueueWorker(Worker):
    """Runs the jobs of one queue, at most *slots* at once."""

    def __init__(
        self,
        queue: QueueName,
        tasks: Mapping[str, Task],
        redis: Redis,
        *,
        slots: int,
        job_seconds: float,
        give_up: Mapping[str, Task] | None = None,
        is_paused: Callable[[], bool] | None = None,
        activity: Activity | None = None,
        on_end: EndListener = lambda *_: None,
        poll_seconds: float = 0.05,
        idle_poll_seconds: float = 0.5,
    ) -> None:
        """Prepare a worker for *tasks*, which are called by their names; *job_seconds* is the timeout of one job.

        *give_up* has a fallback for tasks whose jobs have failed for good: called with the payload before the job
        becomes a dead letter. No job is claimed while *is_paused* returns True. *activity* shows what is running.
        *on_end* is called when an attempt of a job has ended. Jobs are searched for whenever one is enqueued or a
        slot becomes free; and for what that misses, retries and expired leases every *poll_seconds*, or every
        *idle_poll_seconds* while there is nothing to do.
        """
        self._on_end = on_end
        self._activity = Activity() if activity is None else activity
        super().__init__(
            [func(self._bounded(name, task), name=name) for name, task in tasks.items()],
            queue_name=keys.queue(queue),
            redis_pool=ArqRedis(redis.connection_pool),
            handle_signals=False,
            max_jobs=slots,
            job_timeout=job_seconds + _ARQ_GRACE_SECONDS,
            keep_result=0,
            poll_delay=poll_seconds,
            max_tries=_MAX_ATTEMPTS,
            job_serializer=encode,
            job_deserializer=_read_body,
            log_results=False,
        )
        self._queue_name = queue
        self._fallbacks = give_up or {}
        self._is_paused = is_paused
        self._job_seconds = job_seconds
        self._failure_reasons: dict[str, str] = {}
        self._delays: dict[str, int] = {}
        self._moves: dict[str, QueueName] = {}
        self._token = new_token()
        self._claiming = asyncio.Lock()
        self._quarantined_waits = self._runs_quarantined = False
        self._search_start = 0
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._slot_freed = asyncio.Event()
        self._idle_poll_seconds = idle_poll_seconds
        self._idle_from = time.monotonic() + _IDLE_AFTER_SECONDS
        self._claim = redis.register_script(script_text("imageconverter.jobs", "claim"))
        self._release_orphans = redis.register_script(script_text("imageconverter.jobs", "release_orphans"))
        self._renew = redis.register_script(script_text("imageconverter.jobs", "renew"))
        self._move = redis.register_script(script_text("imageconverter.jobs", "move"))
        self._finish = redis.register_script(script_text("imageconverter.jobs", "finish"))
        self._move_to_dead_letters = redis.register_script(script_text("imageconverter.jobs", "move_to_dead_letters"))

    async def main(self) -> None:
        """Claim and run jobs until `drain`; raises the error of Redis if its retries are exhausted.

        It is stopped by `drain` and not by a cancellation, which may get lost in redis-py.
        """
        await self.release_orphans()
        background = [asyncio.create_task(self._renew_leases()), asyncio.create_task(self._listen())]
        try:
            while not self._stopping.is_set():
                self._wake.clear()
                await self._poll_iteration()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._poll_seconds()):
                        await self._wake.wait()
        finally:
            self._stop()
            await asyncio.gather(*background)

    def _poll_seconds(self) -> float:
        if self.tasks:
            self._idle_from = time.monotonic() + _IDLE_AFTER_SECONDS
        return self.poll_delay_s if time.monotonic() < self._idle_from else self._idle_poll_seconds

    async def release_orphans(self) -> None:
        """End the leases of workers that have ended on this host, as by a kill, so that their jobs need not wait."""
        host = local_host()
        if not host:
            return
        arguments: list[str | int] = [lease_key(""), host, _SEARCH_LIMIT]
        tokens = [token.decode() for token in await self._release_orphans([self.queue_name], arguments)]
        if ended := [token for token in tokens if has_ended(token)]:
            await self._release_orphans([self.queue_name], [*arguments, *ended])

    async def drain(self, seconds: float) -> None:
        """Claim no more jobs, wait up to *seconds* for the running ones, requeue the rest and stop."""
        self.allow_pick_jobs = False
        async with self._claiming:
            pass  # a claim in progress has started its jobs now
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=seconds)
        for task in self.job_tasks.values():
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=LEASE_SECONDS)
        self._stop()

    def _stop(self) -> None:
        self._stopping.set()
        self._slot_freed.set()
        self._wake.set()

    async def _poll_iteration(self) -> None:
        async with self._claiming:
            await self._claim_jobs()
        for job_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job_id]
                task.result()
        await self.heart_beat()

    async def _claim_jobs(self) -> None:
        free = self.max_jobs - self.job_counter
        if not self.allow_pick_jobs or free <= 0 or (self._is_paused is not None and self._is_paused()):
            return
        if (self._runs_quarantined or self._quarantined_waits) and self.job_counter:
            return
        self._runs_quarantined = self._quarantined_waits and await self._claim_some(1, quarantined=True)
        if not self._runs_quarantined:
            await self._claim_some(free, quarantined=False)

    async def _claim_some(self, count: int, *, quarantined: bool) -> bool:
        """Claim up to *count* jobs and start them; returns whether there were any.

        A quarantined job may have killed workers. It runs alone, so that no other job is blamed.
        """
        quarantined_waits, self._search_start, *claimed = await self._claim(
            keys=[self.queue_name],
            args=[
                lease_key(""),
                self._token,
                int(LEASE_SECONDS * 1000),
                count,
                _SEARCH_LIMIT,
                retry_key_prefix,
                _QUARANTINE_ATTEMPTS,
                int(quarantined),
                self._search_start,
            ],
        )
        self._quarantined_waits = bool(quarantined_waits)
        for job_id, score in zip(claimed[::2], claimed[1::2], strict=True):
            running = self.tasks.get(job_id.decode())
            # A job that is running here lost its lease while Redis was unavailable, and has it again now.
            if running is None or running.done():
                await self._start(job_id.decode(), int(float(score)))
        return bool(claimed)

    async def _start(self, job_id: str, score: int) -> None:
        await self.sem.acquire()
        self.job_counter += 1
        task = asyncio.create_task(self._run(job_id, score))
        task.add_done_callback(lambda _: self._free_slot())
        self.tasks[job_id] = task

    def _free_slot(self) -> None:
        """Search for the next job at once, so that short jobs do not wait for the poll."""
        self._release_sem_dec_counter_on_complete()
        self._slot_freed.set()
        self._wake.set()

    async def _listen(self) -> None:
        """Search for the next job as soon as one is enqueued; the poll finds the jobs that this misses."""
        while not self._stopping.is_set():
            if self.job_counter >= self.max_jobs:  # another worker is to hear of it
                self._slot_freed.clear()
                await self._slot_freed.wait()
                continue
            try:
                async with self.pool.pipeline(transaction=False) as pipe:
                    pipe.execute_command("BLPOP", keys.wake(self._queue_name), _LISTEN_SECONDS)
                    (woken,) = await pipe.execute()
                if woken is not None and self.job_counter >= self.max_jobs:
                    await self._wake_another()
            except (RedisError, OSError):
                await asyncio.sleep(_LISTEN_SECONDS)  # the poll raises the error
            else:
                if woken is not None:
                    self._wake.set()

    async def _wake_another(self) -> None:
        """Leave the entry of an enqueued job to another worker, as all slots have been taken in the meantime."""
        async with self.pool.pipeline(transaction=False) as pipe:
            pipe.rpush(keys.wake(self._queue_name), 1)
            pipe.pexpire(keys.wake(self._queue_name), _WAKE_MS)
            await pipe.execute()

    async def _renew_leases(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LEASE_SECONDS / _RENEWALS_PER_LEASE)
            running = [job_id for job_id, task in self.tasks.items() if not task.done()]
            if not running:
                continue
            try:
                lost = await self._renew(
                    keys=[self.queue_name, *map(lease_key, running)],
                    args=[self._token, int(LEASE_SECONDS * 1000), *running],
                )
            except (RedisError, OSError) as error:
                _log.warning("lease renewal failed", queue=self._queue_name.value, error=str(error))
                continue
            for key in lost:
                self._cancel_lost(key.decode().removeprefix(lease_key("")))

    def _cancel_lost(self, job_id: str) -> None:
        """Cancel a job that another worker has claimed, so that it is not done twice."""
        task = self.job_tasks.get(job_id)
        if task is not None:
            _log.warning("lease lost", queue=self._queue_name.value, job=job_id)
            self._on_end(self._queue_name, "lease lost")
            task.cancel()

    async def _run(self, job_id: str, score: int) -> None:
        try:
            await self.run_job(job_id, score)
        except (RedisError, OSError):
            raise
        except Exception:  # noqa: BLE001 - arq fails on jobs that it has not written; the worker continues
            _log.exception("job not runnable", queue=self._queue_name.value, job=job_id)
            await self._reject(job_id, _NOT_RUN)

    def _bounded(self, name: str, task: Task) -> "WorkerCoroutine":
        """Bound the time of a task, and keep the reason of its failure for `finish_job`, "" if it succeeds."""

        async def run(context: dict[Any, Any], payload: Any) -> None:
            structlog.contextvars.bind_contextvars(job=context["job_id"])
            try:
                with (
                    self._activity.running(name, queue=self._queue_name.value, payload=payload),
                    self._span(name, context["job_id"]),
                ):
                    async with asyncio.timeout(self._job_seconds):
                        await task(cast("JobContext", context), payload)
            except MovedJob as moved:
                self._moves[context["job_id"]] = moved.queue
                raise
            except Retry as retry:
                self._delays[context["job_id"]] = retry.defer_score or 0
                raise
            except QueueUnavailable as error:  # nothing is wrong with the job: its reply, say, could not be sent
                raise requeue() from error
            except Exception as error:
                is_internal = not isinstance(error, RetriesExhausted)
                self._failure_reasons[context["job_id"]] = f"Internal error: {error!r}" if is_internal else str(error)
                raise
            self._failure_reasons[context["job_id"]] = ""

        return cast("WorkerCoroutine", run)

    def _span(self, name: str, job_id: str) -> AbstractContextManager[object]:
        """Return the span of a job.

        It is part of the trace of the request that waits for it. The jobs of a run, which may be a million, have
        traces of their own that refer to that of the start.
        """
        parent = tracing.parent_of_job()
        relation = {"link": parent} if self._queue_name is QueueName.BATCH else {"parent": parent}
        return tracing.span(f"job {name}", "consumer", **relation, queue=self._queue_name.value, job=job_id)

    async def finish_job(  # arq's own signature
        self,
        job_id: str,
        finish: bool,  # noqa: FBT001
        result_data: bytes | None,  # noqa: ARG002
        result_timeout_s: float | None,  # noqa: ARG002
        keep_result_forever: bool,  # noqa: ARG002, FBT001
        incr_score: int | None,  # noqa: ARG002 - by this worker's clock, which may be wrong
        keep_in_progress: float | None,  # noqa: ARG002
    ) -> None:
        """Acknowledge a job, or requeue it with the delay that its task asked for.

        A job without a delay was requeued by its task, or cancelled because the worker stops: no attempt is counted.
        """
        failure, delay_ms = self._failure_reasons.pop(job_id, _NOT_RUN), self._delays.pop(job_id, 0)
        if (target := self._moves.pop(job_id, None)) is not None:
            await self._move(
                keys=[
                    lease_key(job_id),
                    self.queue_name,
                    retry_key_prefix + job_id,
                    keys.queue(target),
                    keys.wake(target),
                ],
                args=[self._token, job_id],
            )
            self._on_end(self._queue_name, "moved")
            return
        if finish and failure:
            await self._reject(job_id, failure)
        else:
            end: JobEnd = "done" if finish else "retried" if delay_ms > 0 else "requeued"
            self._on_end(self._queue_name, end)
            await self._release(job_id, done=finish, delay_ms=delay_ms, is_attempt=delay_ms > 0)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:  # noqa: ARG002
        """Reject a job that arq does not run, or not again."""
        await self._reject(job_id, "")

    async def _reject(self, job_id: str, reason: str) -> None:
        """Run the fallback of a job and move it to the dead letters; an empty *reason* is derived from the job."""
        holder, body, attempts = await self.pool.mget(lease_key(job_id), job_key(job_id), retry_key_prefix + job_id)
        if holder != self._token.encode():  # another worker has it, or it is done
            if body is None:
                await self.pool.delete(retry_key_prefix + job_id)  # arq has just started to count again
            return
        job = read_job_body(body)
        reason = reason or failure_reason(body, job, known=self.functions, limit=self.max_tries)
        try:
            if job is not None and job.task in self._fallbacks:
                context = JobContext(job_id=job_id, job_try=int(attempts or 0))
                await self._fallbacks[job.task](context, *job.arguments)
        except Unavailable as error:
            _log.warning("dead letter postponed", queue=self._queue_name.value, job=job_id, reason=error.reason)
            await self._release(job_id, done=False, delay_ms=_DEAD_LETTER_RETRY_MS, is_attempt=True)
            return
        except Exception:  # noqa: BLE001 - a malformed job must not stop the worker
            _log.exception("internal error in the fallback of a job", queue=self._queue_name.value, job=job_id)
        self._on_end(self._queue_name, "dead")
        _log.error("job failed", queue=self._queue_name.value, job=job_id, reason=reason)
        text = dead_letter_record(
            self._queue_name.origin, job, reason, attempts=min(int(attempts or 0), self.max_tries)
        )
        await self._move_to_dead_letters(
            keys=[*self._keys(job_id), keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS],
            args=[self._token, job_id, text, MAX_DEAD_LETTERS, DEAD_LETTER_SECONDS],
        )

    async def _release(self, job_id: str, *, done: bool, delay_ms: int, is_attempt: bool) -> None:
        await self._finish(keys=self._keys(job_id), args=[self._token, job_id, int(done), delay_ms, int(is_attempt)])

    def _keys(self, job_id: str) -> list[str]:
        return [
            lease_key(job_id),
            self.queue_name,
            job_key(job_id),
            retry_key_prefix + job_id,
            keys.waiters(job_id),
        ]
