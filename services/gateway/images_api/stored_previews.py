"""Handlers of `images/previews`: the previews of the ImageConverter API, for their administrator."""

from datetime import UTC, datetime
from typing import Final, Self

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField, NotFound
from imageconverter.previews.index import Group, Preview
from imageconverter.previews.listing import Context, GroupPage, ListedGroup
from services.gateway import audit, state
from services.gateway.http.compression import compressed
from services.gateway.http.responses import (
    Count,
    EmptyResponse,
    Items,
    NonEmpty,
    Positive,
    ResponseModel,
    Timestamp,
    json_response,
    optional,
)
from services.gateway.images_api.parameters import flag, page_size

_CURSOR_DIGITS: Final = 20


class StoredPreview(ResponseModel):
    """A preview."""

    format: NonEmpty
    """As the ImageConverter API writes it."""
    type: NonEmpty
    width: Count
    height: Count
    size: Count
    """Bytes."""

    @classmethod
    def of(cls, name: str, preview: Preview) -> Self:
        """Return *preview*, of the format *name*, as a response."""
        return cls(
            format=name, type=preview.media_type, width=preview.width, height=preview.height, size=preview.size
        )


class PreviewGroup(ResponseModel):
    """The source and the previews of one key."""

    key: NonEmpty
    contexts: tuple[str, ...]
    size: Count
    """Bytes of the source and the previews."""
    created: Timestamp
    idle_seconds: Count
    """Since the last access."""
    previews: tuple[StoredPreview, ...]

    @classmethod
    def of(cls, listed: ListedGroup) -> Self:
        """Return *listed* as a response."""
        group: Group = listed.group
        return cls(
            key=group.key,
            contexts=tuple(sorted(group.contexts)),
            size=group.bytes,
            created=datetime.fromtimestamp(group.created, UTC),
            idle_seconds=int(listed.idle),
            previews=tuple(StoredPreview.of(name, each) for name, each in sorted(group.previews.items())),
        )


class PreviewTotals(ResponseModel):
    """All previews."""

    keys: Count
    size: Count
    """Bytes of all sources and previews."""


class PreviewPage(ResponseModel):
    """A page of keys."""

    items: tuple[PreviewGroup, ...]
    cursor: Positive | None = optional()
    """For the next page; the last one has none."""
    totals: PreviewTotals


class PreviewContext(ResponseModel):
    """A context."""

    context: NonEmpty
    keys: Positive
    """How many keys have it."""

    @classmethod
    def of(cls, context: Context) -> Self:
        """Return *context* as a response."""
        return cls(context=context.name, keys=context.keys)


class ClearedPreviews(ResponseModel):
    """What was removed."""

    keys: Count


@compressed
async def list_keys(request: web.Request) -> web.Response:
    """Return a page of keys with their previews."""
    page, totals = await groups(request, size=page_size(request)), await request.app[state.PREVIEWS].totals()
    return json_response(
        PreviewPage(
            items=tuple(map(PreviewGroup.of, page.items)),
            cursor=page.cursor or None,
            totals=PreviewTotals(keys=totals.keys, size=totals.bytes),
        )
    )


async def groups(request: web.Request, *, size: int) -> GroupPage:
    """Return the page of keys that the query of *request* names; raises InvalidValue."""
    listing, query = request.app[state.PREVIEW_LISTING], request.query
    cursor = query.get("cursor", "0")
    if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= _CURSOR_DIGITS and int(cursor) < 2**64):
        raise InvalidValue("cursor must be that of a page.", field="cursor")
    text, context = query.get("search", ""), query.get("context", "")
    if text or context:
        return await listing.search(text, context=context, start=int(cursor), size=size)
    return await listing.recent(start=min(int(cursor), 2**62), size=size)


@compressed
async def list_contexts(request: web.Request) -> web.Response:
    """Return the contexts."""
    found = await request.app[state.PREVIEW_LISTING].contexts()
    return json_response(Items(items=tuple(map(PreviewContext.of, found))))


async def clear(request: web.Request) -> web.Response:
    """Remove all keys, or those of a context."""
    context, everything = request.query.get("context", ""), flag(request, "all")
    if not context and not everything:
        raise MissingField("context was not passed, nor all=true.", field="context")
    removed = await request.app[state.PREVIEWS].clear(context=context)
    audit.describe(request, keys=removed)
    return json_response(ClearedPreviews(keys=removed))


async def clear_key(request: web.Request) -> web.Response:
    """Remove one key."""
    if not await request.app[state.PREVIEWS].clear_key(request.match_info["imageKey"]):
        raise NotFound("There is no image of that key.")
    return json_response(EmptyResponse())
