"""The circuit breaker: detects outages of the object store, and their end, within seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import structlog

from imageconverter.errors import StoreUnavailable

_log = structlog.get_logger(__name__)

# Together below the two seconds within which a client gets an error.
_SLOW_SECONDS = 0.8
_PROBE_STEPS = 11
_STEP_SECONDS = 0.1
_MAX_BUSY_SECONDS = 8.0


class CircuitBreaker:
    """Opens if a call fails or is slow and a probe fails as well; closes when a probe succeeds.

    A slow call alone does not open it, nor does a probe that times out while large calls keep the store busy: for as
    long as all of them together may take. When it opens, calls in progress fail; while it is open, each new call
    waits for a probe, which concurrent calls share.
    """

    def __init__(self, probe: Callable[[], Awaitable[object]]) -> None:
        """Start closed; *probe* is a cheap call that raises if the store is unavailable."""
        self._probe = probe
        self._is_open = False
        self._probing: asyncio.Task[None] | None = None
        self._calls: dict[asyncio.Timeout, asyncio.TimerHandle] = {}
        self._large: dict[asyncio.Timeout, float] = {}

    @property
    def is_open(self) -> bool:
        """Whether the breaker is open; if so, reading this starts a probe."""
        if self._is_open:
            self._start_probe()
        return self._is_open

    @property
    def was_open(self) -> bool:
        """Whether the breaker was open at the last probe; starts none."""
        return self._is_open

    async def wait_for_probe(self) -> bool:
        """Return whether the breaker is open, after the probe that is running or due."""
        if self._is_open:
            self._start_probe()
        if self._probing is not None:
            await asyncio.wait([self._probing])
        return self._is_open

    @asynccontextmanager
    async def call(self, seconds: float, *, large: float = 0) -> AsyncIterator[None]:
        """Context of a call with a timeout of *seconds*, plus *large* seconds for a large transfer, and for others.

        Raises StoreUnavailable, TimeoutError, and what the call itself raises.
        """
        if self._is_open and await self.wait_for_probe():
            raise StoreUnavailable("The object store is unavailable.")
        try:
            busy = large + min(sum(self._large.values()), _MAX_BUSY_SECONDS)
            async with asyncio.timeout(seconds + (busy if large else 0)) as deadline:
                if large:
                    self._large[deadline] = large
                self._watch(deadline, _SLOW_SECONDS + busy)
                try:
                    yield
                finally:
                    self._calls.pop(deadline).cancel()
                    self._large.pop(deadline, None)
        except Exception:
            self._start_probe()
            raise

    def _watch(self, deadline: asyncio.Timeout, seconds: float) -> None:
        """Start probes while a call is slow, which it is after *seconds*."""
        self._calls[deadline] = asyncio.get_running_loop().call_later(seconds, self._on_slow_call, deadline)

    def _on_slow_call(self, deadline: asyncio.Timeout) -> None:
        self._large.pop(deadline, None)
        self._start_probe()
        self._watch(deadline, _SLOW_SECONDS)

    def _start_probe(self) -> None:
        if self._probing is None:
            self._probing = asyncio.create_task(self._run_probe())

    async def _run_probe(self) -> None:
        try:
            await _in_steps(self._probe())
        except Exception as error:  # noqa: BLE001 - after any error, the store cannot be used
            if not (isinstance(error, TimeoutError) and self._large):
                self._open(error)
        else:
            self._close()
        finally:
            self._probing = None

    def _open(self, error: Exception) -> None:
        if not self._is_open:
            _log.warning("object store unavailable", error=repr(error)[:200])
        self._is_open = True
        now = asyncio.get_running_loop().time()
        for deadline in self._calls:
            if not deadline.expired():
                deadline.reschedule(now)

    def _close(self) -> None:
        if self._is_open:
            _log.info("object store available again")
        self._is_open = False


async def _in_steps(probe: Awaitable[object]) -> None:
    """Wait for *probe*; raises TimeoutError after `_PROBE_STEPS` steps.

    Time in which this process does something else does not count, because it does not show that the store is slow.
    """
    running = asyncio.ensure_future(probe)
    try:
        for _ in range(_PROBE_STEPS):
            done, _ = await asyncio.wait([running], timeout=_STEP_SECONDS)
            if done:
                break
        else:
            raise TimeoutError
        await running
    finally:
        running.cancel()
