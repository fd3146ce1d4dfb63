"""Responses that a client need not get again if it has them (RFC 9110, section 13)."""

import functools
from hashlib import blake2b
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

_TAG_BYTES: Final = 12
_MAY_BE_STORED: Final = "private, no-cache"


def client_has(request: web.Request, etag: str) -> bool:
    """Whether the client has the response with this *etag*, quoted or not, by the header `If-None-Match`."""
    if "If-None-Match" not in request.headers:  # aiohttp would look for it in a slower way
        return False
    return any(each.value in ("*", etag.strip('"')) for each in request.if_none_match or ())


def revalidated(handler: Handler) -> Handler:
    """Return *handler*, whose responses have a weak ETag, a hash of the body; 304 if the client has that one.

    Streamed responses are left as they are.
    """

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        body = response.body if isinstance(response, web.Response) else None
        if not isinstance(body, bytes) or response.status != HTTPStatus.OK:
            return response
        tag = blake2b(body, digest_size=_TAG_BYTES).hexdigest()
        if client_has(request, tag):
            response = web.Response(status=HTTPStatus.NOT_MODIFIED)
        response.headers["ETag"] = f'W/"{tag}"'
        response.headers["Cache-Control"] = _MAY_BE_STORED
        return response

    return handle
