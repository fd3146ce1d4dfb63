"""The state of the system and its last hour, queried once for all who look at it at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from imageconverter.monitoring.history import Minute
from imageconverter.monitoring.system_state import SystemState, system_state
from imageconverter.resources import Resources
from services.runtime.roles import ROLES

_STATE_SECONDS: Final = 1.0
_HISTORY_SECONDS: Final = 5.0

Value = TypeVar("Value")


class _Shared(Generic[Value]):
    """A value that is queried again only after *seconds*."""

    def __init__(self, seconds: float, query: Callable[[], Awaitable[Value]]) -> None:
        self._seconds = seconds
        self._query = query
        self._task: asyncio.Task[Value] | None = None
        self._until = 0.0

    async def get(self) -> Value:
        """Return the value; raises what the query does."""
        now = asyncio.get_running_loop().time()
        if self._task is None or (self._task.done() and now >= self._until):
            self._task = asyncio.create_task(self._ask())
        return await asyncio.shield(self._task)

    async def _ask(self) -> Value:
        self._until = 0.0  # an error is not kept
        value = await self._query()
        self._until = asyncio.get_running_loop().time() + self._seconds
        return value


class SystemWatcher:
    """Queries the state of the system at most once a second, the last hour at most every five seconds."""

    def __init__(self, resources: Resources) -> None:
        """Query *resources*."""
        queue, runs, redis, store = resources.queue, resources.runs, resources.redis, resources.store
        self._state = _Shared(_STATE_SECONDS, lambda: system_state(ROLES, queue, runs, redis, store))
        self._history = _Shared(_HISTORY_SECONDS, resources.history.minutes)

    async def state(self) -> SystemState:
        """Return the state of the system, at most a second old."""
        return await self._state.get()

    async def history(self) -> list[Minute]:
        """Return the last hour by minutes; raises QueueUnavailable."""
        return await self._history.get()
