"""What a task raises to be run again."""

from collections.abc import Awaitable, Callable

import structlog
from arq import Retry

from imageconverter.errors import QueueUnavailable, StoreRefused, Unavailable
from imageconverter.jobs.queue_name import QueueName
from imageconverter.jobs.task import JobContext

_log = structlog.get_logger(__name__)

_DELAYS = (1, 5, 30)  # seconds, after each attempt


class RetriesExhausted(Exception):  # noqa: N818 - named like those of imageconverter.errors
    """A job has failed in all of its attempts."""


def retry_with_backoff(attempts: int) -> Exception:
    """Return the exception that retries a job after a delay that grows with *attempts*, or that fails it for good."""
    if attempts > len(_DELAYS):
        return RetriesExhausted(f"All {attempts} attempts failed.")
    return Retry(defer=_DELAYS[attempts - 1])


class MovedJob(Retry):
    """A job that is to be run from another queue, without counting an attempt."""

    def __init__(self, queue: QueueName) -> None:
        """Move the job to *queue*."""
        super().__init__()
        self.queue = queue


def requeue() -> Exception:
    """Return the exception that runs a job again without counting an attempt."""
    return Retry()


async def retry_when_unavailable(
    work: Awaitable[object], context: JobContext, *, is_store_unavailable: Callable[[], Awaitable[bool]]
) -> None:
    """Await *work*; if it raises Unavailable, raise what retries the job.

    An outage of Redis, or of the store as *is_store_unavailable* says, does not count as an attempt; nor does a clock
    or a key that the store refuses, and that may be right again by then.
    """
    try:
        await work
    except Unavailable as error:
        _log.warning("job retried", job=context["job_id"], attempts=context["job_try"], reason=error.reason)
        if isinstance(error, QueueUnavailable | StoreRefused) or await is_store_unavailable():
            raise requeue() from error
        raise retry_with_backoff(context["job_try"]) from error
