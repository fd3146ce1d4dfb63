"""The page *Previews*: the keys and contexts of the ImageConverter API, and what is stored of them."""

from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlencode

from aiohttp import web

from imageconverter.errors import QueueUnavailable
from imageconverter.previews.exact_format import is_exact
from imageconverter.previews.listing import ListedGroup
from services.gateway import state
from services.gateway.console.rendering import render
from services.gateway.images_api.stored_previews import groups

_PAGE_SIZE: Final = 50
_MAX_CONTEXTS: Final = 24
_BASE: Final = "/imageconverter/getImage"


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page, or the list of keys alone."""
    query = request.query
    search, context = query.get("search", "").strip(), query.get("context", "")
    found = await groups(request, size=_PAGE_SIZE)
    values: dict[str, Any] = {
        "groups": found.items,
        "search": search,
        "context": context,
        "next_page": _link(search, context, found.cursor) if found.cursor else "",
        "is_first": query.get("cursor", "0") == "0",
        "image_url": _image_url,
        "is_public": lambda format_: not is_exact(format_),  # others are served by signed URLs only
        "created": lambda group: datetime.fromtimestamp(group.created, UTC),
    }
    if request.headers.get("HX-Target") != "results":
        values |= await _summary(request)
    return await render(request, "previews.html", **values)


async def _summary(request: web.Request) -> dict[str, Any]:
    contexts = await request.app[state.PREVIEW_LISTING].contexts()
    return {
        "totals": await request.app[state.PREVIEWS].totals(),
        "limits": request.app[state.PREVIEW_SETTINGS],
        "contexts": contexts[:_MAX_CONTEXTS],
        "context_count": len(contexts),
        **await _hits(request),
    }


async def _hits(request: web.Request) -> dict[str, Any]:
    """Return how many previews were served in the last hour by all gateways, and how many of them from the cache."""
    try:
        minutes = await request.app[state.SYSTEM].history()
    except QueueUnavailable:
        minutes = []
    cached, converted = (
        sum(minute.counts.get(name, 0) for minute in minutes) for name in ("previews.cached", "previews.converted")
    )
    return {"served": cached + converted, "hit_ratio": cached / (cached + converted) if cached + converted else None}


def _link(search: str, context: str, cursor: int) -> str:
    parameters = {"search": search, "context": context, "cursor": str(cursor)}
    return "/console/previews?" + urlencode({name: value for name, value in parameters.items() if value})


def _image_url(listed: ListedGroup, documented: str) -> str:
    """Return the address of a preview."""
    return f"{_BASE}/{quote(listed.group.key, safe='')}/{quote(documented, safe=':@~')}"
