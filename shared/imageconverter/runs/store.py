"""Runs in Redis. Each change is one script, so that no reader sees half of it."""

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple, cast

import structlog
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning, RunNotStopped
from imageconverter.jobs import (
    QueueName,
    job_body,
    job_key,
    lease_key,
    redis_command,
    redis_errors,
    script_text,
)
from imageconverter.runs.cursor import CountCursor, PlanCursor
from imageconverter.runs.job import COUNT_TASK, PLAN_TASK, RunJob
from imageconverter.runs.result_part import ResultParts
from imageconverter.runs.run import Counts, Run, RunStatus, RunSummary, SourceResult, State
from imageconverter.runs.run_hash import hash_of, parse_run, read_status
from imageconverter.runs.run_source import RunSource

_log = structlog.get_logger(__name__)

# Jobs of a run in the queue: few enough for Redis to stay small, enough for workers not to idle.
WINDOW = 2000
_REFILL_BELOW = 1000
# Results in Redis from which on they are moved to the store.
FLUSH_AT = 1000
RUNS_KEPT = 20
_MOVING_SECONDS = 30
_POLL_SECONDS = 0.05


class Failures(NamedTuple):
    """Sources of a run with an error."""

    total: int = 0
    """The number of all so far."""
    last: Sequence[SourceResult] = ()
    """The last ones, in the order in which they failed; there may be fewer than kept during an upgrade."""

    def after(self, number: int) -> Sequence[SourceResult]:
        """Return those of the last ones that failed after the first *number*."""
        return self.last[-(self.total - number) :] if self.total > number else ()


class RunStore:
    """Starts, extends, records, cancels and reads runs. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self.parts = ResultParts()
        """What the object store has of the results."""
        self._start = redis.register_script(script_text("imageconverter.runs", "start"))
        self._extend = redis.register_script(script_text("imageconverter.runs", "end_run", "extend"))
        self._record = redis.register_script(script_text("imageconverter.runs", "end_run", "record"))
        self._cancel = redis.register_script(script_text("imageconverter.runs", "end_run", "cancel"))
        self._lock = redis.register_script(script_text("imageconverter.jobs", "lock"))
        self._restore = redis.register_script(script_text("imageconverter.runs", "restore"))
        self._moved = redis.register_script(script_text("imageconverter.runs", "moved"))

    async def start(self, run: Run) -> None:
        """Start *run* and enqueue its planner; raises RunAlreadyRunning if another one is running.

        An automatic run only waits for another automatic run, and no other run waits for it.
        """
        async with redis_errors(self._retry_timeout):
            started = await self._start(
                keys=[
                    _ids(automatic=run.automatic),
                    keys.run(run.id),
                    keys.queue(QueueName.BATCH),
                    keys.wake(QueueName.BATCH),
                ],
                args=[
                    run.id,
                    run.model_dump_json(exclude_defaults=True),
                    _job(run.id, PLAN_TASK),
                    _job(run.id, COUNT_TASK),
                    job_key(""),
                    RUNS_KEPT,
                    keys.run(""),
                ],
            )
        if not started:
            raise RunAlreadyRunning("A conversion is running already.")

    async def restore(self, summaries: Sequence[RunSummary]) -> int:
        """Restore those of *summaries*, the newest first, whose runs Redis does not know; returns their number."""
        restored = 0
        for automatic in (False, True):
            fields = [
                text
                for each in summaries
                if each.run.automatic == automatic
                for text in (each.run.id, json.dumps(hash_of(each)))
            ]
            if fields:
                async with redis_errors(self._retry_timeout):
                    restored += await self._restore(
                        keys=[_ids(automatic=automatic)], args=[RUNS_KEPT, keys.run(""), *fields]
                    )
        return restored

    async def mark_archived(self, run_id: str) -> None:
        """Record that an ended run has no backup any more, so that it can be forgotten."""
        await redis_command(self._redis, self._retry_timeout, "HDEL", keys.run(run_id), "backed")

    async def begin_planning(self, run_id: str) -> PlanCursor:
        """Record that the planner has started, so that it can be called again; returns the cursor to continue at."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.run(run_id), "called", "0")
            pipe.hmget(keys.run(run_id), ["batch", "after", "planned", "recorded", "listed"])
            _, (batch, after, planned, recorded, listed) = await pipe.execute()
        return PlanCursor(
            int(batch or 0),
            (after or b"").decode(),
            int(planned or 0),
            int(planned or 0) - int(recorded or 0),
            listed == b"1",
        )

    async def extend(
        self, run: Run, cursor: PlanCursor, sources: Sequence[RunSource], next_cursor: PlanCursor
    ) -> int | None:
        """Enqueue *sources*, found at *cursor*, or record the unchanged ones, and move the cursor to *next_cursor*.

        Returns how many sources are outstanding, or None if nothing was enqueued: the run is not running, or another
        planner was faster.
        """
        entries = (
            entry
            for index, source in enumerate(sources, cursor.planned)
            for entry in (len(source.unchanged), source.entry(run, index))
        )
        async with redis_errors(self._retry_timeout):
            outstanding = await self._extend(
                keys=[
                    keys.run(run.id),
                    keys.run_done(run.id),
                    keys.run_results(run.id),
                    keys.queue(QueueName.BATCH),
                    keys.wake(QueueName.BATCH),
                ],
                args=[
                    job_key(f"{run.id}:"),
                    f"{run.id}:",
                    cursor.planned,
                    next_cursor.batch,
                    next_cursor.after,
                    int(next_cursor.listed),
                    *entries,
                ],
            )
        return None if outstanding < 0 else int(outstanding)

    async def record(self, run_id: str, result: SourceResult | None, index: int) -> bool:
        """Record the *result* of the source with *index* once; None: it was not converted because of a cancel.

        Returns False if it was recorded before, or the run is unknown.
        """
        counts = Counts.of_outputs([result] if result else [])
        async with redis_errors(self._retry_timeout):
            return bool(
                await self._record(
                    keys=[
                        keys.run(run_id),
                        keys.run_done(run_id),
                        keys.run_results(run_id),
                        keys.run_failed(run_id),
                        keys.queue(QueueName.BATCH),
                    ],
                    args=[
                        index,
                        result.status if result else "",
                        *counts,
                        result.model_dump_json(exclude_defaults=True) if result else "",
                        _REFILL_BELOW,
                        FLUSH_AT,
                        *self._planner_call(run_id),
                    ],
                )
            )

    async def cancel(self, run_id: str, *, seconds: float) -> None:
        """Cancel a run and wait until none of its jobs is running; one that has ended is not changed.

        Raises RunNotStopped if that takes longer than *seconds*; the run is canceled all the same.
        """
        until = time.monotonic() + seconds
        while await self._stop(run_id, "canceled"):
            if time.monotonic() > until:
                raise RunNotStopped("The conversion is being canceled, but some of its jobs are still running.")
            await asyncio.sleep(_POLL_SECONDS)

    async def _stop(self, run_id: str, state: State, reason: str = "") -> int:
        """End a running run and drop its waiting jobs; returns how many of its sources are being converted."""
        async with redis_errors(self._retry_timeout):
            working = await self._cancel(
                keys=[keys.run(run_id), keys.queue(QueueName.BATCH)],
                args=[f"{run_id}:", job_key(""), lease_key(""), state, reason],
            )
        return int(working)

    async def fail(self, run_id: str, reason: str) -> None:
        """End a run that is running with an error and its *reason*."""
        await self._stop(run_id, "error", reason)

    async def is_running(self, run_id: str) -> bool:
        """Whether the run is running."""
        return await self._state(run_id) == b"running"

    async def is_stopped(self, run_id: str) -> bool:
        """Whether the run was canceled, has failed or is unknown, so that its running jobs are of no use."""
        return await self._state(run_id) not in (b"running", b"finished")

    async def _state(self, run_id: str) -> bytes | None:
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.run(run_id), "state")
            (state,) = await pipe.execute()
        return cast("bytes | None", state)

    async def needs_refill(self, run_id: str) -> bool:
        """Whether the run is running, has sources that are not enqueued, and few that are."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.run(run_id), ["state", "listed", "planned", "recorded"])
            ((state, listed, planned, recorded),) = await pipe.execute()
        return bool(state == b"running" and listed != b"1" and int(planned) - int(recorded) <= _REFILL_BELOW)

    async def count(self, run_id: str) -> CountCursor:
        """Return the cursor of the count, with the numbers counted so far."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.run(run_id), ["count_batch", "count_after", "sources_total", "outputs_total"])
            ((batch, after, sources, outputs),) = await pipe.execute()
        return CountCursor(int(batch or 0), (after or b"").decode(), int(sources or 0), int(outputs or 0))

    async def save_count(self, run_id: str, count: CountCursor) -> None:
        """Store the cursor of the count."""
        values: dict[str, Any] = {
            "count_batch": count.batch,
            "count_after": count.after,
            "sources_total": count.sources,
            "outputs_total": count.outputs,
        }
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.run(run_id), mapping=values)
            await pipe.execute()

    async def run(self, run_id: str) -> Run | None:
        """Return a run as it was started, None if it is unknown; raises RunUnreadable."""
        text = await redis_command(self._redis, self._retry_timeout, "HGET", keys.run(run_id), "run")
        return None if text is None else parse_run(run_id, text)

    async def is_known(self, run_id: str) -> bool:
        """Whether Redis still has the run."""
        return await self._state(run_id) is not None

    async def latest(self, *, automatic: bool = False) -> str | None:
        """Return the id of the last run, or of the last *automatic* one, None before the first."""
        history = await self.history(automatic=automatic)
        return history[0] if history else None

    async def history(self, *, automatic: bool = False) -> list[str]:
        """Return the ids of the last runs, or of the last *automatic* ones, the newest first."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.lrange(_ids(automatic=automatic), 0, RUNS_KEPT - 1)
            (ids,) = await pipe.execute()
        return [each.decode() for each in ids]

    async def status(self, run_id: str) -> RunStatus | None:
        """Return the state and the counters of a run in one round trip, None if it is unknown.

        Of a run that cannot be read the id is all that is known of the request.
        """
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.run(run_id))
            pipe.time()
            fields, (now, _) = await pipe.execute()
        if not fields:
            return None
        return read_status(run_id, fields, int(now))

    async def failures(self, run_id: str) -> Failures:
        """Return the last sources with an error, and the number of all."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(keys.run(run_id), "sources:error")
            pipe.lrange(keys.run_failed(run_id), 0, -1)
            total, rows = await pipe.execute()
        return Failures(int(total or 0), [SourceResult.model_validate_json(row) for row in rows])

    async def unmoved_results(self, run_id: str) -> tuple[int, list[SourceResult]]:
        """Return the number of results moved to the store, and the results that were not."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=True) as pipe:
            pipe.hget(keys.run(run_id), "moved")
            pipe.lrange(keys.run_results(run_id), 0, -1)
            moved, rows = await pipe.execute()
        return int(moved or 0), [SourceResult.model_validate_json(row) for row in rows]

    async def may_move_results(self, run_id: str) -> bool:
        """Lock the moving of results until `results_moved`, or for half a minute; returns False if it is locked."""
        async with redis_errors(self._retry_timeout):
            return bool(await self._lock(keys=[keys.run_moving(run_id)], args=[_MOVING_SECONDS * 1000]))

    async def results_moved(self, run_id: str, *, after: int, count: int) -> None:
        """Remove *count* results, which are in the store now, after *after* that were moved before; then unlock."""
        async with redis_errors(self._retry_timeout):
            await self._moved(
                keys=[keys.run(run_id), keys.run_results(run_id), keys.run_moving(run_id)], args=[after, count]
            )

    def _planner_call(self, run_id: str) -> list[Any]:
        """Return the arguments with which a script enqueues the planner: id, key, body."""
        return [f"{run_id}:plan:", job_key(f"{run_id}:plan:"), _job(run_id, PLAN_TASK)]


def _ids(*, automatic: bool) -> str:
    return keys.AUTOMATIC_RUNS if automatic else keys.RUNS


def _job(run_id: str, task: str) -> bytes:
    return job_body(task, RunJob(run_id=run_id).payload())
