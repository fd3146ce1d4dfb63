"""Requests that pages of other origins send with a browser that has credentials for this gateway (CSRF)."""

from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from imageconverter.errors import Unauthorized

_SAME_ORIGIN: Final = ("same-origin", "none")  # "none": typed in, or from a bookmark


def require_same_site(request: web.Request) -> None:
    """Raise Unauthorized if a page of another origin sends *request*.

    By `Sec-Fetch-Site`, which every current browser sends and no page can change, and else by `Origin`. Programs send
    neither. The API has no 403, so these requests get 401.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site is not None:
        is_foreign = site not in _SAME_ORIGIN
    else:
        is_foreign = origin is not None and urlsplit(origin).netloc.lower() != request.host.lower()
    if is_foreign:
        raise Unauthorized("Requests from pages of other sites are not allowed.")
