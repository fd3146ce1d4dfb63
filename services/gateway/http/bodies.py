"""Reading request bodies, with limits of size, time, rate, and memory of all bodies together."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Self

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from imageconverter.errors import MalformedBody, TooLarge
from services.gateway.http.body_memory import BodyReservation

BODY_HASH: Final = web.RequestKey[Any]("body_hash")
"""A hash of hashlib to which the body is added while it is read, if the request has one."""
STALL_SECONDS: Final = 15.0
"""Time in which a part of a body must arrive, in seconds."""
_MIN_PART_BYTES: Final = 64 * 1024
_MIN_CONTENDED_PART_BYTES: Final = 1024 * 1024
"""The size of that part while other bodies wait for the memory that this one has."""

_CHUNK = 256 * 1024


def announced_size(request: web.Request, limit: int) -> int:
    """Return the maximum size of the body of *request*, at most *limit*; raises TooLarge if it announces more."""
    length = request.content_length
    if length is None or "Content-Encoding" in request.headers:
        return limit
    if length > limit:
        raise TooLarge("The request body is too large.")
    return length


@contextmanager
def failed_transfers() -> Iterator[None]:
    """Context that raises MalformedBody if the transfer of a body fails, and ConnectionError if its client is gone.

    aiohttp keeps its error with the request: without the frames of the error, so that what has arrived is not in
    memory until a garbage collection.
    """
    try:
        yield
    except ConnectionError as error:
        raise ConnectionError("The client is gone.") from error.with_traceback(None)
    except (web.RequestPayloadError, HttpProcessingError, ClientError) as error:
        raise MalformedBody("The request body could not be read.") from error.with_traceback(None)


class BodyStream:
    """The body of a request as chunks of bytes, which *reservation* accounts for.

    Iterating raises TooLarge if there are more than *limit* bytes, MalformedBody if the transfer fails, takes longer
    than *seconds*, or too little arrives in *stall_seconds*, and TooManyRequests if there is no memory. The time in
    which the body waits for memory, or what was read is processed, is not the client's.
    """

    def __init__(
        self,
        request: web.Request,
        reservation: BodyReservation,
        *,
        limit: int,
        seconds: float,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._content = request.content
        self._reservation = reservation
        self._hash = request.get(BODY_HASH)
        self._limit = limit
        self._stall_seconds = stall_seconds
        self._clock = asyncio.get_running_loop().time
        self._left_at = self._clock()
        self._until = self._left_at + seconds
        self._part_start, self._part_until = 0, self._left_at + stall_seconds
        self.received = 0
        """Bytes so far."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        pause = self._clock() - self._left_at
        self._until, self._part_until = self._until + pause, self._part_until + pause
        try:
            async with asyncio.timeout_at(min(self._until, self._part_until)):
                with failed_transfers():
                    chunk = await self._content.read(_CHUNK)
        except TimeoutError:
            raise MalformedBody("The request body did not arrive in time.") from None
        self._left_at = self._clock()
        if not chunk:
            raise StopAsyncIteration
        self.received += len(chunk)
        if self.received > self._limit:
            raise TooLarge("The request body is too large.")
        min_bytes = _MIN_CONTENDED_PART_BYTES if self._reservation.is_contended else _MIN_PART_BYTES
        if self.received - self._part_start >= min_bytes:
            self._part_start, self._part_until = self.received, self._left_at + self._stall_seconds
        await self._reservation.grow(len(chunk))
        if self._hash is not None:
            self._hash.update(chunk)
        return chunk

    def release(self) -> None:
        """Release the memory of what has arrived: it has been stored."""
        self._reservation.shrink(0)


async def read_body(
    request: web.Request,
    reservation: BodyReservation,
    *,
    limit: int,
    seconds: float,
    stall_seconds: float = STALL_SECONDS,
) -> bytearray:
    """Read the whole body into one buffer; raises what `BodyStream` raises."""
    body = bytearray()
    async for chunk in BodyStream(request, reservation, limit=limit, seconds=seconds, stall_seconds=stall_seconds):
        body += chunk
    return body
