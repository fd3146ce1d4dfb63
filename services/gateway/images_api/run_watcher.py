"""The status of runs for those who listen to it: queried once for all listeners of a run."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Final

from imageconverter.errors import TooManyRequests
from imageconverter.runs import RunStatus, RunStore

_INTERVAL_SECONDS: Final = 0.5
_MAX_LISTENERS: Final = 1000


class RunWatcher:
    """Queries the status of each run that has listeners twice a second."""

    def __init__(self, runs: RunStore) -> None:
        """Query *runs*."""
        self._runs = runs
        self._listeners: dict[str, int] = {}
        self._queries: dict[str, asyncio.Task[RunStatus | None]] = {}

    def require_room(self) -> None:
        """Raise TooManyRequests if there are too many listeners already."""
        if sum(self._listeners.values()) >= _MAX_LISTENERS:
            raise TooManyRequests("Too many clients listen to events; query the status instead.")

    async def changes(self, run_id: str) -> AsyncGenerator[RunStatus | None]:
        """Yield the status of *run_id* each time after it was queried; None if the run does not exist any more.

        Raises QueueUnavailable.
        """
        self._listeners[run_id] = self._listeners.get(run_id, 0) + 1
        try:
            while True:
                query = self._queries.get(run_id)
                if query is None or query.done():
                    query = asyncio.create_task(self._query(run_id))
                    query.add_done_callback(_retrieve)
                    self._queries[run_id] = query
                yield await asyncio.shield(query)  # the other listeners wait for it too
        finally:
            self._listeners[run_id] -= 1
            if not self._listeners[run_id]:
                del self._listeners[run_id]
                self._queries.pop(run_id, None)

    async def _query(self, run_id: str) -> RunStatus | None:
        await asyncio.sleep(_INTERVAL_SECONDS)
        return await self._runs.status(run_id)


def _retrieve(query: asyncio.Task[RunStatus | None]) -> None:
    """Mark an error as seen: the last listener may have disconnected before it occurred."""
    if not query.cancelled():
        query.exception()
