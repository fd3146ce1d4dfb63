"""Cross-origin resource sharing (CORS): pages of other origins may call the API with a key, never with cookies."""

from collections.abc import Collection
from typing import Final

from aiohttp import web

# What scripts of such a page may send and read, besides the headers that the Fetch standard always allows.
_REQUEST_HEADERS: Final = (
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-Modified-Since, If-None-Match, If-Range, "
    "If-Unmodified-Since, Range, Repr-Digest, traceparent, X-Authorization, X-Request-ID"
)
_RESPONSE_HEADERS: Final = (
    "Accept-Ranges, Allow, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Repr-Digest, Retry-After, "
    "traceparent, WWW-Authenticate, X-Request-ID"
)
_MAX_AGE_SECONDS: Final = 600


def set_cors_headers(request: web.Request, response: web.StreamResponse, allowed: Collection[str]) -> None:
    """Set the headers of *response* that let pages of *allowed* origins read it; without any origin none.

    Credentials are not allowed, so browsers send no cookies of this origin with such requests.
    """
    if not allowed:
        return
    vary = response.headers.get("Vary")
    response.headers["Vary"] = f"{vary}, Origin" if vary else "Origin"
    origin = request.headers.get("Origin")
    if origin not in allowed:
        return
    response.headers["Access-Control-Allow-Origin"] = str(origin)
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = response.headers.get("Allow", "")
        response.headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
        response.headers["Access-Control-Max-Age"] = str(_MAX_AGE_SECONDS)
    else:
        response.headers["Access-Control-Expose-Headers"] = _RESPONSE_HEADERS
