"""Answers that are sent as they are made, line after line."""

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from imageconverter.errors import ImageConverterError

_log = structlog.get_logger(__name__)


async def stream(request: web.Request, pieces: AsyncIterator[str], headers: dict[str, str]) -> web.StreamResponse:
    """Answer with all *pieces*. Trouble before the first is told by a status, trouble later ends the connection."""
    first = await anext(pieces, "")
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(first.encode())
        async for piece in pieces:
            await response.write(piece.encode())
        await response.write_eof()
    except ImageConverterError as error:
        _log.warning("answer broken off", route=request.path, reason=error.reason)
        if request.transport is not None:
            request.transport.abort()  # half of it must not look like all of it
    return response
