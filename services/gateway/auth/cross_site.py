"""Requests that pages of other origins send with a browser that has credentials for this gateway (CSRF)."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from imageconverter.errors import Unauthorized

_SAME_ORIGIN: Final = ("same-origin", "none")  # "none": typed in, or from a bookmark


def require_same_site(request: web.Request) -> None:
    """Raise Unauthorized if a page of another origin sends *request*; the API has no 403."""
    if not is_same_site(request):
        raise Unauthorized("Requests from pages of other sites are not allowed.")


def is_same_site(request: web.Request) -> bool:
    """Return whether no page of another origin sends *request*.

    By `Sec-Fetch-Site`, which every current browser sends and no page can change, and else by `Origin`. Programs send
    neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        return site in _SAME_ORIGIN
    return origin is None or urlsplit(origin).netloc.lower() == request.host.lower()
