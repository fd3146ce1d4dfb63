"""Memory for the request bodies that are being read, shared fairly between clients."""

import asyncio
import bisect
import heapq
import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from imageconverter.errors import TooManyRequests
from imageconverter.settings import MEGABYTE

WAIT_SECONDS: Final = 30.0
"""Time after which a body that does not fit is rejected, in seconds; a stalled one is rejected earlier."""
SMALL_BYTES: Final = MEGABYTE
_LARGE_SHARE: Final = 7 / 8
_TOO_MANY: Final = "Too many uploads at the same time; try again in a moment."
_WAITING_BYTES: Final = MEGABYTE
"""What a body that waits takes up at most, in buffers that are not accounted for."""


class _Waiting(NamedTuple):
    """A body that needs more memory than it may take; those that need the least until their end are first."""

    remaining: int
    number: int
    body: "BodyReservation"
    amount: int
    granted: asyncio.Future[None]


class _Claim(NamedTuple):
    """What a body that has memory may still take; in a list, those that need the least are first."""

    claim: int
    number: int
    body: "BodyReservation"


class BodyMemory:
    """Memory for the bodies of one group of clients, in bytes.

    A body takes up what has arrived of it, so that it costs nothing to announce a large one. An eighth of the memory
    is for small bodies, and small bodies are served before large ones. A body may only take more if all of them can
    still be completed one after the other (the banker's algorithm), so that none waits for another that waits for it.
    A body that is alone may have any size. If so many wait that they take up as much again, the largest is rejected.
    """

    def __init__(self, size: int) -> None:
        """Start with all of *size* free."""
        self.size = size
        self.used = 0
        self._max_waiting = size // _WAITING_BYTES
        self._numbers = itertools.count()
        self._claims: list[_Claim] = []
        self._waiting: list[_Waiting] = []

    @contextmanager
    def body(self, expected: int) -> Iterator["BodyReservation"]:
        """Account for a body of at most *expected* bytes until the block ends."""
        reservation = BodyReservation(self, min(expected, self._usable(expected)), next(self._numbers))
        try:
            yield reservation
        finally:
            reservation.shrink(0)

    @property
    def is_contended(self) -> bool:
        """Whether any body waits for memory."""
        return bool(self._waiting)

    async def take(self, body: "BodyReservation", amount: int) -> None:
        """Wait until *body* may take *amount* more.

        Raises TooManyRequests after WAIT_SECONDS, or at once if too many wait that need less.
        """
        is_next = not self._waiting or body.claim < self._waiting[0].remaining
        if is_next and self._fits(body, amount):
            self._change(body, amount)
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = _Waiting(body.claim, next(self._numbers), body, amount, granted)
        bisect.insort(self._waiting, entry)
        if len(self._waiting) > self._max_waiting:
            largest = self._waiting.pop().granted
            if not largest.done():  # its request was canceled in this moment
                largest.set_exception(TooManyRequests(_TOO_MANY))
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                await granted
        except TimeoutError:
            raise TooManyRequests(_TOO_MANY) from None
        finally:
            if entry in self._waiting:
                self._waiting.remove(entry)

    def release(self, body: "BodyReservation", amount: int) -> None:
        """Release *amount* of *body*, and grant what fits now."""
        self._change(body, -amount)
        for entry in list(self._waiting):
            if self._fits(entry.body, entry.amount) and not entry.granted.done():
                self._waiting.remove(entry)
                self._change(entry.body, entry.amount)
                entry.granted.set_result(None)

    def _usable(self, expected: int) -> int:
        return self.size if expected <= SMALL_BYTES else int(self.size * _LARGE_SHARE)

    def _change(self, body: "BodyReservation", amount: int) -> None:
        if body.amount:
            del self._claims[bisect.bisect_left(self._claims, _Claim(body.claim, body.number, body))]
        self.used += amount
        body.amount += amount
        if body.amount:
            bisect.insort(self._claims, _Claim(body.claim, body.number, body))

    def _fits(self, body: "BodyReservation", amount: int) -> bool:
        """Whether all bodies can still be completed one after the other if *body* takes *amount* more now.

        There may be thousands, and a client may send a byte at a time: the answer is usually known after a few.
        """
        if self.used == body.amount:
            return True
        free = self._usable(body.expected) - self.used - amount
        own = _Claim(max(0, body.claim - amount), body.number, body)
        largest = max(own.claim, self._claims[-1].claim)
        others = (each for each in self._claims if each.body is not body)
        for each in heapq.merge(others, [own]):
            if free >= largest:
                return True
            if each.claim > free:
                return False
            free += each.body.amount + (amount if each.body is body else 0)
        return free >= 0


class BodyReservation:
    """The memory of one body."""

    def __init__(self, memory: BodyMemory, expected: int, number: int) -> None:
        """Own nothing of *memory* yet; the body needs at most *expected* bytes of it."""
        self.expected = expected
        self.number = number
        self.amount = 0
        self._memory = memory

    @property
    def claim(self) -> int:
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
