"""Reading request bodies, with limits of size, time, rate, and memory of all bodies together."""

import asyncio
from typing import Final

from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from imageconverter.errors import MalformedBody, TooLarge
from services.gateway.http.body_memory import BodyReservation

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


async def read_body(
    request: web.Request,
    reservation: BodyReservation,
    *,
    limit: int,
    seconds: float,
    stall_seconds: float = STALL_SECONDS,
) -> bytearray:
    """Read the whole body into one buffer, the memory of which *reservation* accounts for.

    Raises TooLarge if it has more than *limit* bytes, MalformedBody if the transfer fails, takes longer than
    *seconds*, or too little arrives in *stall_seconds*, and TooManyRequests if there is no memory for it.
    """
    body = bytearray()
    clock = asyncio.get_running_loop().time
    until = clock() + seconds
    part_start, part_until = 0, clock() + stall_seconds
    try:
        async with asyncio.timeout_at(min(until, part_until)) as deadline:
            async for chunk in request.content.iter_chunked(_CHUNK):
                if len(body) + len(chunk) > limit:
                    raise TooLarge("The request body is too large.")
                deadline.reschedule(None)  # the time for which the body waits for memory is not the client's
                asked_at = clock()
                await reservation.grow(len(chunk))
                waited = clock() - asked_at
                until, part_until = until + waited, part_until + waited
                body += chunk
                min_bytes = _MIN_CONTENDED_PART_BYTES if reservation.is_contended else _MIN_PART_BYTES
                if len(body) - part_start >= min_bytes:
                    part_start, part_until = len(body), clock() + stall_seconds
                deadline.reschedule(min(until, part_until))
    except TimeoutError:
        raise MalformedBody("The request body did not arrive in time.") from None
    except (web.RequestPayloadError, HttpProcessingError, ClientError) as error:
        raise MalformedBody("The request body could not be read.") from error
    return body
