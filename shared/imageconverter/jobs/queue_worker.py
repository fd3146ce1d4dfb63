"""Running jobs: an arq worker that holds its jobs under leases of a few seconds.

arq 0.28 marks a running job with a key that expires after the longest possible job and is never renewed, so the job
of a killed worker waits for minutes; it also claims jobs in three round trips each and lets the last worker finish
them. Here a lease is short, renewed while the job runs, and fenced by a token.
"""

import asyncio
import contextlib
import contextvars
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, cast

import structlog
from arq import Worker
from arq.connections import ArqRedis
from arq.worker import func
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter import keys
from imageconverter.errors import Unavailable
from imageconverter.jobs.activity import Activity
from imageconverter.jobs.attempts import MAX_ATTEMPTS, Attempts, EndListener, JobEnd
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.jobs.leases import LEASE_SECONDS, ClaimedJob, FinishedJob, Leases
from imageconverter.jobs.queue_name import QueueName
from imageconverter.jobs.task import JobContext, Task
from imageconverter.jobs.wake_listener import WakeListener

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

_log = structlog.get_logger(__name__)

_RENEWALS_PER_LEASE = 3
_IDLE_AFTER_SECONDS = 1.0
_DEAD_LETTER_RETRY_MS = 1000


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
        super().__init__(
            [func(cast("WorkerCoroutine", task), name=name) for name, task in tasks.items()],
            queue_name=keys.queue(queue),
            redis_pool=ArqRedis(redis.connection_pool),
            handle_signals=False,
            max_jobs=slots,
            poll_delay=poll_seconds,
            max_tries=MAX_ATTEMPTS,
        )
        self._queue_name = queue
        self._attempts = Attempts(queue, tasks, Activity() if activity is None else activity, job_seconds=job_seconds)
        self._fallbacks = give_up or {}
        self._is_paused = is_paused
        self._finished: list[FinishedJob] = []
        self._finishing: set[str] = set()
        self._next_step: asyncio.Task[None] | None = None
        self._in_step = asyncio.Lock()
        self._context = contextvars.copy_context()
        self._error: BaseException | None = None
        self._runs_quarantined = False
        self._stopping = asyncio.Event()
        self._wake = asyncio.Event()
        self._idle_poll_seconds = idle_poll_seconds
        self._idle_from = time.monotonic() + _IDLE_AFTER_SECONDS
        self._leases = Leases(queue, redis)
        self._listener = WakeListener(
            queue, redis, is_busy=lambda: len(self.tasks) >= self.max_jobs, on_job=self._wake.set
        )

    async def main(self) -> None:
        """Claim and run jobs until `drain`; raises the error of Redis if its retries are exhausted.

        It is stopped by `drain` and not by a cancellation, which may get lost in redis-py.
        """
        await self._leases.release_orphans()
        background = [asyncio.create_task(self._renew_leases()), asyncio.create_task(self._listener.run())]
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

    async def drain(self, seconds: float) -> None:
        """Claim no more jobs, wait up to *seconds* for the running ones, requeue the rest and stop."""
        self.allow_pick_jobs = False
        async with self._in_step:
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
        self._listener.stop()
        self._wake.set()

    async def _poll_iteration(self) -> None:
        await self._step()
        if self._error is not None:
            raise self._error
        await self.heart_beat()

    async def _step(self) -> None:
        """Finish jobs and claim others, in the next step; all that wait for that share it.

        So a job that ends and the one that takes its slot need one round trip, and those that end meanwhile share
        the next one.
        """
        if self._next_step is None:
            # The jobs that it starts are not to have what the job that has ended has bound.
            self._next_step = asyncio.create_task(self._finish_and_claim(), context=self._context)
        await self._next_step

    async def _finish_and_claim(self) -> None:
        async with self._in_step:
            self._next_step = None
            finished, self._finished = self._finished, []
            running = self.tasks.keys() - {each.id for each in finished}
            count = self._free_slots(len(running))
            if not finished and not count:
                return
            # A quarantined job may have killed workers. It runs alone, so that no other job is blamed.
            quarantined = count > 0 and self._leases.quarantined_waits
            claimed = await self._leases.finish_and_claim(
                finished, 1 if quarantined else count, running=running, quarantined=quarantined
            )
            for each in finished:
                self.tasks.pop(each.id, None)
            if finished:
                self._listener.slot_freed()
            if count:
                self._runs_quarantined = quarantined and bool(claimed)
            if quarantined and not claimed:
                claimed = await self._leases.finish_and_claim((), count, running=running)
            for job in claimed:
                self._start(job)

    def _free_slots(self, running: int) -> int:
        """Return how many jobs may be claimed beside those that are *running*."""
        if not self.allow_pick_jobs or (self._is_paused is not None and self._is_paused()):
            return 0
        if (self._runs_quarantined or self._leases.quarantined_waits) and running:
            return 0
        return self.max_jobs - running

    def _start(self, job: ClaimedJob) -> None:
        task = asyncio.create_task(self._run(job))
        self.tasks[job.id] = task
        task.add_done_callback(partial(self._ended, job.id))

    def _ended(self, job_id: str, task: asyncio.Task[None]) -> None:
        """Free the slot of a job that has failed or moved, and let `main` raise what has stopped it."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._error = error
        if self.tasks.get(job_id) is task:
            del self.tasks[job_id]
            self._listener.slot_freed()
            self._wake.set()

    async def _renew_leases(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LEASE_SECONDS / _RENEWALS_PER_LEASE)
            # A master that takes over may lack what a job has recorded. If its end is not heard of within its lease,
            # the job is run again.
            running = [each for each in self.tasks if each not in self._finishing]
            if not running:
                continue
            try:
                lost = await self._leases.renew(running)
            except (RedisError, OSError) as error:
                _log.warning("lease renewal failed", queue=self._queue_name.value, error=str(error))
                continue
            for job_id in lost:
                self._cancel_lost(job_id)

    def _cancel_lost(self, job_id: str) -> None:
        """Cancel a job that another worker has claimed, so that it is not done twice."""
        task = self.job_tasks.get(job_id)
        if task is not None:
            _log.warning("lease lost", queue=self._queue_name.value, job=job_id)
            self._on_end(self._queue_name, "lease lost")
            task.cancel()

    async def _run(self, job: ClaimedJob) -> None:
        """Make an attempt of a job; afterwards it is acknowledged, requeued, moved or rejected."""
        self.job_tasks[job.id] = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            ended = await self._attempts.make(job)
        finally:
            del self.job_tasks[job.id]
        if ended.target is not None:
            await self._leases.move(job.id, ended.target)
            self._count("moved")
        elif ended.failure:
            await self._reject(job.id, ended.failure)
        else:
            self._count("done" if ended.is_done else "retried" if ended.delay_ms else "requeued")
            await self._finish(FinishedJob(job.id, ended.is_done, ended.delay_ms))

    def _count(self, end: JobEnd) -> None:
        """Count the end of an attempt, also in the record that arq's `heart_beat` makes."""
        self.jobs_complete += end == "done"
        self.jobs_failed += end == "dead"
        self.jobs_retried += end in {"retried", "requeued"}
        self._on_end(self._queue_name, end)

    async def _finish(self, job: FinishedJob) -> None:
        self._finished.append(job)
        self._finishing.add(job.id)
        try:
            await self._step()
        finally:
            self._finishing.discard(job.id)

    async def _reject(self, job_id: str, reason: str) -> None:
        """Run the fallback of a job and move it to the dead letters with the *reason*."""
        held = await self._leases.held(job_id)
        if held is None:
            return
        job = read_job_body(held.body)
        try:
            if job is not None and job.task in self._fallbacks:
                context = JobContext(job_id=job_id, job_try=held.attempts)
                await self._fallbacks[job.task](context, *job.arguments)
        except Unavailable as error:
            _log.warning("dead letter postponed", queue=self._queue_name.value, job=job_id, reason=error.reason)
            await self._finish(FinishedJob(job_id, is_done=False, delay_ms=_DEAD_LETTER_RETRY_MS))
            return
        except Exception:  # noqa: BLE001 - a malformed job must not stop the worker
            _log.exception("internal error in the fallback of a job", queue=self._queue_name.value, job=job_id)
        self._count("dead")
        _log.error("job failed", queue=self._queue_name.value, job=job_id, reason=reason)
        attempts = min(held.attempts, MAX_ATTEMPTS)
        await self._leases.move_to_dead_letters(
            job_id, dead_letter_record(self._queue_name.origin, job, reason, attempts=attempts)
        )
