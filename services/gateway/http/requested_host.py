"""The host that a client has asked for."""

from aiohttp import web


def requested_host(request: web.Request, proxies: int) -> str:
    """Return the host, perhaps with a port, as the client of *request* knows it, with *proxies* trusted proxies.

    It is what the client or a proxy says, so it may be anything. Without proxies, X-Forwarded-Host is ignored.
    """
    forwarded = request.headers.get("X-Forwarded-Host", "").partition(",")[0].strip()
    return forwarded if forwarded and proxies > 0 else request.host
