"""Handlers that carry out a request once for each key (draft-ietf-httpapi-idempotency-key-header).

The key belongs to the API key or user that sends it. Only successful responses are stored: a request that failed is
carried out again, and continues with the same ids, so that it creates nothing twice.
"""

import functools
import hashlib
import re
from contextlib import suppress
from typing import Final

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from imageconverter.errors import IdempotencyKeyReused, MalformedRequest, QueueUnavailable, UserError
from imageconverter.settings import MEGABYTE
from services.gateway import audit, state
from services.gateway.auth.route_permissions import actor, changes_no_subshop, granted_types
from services.gateway.http.bodies import BODY_HASH, BodyStream, announced_size
from services.gateway.idempotency.fingerprint import body_hash, fingerprint
from services.gateway.idempotency.store import Claim, Outcome, StoredResponse

_log = structlog.get_logger(__name__)

HEADER: Final = "Idempotency-Key"
MAX_BODY_BYTES: Final = 64 * 1024
"""Responses that are larger are not stored."""
_TOKEN: Final = web.RequestKey("idempotency_token", str)
_KEY: Final = re.compile(r'"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255})')
_FORM_UPLOADS: Final = 16
_COMPARE_SECONDS: Final = 3600.0
_MEMORY_BYTES: Final = MEGABYTE


def once(handler: Handler) -> Handler:
    """Return *handler*, whose requests with an idempotency key are carried out once.

    Raises MalformedRequest for an invalid key, IdempotencyKeyReused if another request had it, RequestInProgress, and
    QueueUnavailable.
    """

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        if HEADER not in request.headers:
            return await handler(request)
        request[BODY_HASH] = body_hash(request)
        responses = request.app[state.RESPONSES]
        claimed = await responses.claim(_name(request))
        if isinstance(claimed, StoredResponse):
            return await _stored(request, claimed)
        request[_TOKEN] = claimed.token
        outcome: Outcome = "keep"
        stored = None
        try:
            async with responses.renewed(claimed):
                response = await handler(request)
            stored = _storable(request, response)
            outcome = "store" if stored is not None else "keep"
        except UserError:
            outcome = "forget"
            raise
        finally:
            await _finish(request, claimed, outcome, stored)
        return response

    return handle


def token(request: web.Request) -> str:
    """Return twelve hexadecimal digits that are the same each time *request* is carried out; "" without a key."""
    found: str = request.get(_TOKEN, "")
    return found


def _name(request: web.Request) -> str:
    found = _KEY.fullmatch(request.headers[HEADER])
    if found is None:
        raise MalformedRequest(f"{HEADER} must have 1 to 255 printable ASCII characters.", field=HEADER)
    return hashlib.sha256(f"{actor(request)}\0{found[1] or found[2]}".encode()).hexdigest()


async def _finish(request: web.Request, claim: Claim, outcome: Outcome, stored: StoredResponse | None) -> None:
    with suppress(QueueUnavailable):  # what was done is done; the claim expires
        await request.app[state.RESPONSES].finish(claim, outcome, stored)


async def _stored(request: web.Request, stored: StoredResponse) -> web.Response:
    """Return the response that is *stored*; raises IdempotencyKeyReused if it is that of another request."""
    granted_types(request, "images.publish")  # it has been checked when the request was carried out
    changes_no_subshop(request)
    app = request.app
    limit = app[state.GATEWAY].max_upload_mb * MEGABYTE * _FORM_UPLOADS
    with app[state.KEY_MEMORY].body(min(announced_size(request, limit), _MEMORY_BYTES)) as memory:
        stream = BodyStream(request, memory, limit=limit, seconds=_COMPARE_SECONDS)
        async for _ in stream:
            stream.release()
    if fingerprint(request, request[BODY_HASH]) != stored.fingerprint:
        raise IdempotencyKeyReused(f"The {HEADER} was used for another request.", field=HEADER)
    audit.only_read(request)
    headers = {"Content-Type": stored.content_type, "Idempotency-Replayed": "true"}
    return web.Response(body=stored.body, status=stored.status, headers=headers)


def _storable(request: web.Request, response: web.StreamResponse) -> StoredResponse | None:
    if not isinstance(response, web.Response) or not isinstance(response.body, bytes):
        return None
    if len(response.body) > MAX_BODY_BYTES:
        _log.warning("response too large to be stored", bytes=len(response.body))
        return None
    content_type = response.headers["Content-Type"]
    return StoredResponse(fingerprint(request, request[BODY_HASH]), response.status, content_type, response.body)
