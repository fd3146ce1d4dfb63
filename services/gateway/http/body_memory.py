"""Memory for the request bodies that are being read, shared fairly between clients."""

import asyncio
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from imageconverter.errors import TooManyRequests
from imageconverter.settings import MEGABYTE

WAIT_SECONDS: Final = 10.0
"""Time after which a body that does not fit is rejected, in seconds."""
SMALL_BYTES: Final = MEGABYTE
_LARGE_SHARE: Final = 7 / 8


class _Waiting(NamedTuple):
    """A body that needs more memory than is free; those that need the least until their end are first."""

    remaining: int
    number: int
    body: "BodyReservation"
    amount: int
    granted: asyncio.Future[None]


class BodyMemory:
    """Memory for the bodies of one group of clients, in bytes.

    A body takes up what has arrived of it, so that it costs nothing to announce a large one. An eighth of the memory
    is for small bodies, and small bodies are served before large ones. If all bodies wait for each other, the one
    that needs the most is rejected. A body that is alone may have any size.
    """

    def __init__(self, size: int) -> None:
        """Start with all of *size* free."""
        self.size = size
        self.used = 0
        self._numbers = itertools.count()
        self._holders: set[BodyReservation] = set()
        self._waiting: list[_Waiting] = []

    @contextmanager
    def body(self, expected: int) -> Iterator["BodyReservation"]:
        """Account for a body of at most *expected* bytes until the block ends."""
        reservation = BodyReservation(self, expected)
        try:
            yield reservation
        finally:
            reservation.shrink(0)

    @property
    def is_contended(self) -> bool:
        """Whether any body waits for memory."""
        return bool(self._waiting)

    def fits(self, body: "BodyReservation", amount: int) -> bool:
        """Return whether *body* may take *amount* more now."""
        usable = self.size if body.expected <= SMALL_BYTES else int(self.size * _LARGE_SHARE)
        return self.used + amount <= usable or self.used == body.amount

    async def take(self, body: "BodyReservation", amount: int) -> None:
        """Wait until *amount* more is free for *body*.

        Raises TooManyRequests after WAIT_SECONDS, or if all bodies wait for each other.
        """
        is_next = not self._waiting or body.remaining < self._waiting[0].remaining
        if not (is_next and self.fits(body, amount)):
            granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            entry = _Waiting(body.remaining, next(self._numbers), body, amount, granted)
            heapq.heappush(self._waiting, entry)
            self._break_deadlock()
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await granted
            except TimeoutError:
                raise _rejected() from None
            finally:
                if entry in self._waiting:
                    self._waiting.remove(entry)
                    heapq.heapify(self._waiting)
        else:
            self._grant(body, amount)

    def release(self, body: "BodyReservation", amount: int) -> None:
        """Release *amount* of *body*, and grant what fits now."""
        self.used -= amount
        body.amount -= amount
        if not body.amount:
            self._holders.discard(body)
        while self._waiting and self.fits(self._waiting[0].body, self._waiting[0].amount):
            entry = heapq.heappop(self._waiting)
            if not entry.granted.done():
                self._grant(entry.body, entry.amount)
                entry.granted.set_result(None)
        self._break_deadlock()

    def _grant(self, body: "BodyReservation", amount: int) -> None:
        self.used += amount
        body.amount += amount
        self._holders.add(body)

    def _break_deadlock(self) -> None:
        """Reject the body that needs the most if every body that has memory waits for more."""
        if self._waiting and self._holders <= {entry.body for entry in self._waiting if not entry.granted.done()}:
            largest = max((entry for entry in self._waiting if entry.body.amount), default=None)
            if largest is not None:
                largest.granted.set_exception(_rejected())


class BodyReservation:
    """The memory of one body."""

    def __init__(self, memory: BodyMemory, expected: int) -> None:
        """Own nothing of *memory* yet; the body has at most *expected* bytes."""
        self.expected = expected
        self.amount = 0
        self._memory = memory

    @property
    def remaining(self) -> int:
        """The maximum number of bytes that the body still needs."""
        return max(0, self.expected - self.amount)

    @property
    def is_contended(self) -> bool:
        """Whether other bodies wait for memory."""
        return self._memory.is_contended

    async def grow(self, amount: int) -> None:
        """Take *amount* more. Raises TooManyRequests if other bodies need the memory for too long."""
        await self._memory.take(self, amount)

    def shrink(self, amount: int) -> None:
        """Release what exceeds *amount*."""
        self._memory.release(self, max(0, self.amount - amount))


def _rejected() -> TooManyRequests:
    return TooManyRequests("Too many uploads at the same time; try again in a moment.")
