"""Compression of large responses with gzip.

Only for responses without secrets: with the text of an attacker beside a secret, the size would disclose it (BREACH).
"""

import functools
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

_MIN_BYTES: Final = 4096


def compressed(handler: Handler) -> Handler:
    """Return *handler*, whose responses are compressed if they are large and the client accepts it."""

    @functools.wraps(handler)
    async def handle(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        if isinstance(response, web.Response) and response.content_length and response.content_length >= _MIN_BYTES:
            compress(request, response)
        return response

    return handle


def compress(request: web.Request, response: web.StreamResponse) -> None:
    """Compress *response*, which is not prepared yet, if the client accepts it. A thread does it for large pieces."""
    response.headers["Vary"] = "Accept-Encoding"
    if request.method == "HEAD" and not isinstance(response, web.Response):
        return  # aiohttp would send the end of an empty gzip file
    if accepts_gzip(request.headers.get("Accept-Encoding", "")):
        response.enable_compression(web.ContentCoding.gzip)


def accepts_gzip(header: str) -> bool:
    """Return whether the header Accept-Encoding accepts gzip (RFC 9110, section 12.5.3)."""
    weights: dict[str, float] = {}
    for each in header.lower().split(","):
        coding, _, parameter = each.partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0
        weights[coding.strip()] = weight
    return weights.get("gzip", weights.get("*", 0)) > 0
