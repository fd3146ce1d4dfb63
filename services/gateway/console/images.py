"""The page *Images*: the source and target trees, and the trash of sources."""

from typing import Final

from aiohttp import web

from imageconverter.images import source_trash
from services.gateway import state
from services.gateway.auth.route_permissions import granted_types
from services.gateway.console.rendering import render
from services.gateway.images_api.image_types import type_id
from services.gateway.images_api.source_trash import DeletedSource

_TRASH_PAGE: Final = 100


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page; its script lists the directory, because there may be a million names in it."""
    types = granted_types(request, "images.publish")
    formats = [each for each in request.app[state.FORMATS].current.values() if each.type in types]
    return await render(
        request,
        "images.html",
        tree="target" if request.query.get("tree") == "target" else "source",
        formats=[{"id": each.node_id, "name": each.name, "type": type_id(each.type)} for each in formats],
        max_upload_mb=request.app[state.GATEWAY].max_upload_mb,
    )


async def trash(request: web.Request) -> web.StreamResponse:
    """Return a page of the deleted sources."""
    cursor = request.query.get("cursor", "")
    days = request.app[state.CONVERSION].source_trash_days
    found, following = await source_trash.list_items(
        request.app[state.STORE],
        after=source_trash.checked(cursor, field="cursor") if cursor else "",
        size=_TRASH_PAGE,
    )
    return await render(
        request,
        "images-trash.html",
        items=[DeletedSource.of(each, days=days) for each in found],
        days=days,
        cursor=cursor,
        following=following,
    )
