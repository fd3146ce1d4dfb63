"""Handlers of the ImageConverter API that count, list and remove keys."""

import json
from collections.abc import AsyncIterator

import structlog
from aiohttp import web

from imageconverter.errors import ImageConverterError, NotFound
from services.gateway import audit, state
from services.gateway.http.responses import json_response
from services.gateway.imageconverter_api.errors import done
from services.gateway.imageconverter_api.previews import context_of, key_of, operation
from services.gateway.imageconverter_api.responses import KeyCount

_log = structlog.get_logger(__name__)


@operation("admin")
async def clear_images(request: web.Request) -> web.Response:
    """Remove all keys, or those of a context."""
    context = context_of(request)
    removed = await request.app[state.PREVIEWS].clear(context=context)
    audit.describe(request, keys=removed)
    return done()


@operation("admin")
async def clear_images_by_key(request: web.Request) -> web.Response:
    """Remove one key from all contexts."""
    key = key_of(request)
    if not await request.app[state.PREVIEWS].clear_key(key):
        raise NotFound("There is no image of that key.")
    return done()


@operation("admin")
async def get_key_count(request: web.Request) -> web.Response:
    """Return the number of all keys, or of those of a context."""
    return json_response(KeyCount(count=await request.app[state.PREVIEWS].count(context_of(request))))


@operation("admin")
async def get_keys(request: web.Request) -> web.StreamResponse:
    """Stream all keys, or those of a context, so that their number does not matter."""
    batches = request.app[state.PREVIEWS].keys(context_of(request))
    first: list[str] = await anext(batches, [])  # before the response starts, so that an outage is still a 503
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(b'{"keys": [' + _as_text(first))
        await _write_rest(response, batches, is_begun=bool(first))
    except ImageConverterError as error:
        _log.warning("response aborted", reason=error.reason)
        if request.transport is not None:
            request.transport.abort()  # an incomplete list must not look complete
    return response


async def _write_rest(response: web.StreamResponse, batches: AsyncIterator[list[str]], *, is_begun: bool) -> None:
    async for batch in batches:
        if batch:
            await response.write((b", " if is_begun else b"") + _as_text(batch))
            is_begun = True
    await response.write_eof(b"]}")


def _as_text(keys: list[str]) -> bytes:
    return json.dumps(keys)[1:-1].encode()
