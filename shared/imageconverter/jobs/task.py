"""What the queue runs: tasks, and what they are called with."""

from collections.abc import Callable, Coroutine
from typing import Any, NotRequired, TypedDict


class JobContext(TypedDict):
    """The job that a task is called for."""

    job_id: str
    job_try: int
    """Number of this attempt, from 1."""
    score: NotRequired[int]
    """Since when it waits, in milliseconds since 1970 by the clock of Redis."""


Task = Callable[[JobContext, Any], Coroutine[Any, Any, None]]
"""Called with the payload of the job, which is parsed JSON."""
