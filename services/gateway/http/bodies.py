"""Reading request bodies: bounded in size, in time, and in the memory that all of them take together."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from imageconverter.errors import MalformedBody, TooLarge

STALL_SECONDS = 15.0
"""In which some of a body has to arrive, or it counts as broken off."""

_CHUNK = 256 * 1024


class BodyBudget:
    """Memory for bodies in flight, in bytes. Who asks first is served first; nobody is refused."""

    def __init__(self, size: int) -> None:
        """Start with all of *size* free."""
        self.size = size
        self._free = size
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def reserve(self, amount: int) -> AsyncIterator["Reservation"]:
        """Hold *amount* of the budget; more than all of it counts as all of it."""
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
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.release(amount)
            raise

    def release(self, amount: int) -> None:
        """Take back *amount*, and let in who waits for it."""
        self._free += amount
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._free):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self._free -= wanted
                turn.set_result(None)


class Reservation:
    """What one request holds of the budget, in bytes."""

    def __init__(self, budget: BodyBudget, amount: int) -> None:
        """Hold *amount*, which has been taken from *budget*."""
        self._budget = budget
        self.amount = amount

    def shrink(self, amount: int) -> None:
        """Give back what is held beyond *amount*: the body is smaller than it might have been."""
        surplus = max(0, self.amount - amount)
        self.amount -= surplus
        self._budget.release(surplus)


def announced_size(request: web.Request, limit: int) -> int:
    """Return the most bytes that the body of *request* can have; raises TooLarge where that is known to be over."""
    length = request.content_length
    if length is None or "Content-Encoding" in request.headers:
        return limit
    if length > limit:
        raise TooLarge("The request's body is larger than is allowed.")
    return length


async def read_body(
    request: web.Request, *, limit: int, seconds: float, still_seconds: float = STALL_SECONDS
) -> bytearray:
    """Read the whole body into one buffer.

    Raises TooLarge over *limit* bytes, MalformedBody where the transfer is broken, takes over *seconds*, or brings
    nothing for *still_seconds*.
    """
    body = bytearray()
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    try:
        async with asyncio.timeout_at(min(until, clock() + still_seconds)) as deadline:
            async for chunk in request.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > limit:
                    raise TooLarge("The request's body is larger than is allowed.")
                deadline.reschedule(min(until, clock() + still_seconds))
    except TimeoutError:
        raise MalformedBody("The request's body did not arrive in time.") from None
    except (web.RequestPayloadError, HttpProcessingError, ClientError) as error:
        raise MalformedBody("The request's body could not be read.") from error
    return body
