"""The progress of runs for those who listen to it: queried once for all listeners of a run."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from imageconverter.errors import TooManyRequests
from imageconverter.runs import Failures, RunStatus, RunStore

_INTERVAL_SECONDS: Final = 0.5
_SAMPLES: Final = 20  # of ten seconds
_MAX_LISTENERS: Final = 1000


class RunUpdate(NamedTuple):
    """The progress of a run."""

    status: RunStatus
    rate: float | None = None
    """Sources per second in the last ten seconds, None if that is not known yet."""
    failures: Failures = Failures()

    @property
    def seconds_left(self) -> int | None:
        """How long the run will take at this rate; None if that is not known."""
        if not self.rate or not self.status.is_counted:
            return None
        return math.ceil(max(0, self.status.sources_total - sum(self.status.sources)) / self.rate)


@dataclass
class _Watched:
    """A run with listeners."""

    listeners: int = 0
    query: asyncio.Task[RunUpdate | None] | None = None
    failures: Failures = field(default_factory=Failures)
    samples: deque[tuple[float, int]] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    """Times, and how many sources had finished by then."""

    def rate(self, status: RunStatus) -> float:
        """Return the rate, with *status* as the newest sample; at first, that since the start of the run."""
        finished = sum(status.sources)
        self.samples.append((asyncio.get_running_loop().time(), finished))
        (first, before), (now, _) = self.samples[0], self.samples[-1]
        if now == first:
            return finished / max(1, status.now - status.started)
        return (finished - before) / (now - first)


class RunWatcher:
    """Queries the progress of each run that has listeners twice a second."""

    def __init__(self, runs: RunStore) -> None:
        """Query *runs*."""
        self._runs = runs
        self._watched: dict[str, _Watched] = {}

    def require_room(self) -> None:
        """Raise TooManyRequests if there are too many listeners already."""
        if sum(each.listeners for each in self._watched.values()) >= _MAX_LISTENERS:
            raise TooManyRequests("Too many clients listen to events; query the status instead.")

    async def updates(self, run_id: str) -> AsyncGenerator[RunUpdate | None]:
        """Yield the progress of *run_id* each time after it was queried; None if the run does not exist any more.

        Raises QueueUnavailable.
        """
        watched = self._watched.setdefault(run_id, _Watched())
        watched.listeners += 1
        try:
            while True:
                if watched.query is None or watched.query.done():
                    watched.query = asyncio.create_task(self._query(run_id, watched))
                    watched.query.add_done_callback(_retrieve)
                yield await asyncio.shield(watched.query)  # the other listeners wait for it too
        finally:
            watched.listeners -= 1
            if not watched.listeners:
                self._watched.pop(run_id, None)

    async def _query(self, run_id: str, watched: _Watched) -> RunUpdate | None:
        await asyncio.sleep(_INTERVAL_SECONDS)
        status = await self._runs.status(run_id)
        if status is None:
            return None
        if status.sources.error > watched.failures.total:
            watched.failures = await self._runs.failures(run_id)
        return RunUpdate(status, watched.rate(status), watched.failures)


def _retrieve(query: asyncio.Task[RunUpdate | None]) -> None:
    """Mark an error as seen: the last listener may have disconnected before it occurred."""
    if not query.cancelled():
        query.exception()
