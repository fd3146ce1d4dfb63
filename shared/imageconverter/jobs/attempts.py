"""The attempts of jobs: bounded in time, and how each of them has ended."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Literal, NamedTuple

import structlog
from arq import Retry

from imageconverter import request_ids, tracing
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs.activity import Activity
from imageconverter.jobs.dead_letters import JobBody, failure_reason, read_job_body
from imageconverter.jobs.leases import ClaimedJob
from imageconverter.jobs.queue_name import QueueName
from imageconverter.jobs.retry import MovedJob, RetriesExhausted
from imageconverter.jobs.task import JobContext, Task

_log = structlog.get_logger(__name__)

JobEnd = Literal["done", "retried", "requeued", "moved", "dead", "lease lost"]
"""How an attempt of a job ends; `retried` counts as one, `requeued` and `moved` do not."""
EndListener = Callable[[QueueName, JobEnd], None]

# An attempt is a run that fails because of this job alone, or during which the worker dies.
# If workers are often killed for other reasons, four attempts are too few to identify a poison job.
MAX_ATTEMPTS = 6


class AttemptEnd(NamedTuple):
    """How an attempt has ended. If it has none of these, the job is requeued, and no attempt is counted."""

    is_done: bool = False
    failure: str = ""
    """Why the job is not run again, although it is not done."""
    delay_ms: int = 0
    """After which the job is to be run again, if its task has asked for that."""
    target: QueueName | None = None
    """The queue that the job moves to."""


class Attempts:
    """The attempts of the jobs of one queue."""

    def __init__(
        self, queue: QueueName, tasks: Mapping[str, Task], activity: Activity, *, job_seconds: float
    ) -> None:
        """Call *tasks* by their names, each for up to *job_seconds*; *activity* shows what is running."""
        self._queue = queue
        self._tasks = tasks
        self._activity = activity
        self._job_seconds = job_seconds

    async def make(self, job: ClaimedJob) -> AttemptEnd:
        """Execute the task of a job, unless it cannot be read or has failed too often; return how that has ended."""
        body = read_job_body(job.body)
        task = None if body is None else self._tasks.get(body.task)
        if body is None or task is None or job.attempts > MAX_ATTEMPTS:
            return AttemptEnd(failure=failure_reason(job.body, body, known=self._tasks, limit=MAX_ATTEMPTS))
        return await self._make(job, body, task)

    async def _make(self, job: ClaimedJob, body: JobBody, task: Task) -> AttemptEnd:
        try:
            await self._execute(job, body, task)
        except MovedJob as moved:
            return AttemptEnd(target=moved.queue)
        except Retry as retry:
            return AttemptEnd(delay_ms=retry.defer_score or 0)
        except (QueueUnavailable, asyncio.CancelledError):
            return AttemptEnd()  # nothing is wrong with the job: its reply, say, could not be sent
        except RetriesExhausted as error:
            return AttemptEnd(failure=str(error))
        except Exception as error:  # noqa: BLE001 - a malformed job must not stop the worker
            _log.exception("internal error", task=body.task)
            return AttemptEnd(failure=f"Internal error: {error!r}")
        return AttemptEnd(is_done=True)

    async def _execute(self, job: ClaimedJob, body: JobBody, task: Task) -> None:
        request_ids.bind(body.ids)
        parent = body.ids.get(tracing.TRACE_PARENT) if isinstance(body.ids, Mapping) else None
        tracing.keep_parent(parent)
        structlog.contextvars.bind_contextvars(job=job.id)
        context = JobContext(job_id=job.id, job_try=job.attempts, score=job.score)
        payload = body.arguments[0] if body.arguments else None
        with (
            self._activity.running(body.task, queue=self._queue.value, payload=payload),
            self._span(body.task, job.id),
        ):
            async with asyncio.timeout(self._job_seconds):
                await task(context, *body.arguments)

    def _span(self, name: str, job_id: str) -> AbstractContextManager[object]:
        """Return the span of a job.

        It is part of the trace of the request that waits for it. The jobs of a run, which may be a million, have
        traces of their own that refer to that of the start.
        """
        parent = tracing.parent_of_job()
        relation = {"link": parent} if self._queue is QueueName.BATCH else {"parent": parent}
        return tracing.span(f"job {name}", "consumer", **relation, queue=self._queue.value, job=job_id)
