"""What a process is doing now: the jobs and periodic tasks that it runs."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from imageconverter import keys

# Of the payload of a job, the first one that is there says what the job is about.
_SUBJECTS: Final = ("source_key", "key", "run_id", "kind", "trash")
_MAX_SUBJECT: Final = 160  # characters: heartbeats contain it


class RunningTask(BaseModel):
    """A job, or a periodic task of the reporter, that a process runs now."""

    model_config = ConfigDict(frozen=True)

    task: str
    queue: str = ""
    """The queue of a job; "" for a periodic task."""
    subject: str = ""
    """What the job is about: the object key of its source, a preview key, a run or a type; "" if nothing says so."""
    since: float
    """In seconds since 1970, by the clock of the process."""


class Activity:
    """The tasks that a process runs now."""

    def __init__(self) -> None:
        """Begin with none."""
        self._running: dict[object, RunningTask] = {}

    @contextmanager
    def running(self, task: str, *, queue: str = "", payload: Any = None) -> Iterator[None]:
        """Count *task* as running during the block."""
        token, since = object(), round(time.time(), 1)
        self._running[token] = RunningTask(task=task, queue=queue, subject=_subject(payload), since=since)
        try:
            yield
        finally:
            del self._running[token]

    @property
    def count(self) -> int:
        """The number of running tasks."""
        return len(self._running)

    def oldest(self, count: int) -> tuple[RunningTask, ...]:
        """Return up to *count* running tasks, the one that runs longest first."""
        return tuple(self._running.values())[:count]


def _subject(payload: Any) -> str:
    found: Any = ""
    if isinstance(payload, Mapping):
        found = next((payload[name] for name in _SUBJECTS if name in payload), "")
    elif isinstance(payload, list) and payload:  # of a run: its id, and the object key of a source where there is one
        found = next((each for each in payload if str(each).startswith(keys.SOURCE)), payload[0])
    text = str(found)
    return text if len(text) <= _MAX_SUBJECT else f"{text[: _MAX_SUBJECT - 1]}…"
