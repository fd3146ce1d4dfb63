"""Handler of `images/thumbnails`: small previews of sources, converted on demand and cached."""

import hmac
from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.directories import is_file
from imageconverter.images.sources import source_path
from imageconverter.jobs import Client
from imageconverter.previews import PreviewFormat, parse
from imageconverter.previews.memory_cache import ServedPreview
from imageconverter.settings import MEGABYTE
from imageconverter.storage.store import StoredObject
from services.gateway import state
from services.gateway.auth.route_permissions import key_name
from services.gateway.http.connection import has_left

_DEFAULT_SIDE: Final = "200"
_SIDES: Final = range(16, 2049)
_NO_SOURCE: Final = "There is no such source."


async def thumbnail(request: web.Request) -> web.Response:
    """Return the configured preview of a source that comes nearest to a longer side of `?size=` pixels."""
    path = source_path(request.match_info["path"])
    return await thumbnail_of(request, keys.source(path), path)


async def thumbnail_of(request: web.Request, key: str, path: str) -> web.Response:
    """Return the thumbnail of the object at *key*, which is or was the source at *path*."""
    requested = _format(request.query.get("size", _DEFAULT_SIDE))
    stored = await request.app[state.STORE].head(key)
    if stored is None or not is_file(stored):
        raise NotFound(_NO_SOURCE)
    if stored.size > request.app[state.GATEWAY].max_upload_mb * MEGABYTE:  # stored by another program
        raise InvalidValue("The image is too large for a thumbnail.", field="path")
    served = await _preview(request, stored, path, requested)
    headers = {"ETag": served.etag, "Cache-Control": "private, no-cache"}
    tags = request.if_none_match if "If-None-Match" in request.headers else None
    if tags and any(tag.value == served.etag.strip('"') for tag in tags):
        return web.Response(status=304, headers=headers)
    return web.Response(body=served.data, headers={"Content-Type": served.media_type, **headers})


async def _preview(request: web.Request, stored: StoredObject, path: str, requested: PreviewFormat) -> ServedPreview:
    # The previews of the ImageConverter API are public to who knows their keys, who can also replace them.
    secret = request.app[state.THUMBNAIL_SECRET]
    key = f"source-{hmac.digest(secret, f'{keys.source(path)} {stored.etag}'.encode(), 'sha256').hex()}"
    previews = request.app[state.PREVIEWS]
    client = Client(f"key {key_name(request)}", has_left=lambda: has_left(request))
    try:
        return await previews.get(key, requested, client=client)
    except NotFound:
        with request.app[state.KEY_MEMORY].body(stored.size) as memory:
            await memory.grow(stored.size)
            loaded = await request.app[state.STORE].get(stored.key)
            if loaded is None:
                raise NotFound(_NO_SOURCE) from None
            return await previews.cache_and_get(key, requested, bytes(loaded.data), client=client)


def _format(side: str) -> PreviewFormat:
    if not (side.isascii() and side.isdigit() and int(side[:9]) in _SIDES):
        raise InvalidValue(f"size must be a number from {_SIDES[0]} to {_SIDES[-1]}.", field="size")
    return parse(f"auto:{side}x{side}")
