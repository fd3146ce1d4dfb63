"""The attempts of jobs: bounded in time, and how each of them has ended."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, cast

import structlog
from arq import Retry
from arq.worker import Function, func

from imageconverter import request_ids, tracing
from imageconverter.errors import QueueUnavailable
from imageconverter.jobs.activity import Activity
from imageconverter.jobs.queue_name import QueueName
from imageconverter.jobs.retry import MovedJob, RetriesExhausted, requeue
from imageconverter.jobs.task import JobContext, Task

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

JobEnd = Literal["done", "retried", "requeued", "moved", "dead", "lease lost"]
"""How an attempt of a job ends; `retried` counts as one, `requeued` and `moved` do not."""
EndListener = Callable[[QueueName, JobEnd], None]

NOT_RUN = "The job cannot be run."


def read_body(body: bytes) -> dict[str, Any]:
    """Parse a job, and bind the ids of its request; arq calls this in the task that runs the job."""
    job: dict[str, Any] = json.loads(body)
    ids = job.get("ids")
    request_ids.bind(ids)
    tracing.keep_parent(ids.get(tracing.TRACE_PARENT) if isinstance(ids, dict) else None)
    return job


class AttemptEnd(NamedTuple):
    """How an attempt has ended."""

    failure: str = NOT_RUN
    """Why the task has failed; "" if it has succeeded."""
    delay_ms: int = 0
    """After which the job is to be run again, if its task has asked for that; 0: it keeps its place."""
    target: QueueName | None = None
    """The queue that the job moves to."""


class Attempts:
    """The attempts of the jobs of one queue."""

    def __init__(self, queue: QueueName, activity: Activity, *, job_seconds: float) -> None:
        """Bound each attempt to *job_seconds*; *activity* shows what is running."""
        self._queue = queue
        self._activity = activity
        self._job_seconds = job_seconds
        self._ends: dict[str, AttemptEnd] = {}

    def take_end(self, job_id: str) -> AttemptEnd:
        """Return how the last attempt of a job has ended, once."""
        return self._ends.pop(job_id, AttemptEnd())

    def function(self, name: str, task: Task) -> Function:
        """Return what arq calls for jobs with the *name* of a task."""

        async def run(context: dict[Any, Any], payload: Any) -> None:
            job_id = context["job_id"]
            structlog.contextvars.bind_contextvars(job=job_id)
            try:
                with (
                    self._activity.running(name, queue=self._queue.value, payload=payload),
                    self._span(name, job_id),
                ):
                    async with asyncio.timeout(self._job_seconds):
                        await task(cast("JobContext", context), payload)
            except MovedJob as moved:
                self._ends[job_id] = AttemptEnd(target=moved.queue)
                raise
            except Retry as retry:
                self._ends[job_id] = AttemptEnd(delay_ms=retry.defer_score or 0)
                raise
            except QueueUnavailable as error:  # nothing is wrong with the job: its reply, say, could not be sent
                raise requeue() from error
            except Exception as error:
                is_internal = not isinstance(error, RetriesExhausted)
                self._ends[job_id] = AttemptEnd(f"Internal error: {error!r}" if is_internal else str(error))
                raise
            self._ends[job_id] = AttemptEnd("")

        return func(cast("WorkerCoroutine", run), name=name)

    def _span(self, name: str, job_id: str) -> AbstractContextManager[object]:
        """Return the span of a job.

        It is part of the trace of the request that waits for it. The jobs of a run, which may be a million, have
        traces of their own that refer to that of the start.
        """
        parent = tracing.parent_of_job()
        relation = {"link": parent} if self._queue is QueueName.BATCH else {"parent": parent}
        return tracing.span(f"job {name}", "consumer", **relation, queue=self._queue.value, job=job_id)
