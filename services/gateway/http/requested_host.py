"""The host that a client has asked for."""

from aiohttp import web


def requested_host(request: web.Request, proxies: int) -> str:
    """Return the host, perhaps with a port, as the client of *request* knows it, with *proxies* trusted proxies.

    Clients write the entries of X-Forwarded-Host left of those of the proxies. Without proxies, it is ignored. A
    proxy may pass on what a client has sent, so the result may be anything.
    """
    entries = ",".join(request.headers.getall("X-Forwarded-Host", ())).split(",")
    forwarded = entries[-min(proxies, len(entries))].strip() if proxies > 0 else ""
    return forwarded or request.host
