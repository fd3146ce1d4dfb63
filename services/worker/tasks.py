"""The tasks of the worker by name, and the fallbacks of jobs that have failed for good."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from imageconverter import keys
from imageconverter.errors import QueueUnavailable, RunUnreadable, Unavailable
from imageconverter.images.conversions import TASK, ConversionJob, ConversionOutcome, output_specs, uniform_outcome
from imageconverter.images.facts_job import TASK as FACTS_TASK
from imageconverter.jobs import JobContext, MovedJob, QueueName, Task, requeue, retry_when_unavailable
from imageconverter.previews.job import TASK as PREVIEW_TASK
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunStore, SourceResult, count_more, plan_more
from imageconverter.runs.job import CONVERT_TASK, COUNT_TASK, PLAN_TASK, RunJob, RunSourceJob
from imageconverter.runs.run import Batch
from imageconverter.storage.store import ObjectStore
from services.worker.client_jobs import ClientJobs
from services.worker.conversion_executor import ConversionExecutor
from services.worker.facts_executor import FactsExecutor
from services.worker.preview_executor import PreviewExecutor

_log = structlog.get_logger(__name__)

_CANCEL_CHECK_SECONDS = 0.5
# In pieces, so that a planner makes progress although workers are killed: each piece has all attempts.
_PLANNED_AT_ONCE = 500
_MAX_CACHED_RUNS = 2  # an automatic one beside another
_INTERNAL_ERROR = "Internal server error."


@dataclass(frozen=True)
class QueueTasks:
    """The tasks of one queue, and the fallbacks of those that fail for good."""

    tasks: Mapping[str, Task]
    give_up: Mapping[str, Task]


def queue_tasks(
    resources: Resources,
    executor: ConversionExecutor,
    preview_executor: PreviewExecutor,
    facts_executor: FactsExecutor,
    *,
    max_expensive: int,
) -> Mapping[QueueName, QueueTasks]:
    """Return the tasks of all queues of a worker; at most *max_expensive* jobs are in the one for these."""

    def tasks_for_clients(queue: QueueName) -> QueueTasks:
        clients = ClientJobs(resources.queue, queue, max_expensive)
        conversions = _Interactive(clients, executor)
        return QueueTasks(
            {
                TASK: conversions.convert,
                PREVIEW_TASK: partial(preview_executor.make, clients),
                FACTS_TASK: partial(facts_executor.make, clients),
            },
            {
                TASK: conversions.give_up,
                PREVIEW_TASK: preview_executor.give_up,
                FACTS_TASK: partial(facts_executor.give_up, clients),
            },
        )

    background = ClientJobs(resources.queue, QueueName.BATCH, max_expensive)
    runs = _Runs(resources.runs, resources.store, executor)
    return {
        QueueName.INTERACTIVE: tasks_for_clients(QueueName.INTERACTIVE),
        QueueName.EXPENSIVE: tasks_for_clients(QueueName.EXPENSIVE),
        QueueName.BATCH: QueueTasks(
            {
                CONVERT_TASK: runs.convert,
                PLAN_TASK: runs.plan,
                COUNT_TASK: runs.count,
                TASK: _Repairs(executor).convert,
                PREVIEW_TASK: partial(preview_executor.make, background),
            },
            {
                CONVERT_TASK: runs.give_up,
                PLAN_TASK: runs.give_up_planning,
                PREVIEW_TASK: preview_executor.give_up,
            },
        ),
    }


@dataclass(frozen=True)
class _Interactive:
    """Jobs that a client waits for."""

    clients: ClientJobs
    executor: ConversionExecutor

    async def convert(self, context: JobContext, payload: Any) -> None:
        """Convert a source and reply to the client, also if a store is unavailable: the client decides on a retry."""
        job = ConversionJob.model_validate(payload)
        try:
            running = self.executor.run(job, queue=self.clients.queue_name)
            outcome = await self.clients.run(context, running, waited=job.waited)
        except MovedJob:
            raise
        except Unavailable as error:
            outcome = ConversionOutcome(unavailable=error.reason)
        except Exception:  # noqa: BLE001 - the client must get a reply in any case
            _log.exception("internal error", job=job.id)
            outcome = ConversionOutcome(unavailable=_INTERNAL_ERROR)
        await self.clients.queue.reply(job.id, outcome.model_dump())

    async def give_up(self, _context: JobContext, payload: Any) -> None:
        """Reply that the image has killed too many workers."""
        outcome = ConversionOutcome(unavailable="The conversion failed too often.")
        await self.clients.queue.reply(payload["id"], outcome.model_dump())


@dataclass(frozen=True)
class _Repairs:
    """Jobs of repairs: without a reply and without a run; the next report shows what is still missing."""

    executor: ConversionExecutor

    async def convert(self, context: JobContext, payload: Any) -> None:
        """Convert a source."""
        work = self.executor.run(ConversionJob.model_validate(payload))
        await retry_when_unavailable(work, context, is_store_unavailable=self.executor.store.confirm_unavailable)


@dataclass(frozen=True)
class _Runs:
    """Jobs of runs."""

    run_store: RunStore
    store: ObjectStore
    executor: ConversionExecutor
    cache: dict[str, Run] = field(default_factory=dict)

    async def plan(self, context: JobContext, payload: Any) -> None:
        """Enqueue the next sources of a run."""
        job = RunJob.model_validate(payload)
        structlog.contextvars.bind_contextvars(run=job.run_id)
        await self._run_job(job, self._plan(job.run_id), context)

    async def _plan(self, run_id: str) -> None:
        if not await plan_more(
            run_id,
            self.run_store,
            self.store,
            limit=_PLANNED_AT_ONCE,
            on_unchanged=self.executor.count_unchanged,
        ):
            raise requeue()

    async def count(self, context: JobContext, payload: Any) -> None:
        """Count the sources of a run."""
        job = RunJob.model_validate(payload)
        structlog.contextvars.bind_contextvars(run=job.run_id)
        await self._run_job(job, self._count(job.run_id), context)

    async def _count(self, run_id: str) -> None:
        if not await count_more(run_id, self.run_store, self.store):
            raise requeue()

    async def convert(self, context: JobContext, payload: Any) -> None:
        """Convert one source of a run and record the result, unless the run is canceled meanwhile."""
        job = RunSourceJob.model_validate(payload)
        structlog.contextvars.bind_contextvars(run=job.run_id)
        await self._run_job(job, self._convert(job), context)

    async def _convert(self, run_job: RunSourceJob) -> None:
        result = None
        async with self._ended_with_run(run_job.run_id):
            result = await self._result(run_job)
        await self.run_store.record(run_job.run_id, result, run_job.index)

    @asynccontextmanager
    async def _ended_with_run(self, run_id: str) -> AsyncIterator[None]:
        """End the block if the run is stopped meanwhile; most blocks end before the first check.

        The check is never canceled: a cancellation may get lost in redis-py.
        """
        loop, ended = asyncio.get_running_loop(), asyncio.Event()
        limit = asyncio.timeout(None)
        checks: list[asyncio.Task[None]] = []

        async def check() -> None:
            while not ended.is_set():
                with suppress(QueueUnavailable):  # then the result cannot be recorded either
                    if await self.run_store.is_stopped(run_id) and not ended.is_set():
                        limit.reschedule(loop.time())
                        return
                with suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), _CANCEL_CHECK_SECONDS)

        timer = loop.call_later(_CANCEL_CHECK_SECONDS, lambda: checks.append(loop.create_task(check())))
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
        finally:
            timer.cancel()
            ended.set()
            for each in checks:
                await each

    async def _result(self, run_job: RunSourceJob) -> SourceResult | None:
        run = await self._run(run_job.run_id)
        if run is None:
            return None
        batch = run.batches[run_job.batch]
        job = ConversionJob(
            id=f"{run_job.run_id}:{run_job.index}",
            source_key=run_job.key,
            outputs=output_specs(run_job.key, batch.formats),
            run_id=run_job.run_id,
            source_etag=run_job.etag,
            owner=f"run {run_job.run_id}",
        )
        try:
            outcome = await self.executor.run(job)
        except Unavailable:
            raise
        except Exception:  # noqa: BLE001 - one image must not stop a run
            _log.exception("internal error", job=job.id)
            outcome = uniform_outcome(job, "error", _INTERNAL_ERROR)
        return _source_result(run_job, batch, outcome)

    async def give_up(self, _context: JobContext, payload: Any) -> None:
        """Record a source that has failed for good, so that the run can finish."""
        run_job = RunSourceJob.model_validate(payload)
        await self._fail_unreadable(run_job, self._record_failure(run_job))

    async def _record_failure(self, run_job: RunSourceJob) -> None:
        run = await self._run(run_job.run_id)
        if run is None:
            return
        batch = run.batches[run_job.batch]
        job = ConversionJob(id="", source_key=run_job.key, outputs=output_specs(run_job.key, batch.formats))
        outcome = uniform_outcome(job, "error", "The conversion failed too often.")
        await self.run_store.record(run_job.run_id, _source_result(run_job, batch, outcome), run_job.index)

    async def give_up_planning(self, _context: JobContext, payload: Any) -> None:
        """End a run whose sources cannot be listed."""
        await self.run_store.fail(RunJob.model_validate(payload).run_id, "The source directory could not be read.")

    async def _run_job(self, job: RunJob, work: Coroutine[Any, Any, None], context: JobContext) -> None:
        await retry_when_unavailable(
            self._fail_unreadable(job, work), context, is_store_unavailable=self.store.confirm_unavailable
        )

    async def _fail_unreadable(self, job: RunJob, work: Coroutine[Any, Any, None]) -> None:
        """Await *work*; a run that cannot be read ends with an error, so that it does not block the next one."""
        try:
            await work
        except RunUnreadable as error:
            await self.run_store.fail(job.run_id, error.reason)

    async def _run(self, run_id: str) -> Run | None:
        """Return a run, None if it is unknown; the last ones are cached, because they never change."""
        if run_id not in self.cache:
            run = await self.run_store.run(run_id)
            if run is None:
                return None
            if len(self.cache) == _MAX_CACHED_RUNS:
                self.cache.clear()
            self.cache[run_id] = run
        return self.cache[run_id]


def _source_result(run_job: RunSourceJob, batch: Batch, outcome: ConversionOutcome) -> SourceResult:
    named = zip((each.node_id for each in batch.formats), outcome.outputs, strict=True)
    source = run_job.key.removeprefix(keys.SOURCE)
    made = () if source.startswith(f"{keys.UPLOADS}/") else outcome.made  # uploads are deleted soon
    return SourceResult(index=run_job.index, source=source, outputs=tuple(named), made=made)
