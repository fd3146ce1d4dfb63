"""Taking jobs: an arq worker whose jobs are held under leases of a few seconds.

arq 0.28 marks a running job with a key that lives as long as the longest job may take and is never renewed,
so the job of a killed worker rests for minutes; it also takes jobs in three round trips each and lets
whoever comes last finish them. Here a lease is short, renewed while the job runs, and fenced by a token.
"""

import asyncio
import contextlib
import json
import uuid
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog
from arq import Retry, Worker
from arq.connections import ArqRedis
from arq.constants import retry_key_prefix
from arq.worker import func
from redis.exceptions import RedisError

from imageconverter import keys
from imageconverter.jobs.connection import encode
from imageconverter.jobs.queue import Lane, job_key, lease_key, script_text

_log = structlog.get_logger(__name__)

LEASE_SECONDS = 3.0
_RENEWALS_PER_LEASE = 3
# Running jobs stay at the head of their lane: look past those of a whole fleet.
_LOOK_AHEAD = 1000
_LISTEN_SECONDS = 0.5  # at a time, so that stopping does not take longer
_MAX_TRIES = 4
_BACKOFF_SECONDS = (1, 5, 30, 120)

Task = Callable[..., Coroutine[Any, Any, Any]]


def retry_later(tries: int) -> Exception:
    """Return what a task raises to be run again after a pause that grows with the *tries* so far."""
    return Retry(defer=_BACKOFF_SECONDS[min(tries, len(_BACKOFF_SECONDS)) - 1])


class LaneWorker(Worker):
    """Runs the jobs of one lane, at most *slots* at once."""

    def __init__(
        self,
        lane: Lane,
        tasks: Mapping[str, Task],
        redis: ArqRedis,
        *,
        slots: int,
        job_seconds: float,
        give_up: Mapping[str, Task] | None = None,
        poll_seconds: float = 0.05,
    ) -> None:
        """Prepare; *job_seconds* bounds one run of one job.

        *give_up* holds what is done, by task, with the payload of a job that has failed too often.
        """
        super().__init__(
            [func(task, name=name) for name, task in tasks.items()],
            queue_name=keys.lane(lane),
            redis_pool=redis,
            handle_signals=False,
            max_jobs=slots,
            job_timeout=job_seconds,
            keep_result=0,
            poll_delay=poll_seconds,
            max_tries=_MAX_TRIES,
            job_serializer=encode,
            job_deserializer=redis.job_deserializer,
            log_results=False,
        )
        self._lane = lane
        self._give_up = give_up or {}
        self._token = uuid.uuid4().hex
        self._stopping = asyncio.Event()
        self._look = asyncio.Event()
        self._claim = redis.register_script(script_text("imageconverter.jobs", "claim"))
        self._renew = redis.register_script(script_text("imageconverter.jobs", "renew"))
        self._finish = redis.register_script(script_text("imageconverter.jobs", "finish"))

    async def main(self) -> None:
        """Take and run jobs until told to stop by `drain`; raises what Redis raises when its retries are used up.

        Told, not cancelled: a cancellation may get lost inside of redis-py.
        """
        beside = [asyncio.create_task(self._keep_leases()), asyncio.create_task(self._listen())]
        try:
            while not self._stopping.is_set():
                self._look.clear()
                await self._poll_iteration()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.poll_delay_s):
                        await self._look.wait()
        finally:
            self._stopping.set()
            await asyncio.gather(*beside)

    async def drain(self, seconds: float) -> None:
        """Take no more jobs, wait up to *seconds* for those that run, cancel the rest and stop."""
        self.allow_pick_jobs = False
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=seconds)
        for task in self.job_tasks.values():
            task.cancel()
        if self.tasks:
            await asyncio.wait(self.tasks.values(), timeout=LEASE_SECONDS)
        self._stopping.set()
        self._look.set()

    async def _poll_iteration(self) -> None:
        free = self.max_jobs - self.job_counter
        if self.allow_pick_jobs and free > 0:
            taken = await self._claim(
                keys=[self.queue_name],
                args=[lease_key(""), self._token, int(LEASE_SECONDS * 1000), free, _LOOK_AHEAD],
            )
            for job_id, score in zip(taken[::2], taken[1::2], strict=True):
                await self._start(job_id.decode(), int(float(score)))
        for job_id, task in list(self.tasks.items()):
            if task.done():
                del self.tasks[job_id]
                task.result()
        await self.heart_beat()

    async def _start(self, job_id: str, score: int) -> None:
        await self.sem.acquire()
        self.job_counter += 1
        task = asyncio.create_task(self.run_job(job_id, score))
        task.add_done_callback(lambda _: self._free_slot())
        self.tasks[job_id] = task

    def _free_slot(self) -> None:
        """Look for the next job at once, so that short jobs do not wait for the poll."""
        self._release_sem_dec_counter_on_complete()
        self._look.set()

    async def _listen(self) -> None:
        """Look for the next job as soon as one comes; what is missed here is found by the poll."""
        while not self._stopping.is_set():
            try:
                async with self.pool.pipeline(transaction=False) as pipe:
                    pipe.execute_command("BLPOP", keys.wake(self._lane), _LISTEN_SECONDS)
                    (woken,) = await pipe.execute()
            except (RedisError, OSError):
                await asyncio.sleep(_LISTEN_SECONDS)  # the poll raises what is wrong
            else:
                if woken is not None:
                    self._look.set()

    async def _keep_leases(self) -> None:
        while not self._stopping.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), LEASE_SECONDS / _RENEWALS_PER_LEASE)
            running = [lease_key(job_id) for job_id, task in self.tasks.items() if not task.done()]
            if not running:
                continue
            try:
                lost = await self._renew(keys=running, args=[self._token, int(LEASE_SECONDS * 1000)])
            except (RedisError, OSError) as error:
                _log.warning("leases not renewed", lane=self._lane.value, error=str(error))
                continue
            for key in lost:
                self._stop_working(key.decode().removeprefix(lease_key("")))

    def _stop_working(self, job_id: str) -> None:
        """Stop a job that somebody else has taken over, so that it is not done twice."""
        task = self.job_tasks.get(job_id)
        if task is not None:
            _log.warning("lease lost", lane=self._lane.value, job=job_id)
            task.cancel()

    async def finish_job(  # arq's own signature
        self,
        job_id: str,
        finish: bool,  # noqa: FBT001
        result_data: bytes | None,  # noqa: ARG002
        result_timeout_s: float | None,  # noqa: ARG002
        keep_result_forever: bool,  # noqa: ARG002, FBT001
        incr_score: int | None,
        keep_in_progress: float | None,  # noqa: ARG002
    ) -> None:
        """Remove a job that is done, or leave it to be run again, its time moved by *incr_score* milliseconds."""
        await self._let_go(job_id, done=finish, move_ms=incr_score or 0)

    async def finish_failed_job(self, job_id: str, result_data: bytes | None) -> None:  # noqa: ARG002
        """Remove a job that arq gives up on, after what the lane does instead of it."""
        body = await self.pool.get(job_key(job_id))
        if body is not None:
            job = json.loads(body)
            _log.error("job given up", lane=self._lane.value, job=job_id, task=job["f"])
            if job["f"] in self._give_up:
                await self._give_up[job["f"]]({"job_id": job_id}, *job["a"])
        await self._let_go(job_id, done=True, move_ms=0)

    async def _let_go(self, job_id: str, *, done: bool, move_ms: int) -> None:
        await self._finish(
            keys=[
                lease_key(job_id),
                self.queue_name,
                job_key(job_id),
                retry_key_prefix + job_id,
            ],
            args=[self._token, job_id, int(done), move_ms],
        )
