"""Noticing soon that the object store is away, and at once that it is back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from imageconverter.errors import StoreUnavailable

_log = structlog.get_logger(__name__)

# Together below the two seconds within which a client is told.
_SLOW_SECONDS = 0.8
_LOOK_SECONDS = 1.1


class CircuitBreaker:
    """Opens where a call has failed or is slow and a look at the store fails as well; closes where a look succeeds.

    A slow call alone says nothing; nor does a look that is not answered while large calls keep the store busy. While
    the breaker is open, calls that are under way end, and each new one waits for a look, which it shares with others.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]]) -> None:
        """Begin closed; *probe* is a call that costs little and raises where the store is away."""
        self._probe = probe
        self._is_open = False
        self._probing: asyncio.Task[None] | None = None
        self._calls: dict[asyncio.Timeout, asyncio.TimerHandle] = {}
        self._large: set[asyncio.Timeout] = set()

    @property
    def is_open(self) -> bool:
        """Whether the store counts as away; asking has it looked at again."""
        if self._is_open:
            self._start_probe()
        return self._is_open

    async def wait_for_probe(self) -> bool:
        """Return whether the store is away, after the look that is under way or due."""
        if self._is_open:
            self._start_probe()
        if self._probing is not None:
            await asyncio.wait([self._probing])
        return self._is_open

    @asynccontextmanager
    async def call(self, seconds: float, *, large: float = 0) -> AsyncIterator[None]:
        """Do a call, for *seconds* at most, and for *large* seconds more, in which it may keep the store busy.

        Raises StoreUnavailable, TimeoutError, and what the call raises itself.
        """
        if self._is_open and await self.wait_for_probe():
            raise StoreUnavailable("The object store is away.")
        try:
            async with asyncio.timeout(seconds + large) as deadline:
                if large:
                    self._large.add(deadline)
                self._watch(deadline, _SLOW_SECONDS + large)
                try:
                    yield
                finally:
                    self._calls.pop(deadline).cancel()
                    self._large.discard(deadline)
        except Exception:
            self._start_probe()
            raise

    def _watch(self, deadline: asyncio.Timeout, seconds: float) -> None:
        """Have the store looked at for as long as a call is slow, which it is after *seconds*."""
        self._calls[deadline] = asyncio.get_running_loop().call_later(seconds, self._on_slow_call, deadline)

    def _on_slow_call(self, deadline: asyncio.Timeout) -> None:
        self._large.discard(deadline)
        self._start_probe()
        self._watch(deadline, _SLOW_SECONDS)

    def _start_probe(self) -> None:
        if self._probing is None:
            self._probing = asyncio.create_task(self._run_probe())

    async def _run_probe(self) -> None:
        try:
            async with asyncio.timeout(_LOOK_SECONDS):
                await self._probe()
        except Exception as error:  # noqa: BLE001 - whatever it is, the store cannot be used
            if not (isinstance(error, TimeoutError) and self._large):
                self._open(error)
        else:
            self._close()
        finally:
            self._probing = None

    def _open(self, error: Exception) -> None:
        if not self._is_open:
            _log.warning("the object store is away", error=repr(error)[:200])
        self._is_open = True
        now = asyncio.get_running_loop().time()
        for deadline in self._calls:
            if not deadline.expired():
                deadline.reschedule(now)

    def _close(self) -> None:
        if self._is_open:
            _log.info("the object store is back")
        self._is_open = False
