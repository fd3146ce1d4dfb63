"""Reading request bodies, with limits of size, time, and memory of all bodies together."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from imageconverter.errors import MalformedBody, TooLarge

STALL_SECONDS = 15.0
"""Time after which a body counts as broken off if no more of it arrives, in seconds."""

_CHUNK = 256 * 1024


class BodyBudget:
    """Memory for the bodies being read, in bytes; reservations wait in first-in, first-out order."""

    def __init__(self, size: int) -> None:
        """Start with all of *size* free."""
        self.size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, amount: int) -> AsyncIterator["Reservation"]:
        """Reserve *amount* until the block ends, or the whole budget if that is less."""
        reservation = Reservation(self, min(amount, self.size))
        await self._take(reservation.amount)
        try:
            yield reservation
        finally:
            reservation.shrink(0)

    async def _take(self, amount: int) -> None:
        if not self._waiting and amount <= self._free:
            self._free -= amount
            return
        granted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, granted))
        try:
            await granted
        except asyncio.CancelledError:
            if granted.done() and not granted.cancelled():
                self.release(amount)
            raise

    def release(self, amount: int) -> None:
        """Release *amount* and grant waiting reservations that fit."""
        self._free += amount
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            wanted, granted = self._waiting.popleft()
            if not granted.done():
                self._free -= wanted
                granted.set_result(None)


class Reservation:
    """The memory reserved for one request, in bytes."""

    def __init__(self, budget: BodyBudget, amount: int) -> None:
        """Own *amount*, which was taken from *budget*."""
        self._budget = budget
        self.amount = amount

    def shrink(self, amount: int) -> None:
        """Release what exceeds *amount*, if the body is smaller than announced."""
        surplus = max(0, self.amount - amount)
        self.amount -= surplus
        self._budget.release(surplus)


def announced_size(request: web.Request, limit: int) -> int:
    """Return the maximum size of the body of *request*, at most *limit*; raises TooLarge if it announces more."""
    length = request.content_length
    if length is None or "Content-Encoding" in request.headers:
        return limit
    if length > limit:
        raise TooLarge("The request body is too large.")
    return length


async def read_body(
    request: web.Request, *, limit: int, seconds: float, stall_seconds: float = STALL_SECONDS
) -> bytearray:
    """Read the whole body into one buffer.

    Raises TooLarge if it has more than *limit* bytes, MalformedBody if the transfer fails, takes longer than
    *seconds*, or stalls for *stall_seconds*.
    """
    body = bytearray()
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    try:
        async with asyncio.timeout_at(min(until, clock() + stall_seconds)) as deadline:
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise TooLarge("The request body is too large.")
                deadline.reschedule(min(until, clock() + stall_seconds))
    except TimeoutError:
        raise MalformedBody("The request body did not arrive in time.") from None
    except (web.RequestPayloadError, HttpProcessingError, ClientError) as error:
        raise MalformedBody("The request body could not be read.") from error
    return body
