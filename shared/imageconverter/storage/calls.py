"""The calls of the object store: each has a deadline, a slot and a circuit breaker, and is measured."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from itertools import product
from typing import Final, Literal, Protocol
from weakref import WeakSet

from obstore.exceptions import BaseError, PermissionDeniedError

from imageconverter import tracing
from imageconverter.errors import StoreRefused, StoreUnavailable
from imageconverter.settings import MEGABYTE
from imageconverter.storage.circuit_breaker import CircuitBreaker

Verb = Literal["get", "head", "read", "put", "put_part", "copy", "delete", "list"]
"""What is asked of the store; `read` is the body of a `get`."""
CallOutcome = Literal["success", "error", "canceled"]
CallListener = Callable[[Verb, CallOutcome, float], None]
"""Gets the time of a call in seconds."""


class ChangeListener(Protocol):
    """Remembers what is in the store."""

    def forget(self, key: str) -> None:
        """Forget the object at *key*, which this process has changed, or tried to."""


_SECONDS_PER_MEGABYTE: Final = 0.25  # added to the timeout of a call
_MAX_CONCURRENT_REQUESTS: Final = 128  # more would not be faster, and each needs a socket
_TIME_REFUSED: Final = "RequestTimeTooSkewed"  # S3's code
_WRITING: Final = frozenset({"put", "put_part", "copy", "delete"})


class Calls:
    """What all calls of a store have in common."""

    def __init__(
        self,
        seconds: float,
        on_call: CallListener,
        probe: Callable[[], Awaitable[None]],
        probe_writing: Callable[[], Awaitable[None]],
    ) -> None:
        """Give each call *seconds*, and call *on_call* after it; the probes find out when the store is back."""
        self._seconds = seconds
        self._on_call = on_call
        self._slots = asyncio.Semaphore(_MAX_CONCURRENT_REQUESTS)
        # A store may read and not write: it is full, throttled, or the credentials may not write any more.
        self.reads = CircuitBreaker(probe)
        self.writes = CircuitBreaker(probe_writing)
        self.listeners: WeakSet[ChangeListener] = WeakSet()

    @asynccontextmanager
    async def deadline(self, verb: Verb, size: int = 0, *, changes: Iterable[str] = ()) -> AsyncIterator[None]:
        """Measure a call with *size* bytes, and let it end in time; raises StoreUnavailable for its errors.

        It *changes* the objects at these keys.
        """
        writes = verb in _WRITING
        breaker = self.writes if writes else self.reads
        began = time.perf_counter()
        outcome: CallOutcome = "error"
        try:
            with tracing.span(f"store {verb}", "client"):
                async with self._slots, breaker.call(self._seconds, large=size // MEGABYTE * _SECONDS_PER_MEGABYTE):
                    yield
            outcome = "success"
        except asyncio.CancelledError:
            outcome = "canceled"
            raise
        except TimeoutError:
            raise StoreUnavailable("The object store did not answer in time.") from None
        except (BaseError, OSError) as error:
            # A response to HEAD has no code.
            if _TIME_REFUSED in str(error) or (isinstance(error, PermissionDeniedError) and not writes):
                raise StoreRefused(
                    "The object store refuses the clock or the credentials of this process."
                ) from error
            raise StoreUnavailable("The object store cannot be used.") from error
        finally:
            self._on_call(verb, outcome, time.perf_counter() - began)
            for key, listener in product(changes, self.listeners):
                listener.forget(key)
