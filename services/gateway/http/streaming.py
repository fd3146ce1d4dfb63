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
    response = web.StreamResponse(headers=headers)
    compress(request, response)
    return await _send(request, response, (piece.encode() async for piece in pieces))


async def stream_bytes(
    request: web.Request, pieces: AsyncIterator[bytes], headers: dict[str, str]
) -> web.StreamResponse:
    """Like `stream`, for bytes that compression would not make smaller."""
    return await _send(request, web.StreamResponse(headers=headers), pieces)


async def _send(
    request: web.Request, response: web.StreamResponse, pieces: AsyncIterator[bytes]
) -> web.StreamResponse:
    first = await anext(pieces, b"")
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(first)
        async for piece in pieces:
            await response.write(piece)
        await response.write_eof()
    except ImageConverterError as error:
        _log.warning("response aborted", route=request.path, reason=error.reason)
        if request.transport is not None:
            request.transport.abort()  # an incomplete response must not look complete
    return response
