"""Streamed responses."""

from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from imageconverter.errors import ImageConverterError
from services.gateway.http.compression import compress

_log = structlog.get_logger(__name__)


async def stream(request: web.Request, pieces: AsyncIterator[str], headers: dict[str, str]) -> web.StreamResponse:
    """Stream *pieces* as a response, compressed if the client accepts it.

    An error before the first piece is raised; a later one aborts the connection.
    """
    first = await anext(pieces, "")
    response = web.StreamResponse(headers=headers)
    compress(request, response)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(first.encode())
        async for piece in pieces:
            await response.write(piece.encode())
        await response.write_eof()
    except ImageConverterError as error:
        _log.warning("response aborted", route=request.path, reason=error.reason)
        if request.transport is not None:
            request.transport.abort()  # an incomplete response must not look complete
    return response
