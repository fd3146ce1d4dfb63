"""Handlers of `images/trash/sources`: deleted sources."""

from datetime import timedelta
from typing import Final, Self
from urllib.parse import quote

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images import source_trash
from imageconverter.images.source_restore import Restored
from imageconverter.images.source_restore import restore as restore_items
from imageconverter.storage.store import StoredObject
from services.gateway import audit, state
from services.gateway.auth.route_permissions import require_types
from services.gateway.http.compression import compressed
from services.gateway.http.responses import (
    Count,
    EmptyResponse,
    NonEmpty,
    ResponseModel,
    Timestamp,
    json_response,
    optional,
)
from services.gateway.images_api.automatic_sources import request_scan
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import flag, page_size
from services.gateway.images_api.request_bodies import SourceRestoreBody
from services.gateway.images_api.sources import memory_of_copy
from services.gateway.images_api.thumbnails import thumbnail_of

_MAX_ITEMS: Final = 1000


class DeletedSource(ResponseModel):
    """A source in the trash."""

    item: NonEmpty
    """Names it in requests. What is before the first slash is the deletion, which all sources of a deleted directory
    have in common."""
    path: NonEmpty
    """Where it was in the source tree."""
    size: Count
    """Bytes."""
    deleted_at: Timestamp
    deleted_after: Timestamp
    """When it is going to be deleted permanently."""
    thumbnail: NonEmpty
    """URL of a thumbnail, on this server."""

    @classmethod
    def of(cls, stored: StoredObject, *, days: float) -> Self:
        """Return the response for an object of a listing, which is kept for *days*."""
        item = stored.key.removeprefix(keys.source_trash())
        return cls(
            item=item,
            path=source_trash.path_of(item),
            size=stored.size,
            deleted_at=stored.modified,
            deleted_after=stored.modified + timedelta(days=days),
            thumbnail=f"/admin/api/v1/images/trash/thumbnails/{quote(item)}",
        )


class SourceTrashPage(ResponseModel):
    """A page of the sources in the trash."""

    items: tuple[DeletedSource, ...]
    cursor: NonEmpty | None = optional()
    """For the next page; the last one has none."""


class RefusedItem(ResponseModel):
    """An item that was not restored."""

    item: NonEmpty
    reason: NonEmpty


class SourceRestore(ResponseModel):
    """The result of restoring items of the trash."""

    restored: Count
    """Number of sources."""
    kept: Count
    """Number of items that were not restored."""
    refused: tuple[RefusedItem, ...]
    """The first hundred of these."""

    @classmethod
    def of(cls, restored: Restored) -> Self:
        """Return the response for *restored*."""
        refused = tuple(RefusedItem(item=each.item, reason=each.reason) for each in restored.refused)
        return cls(restored=restored.files, kept=restored.kept, refused=refused)


@compressed
async def list_trash(request: web.Request) -> web.Response:
    """Return the deleted sources, the last deletion first."""
    after = request.query.get("cursor", "")
    found, cursor = await source_trash.list_items(
        request.app[state.STORE],
        after=source_trash.checked(after, field="cursor") if after else "",
        size=page_size(request),
    )
    days = request.app[state.CONVERSION].source_trash_days
    items = tuple(DeletedSource.of(each, days=days) for each in found)
    return json_response(SourceTrashPage(items=items, cursor=cursor or None))


async def restore(request: web.Request) -> web.Response:
    """Restore items; those whose path is taken stay in the trash."""
    body = await read_json(request, SourceRestoreBody)
    if not 1 <= len(body.items) <= _MAX_ITEMS:
        raise InvalidValue(f"items must have from 1 to {_MAX_ITEMS} entries.", field="items")
    if body.overwrite:
        require_types(request, "images.publish", None)  # the route requires the permission to delete
    items = [source_trash.checked(item, field="items") for item in body.items]
    audit.describe(request, count=len(items))
    async with memory_of_copy(request):
        restored = await restore_items(request.app[state.STORE], items, overwrite=body.overwrite)
    if restored.files:
        await request_scan(request)
    return json_response(SourceRestore.of(restored))


async def thumbnail(request: web.Request) -> web.Response:
    """Return a thumbnail of a deleted source."""
    item = source_trash.checked(request.match_info["item"], field="item")
    return await thumbnail_of(request, keys.trashed_source(item), source_trash.path_of(item))


async def delete(request: web.Request) -> web.Response:
    """Delete an item permanently, or all of a deletion."""
    await source_trash.delete(
        request.app[state.STORE], source_trash.checked(request.match_info["item"], field="item")
    )
    return json_response(EmptyResponse())


async def empty(request: web.Request) -> web.Response:
    """Delete everything in the trash permanently."""
    if not flag(request, "all"):
        raise InvalidValue("all must be true.", field="all")
    await source_trash.empty(request.app[state.STORE])
    return json_response(EmptyResponse())
