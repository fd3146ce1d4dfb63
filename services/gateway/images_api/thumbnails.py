"""Handler of `images/thumbnails`: small previews of sources."""

from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images.sources import source_path
from imageconverter.jobs import Client
from imageconverter.previews import PreviewFormat, parse
from services.gateway.auth.route_permissions import key_name
from services.gateway.http.connection import has_left
from services.gateway.http.revalidation import client_has
from services.gateway.source_previews import source_preview

_DEFAULT_SIDE: Final = "200"
_SIDES: Final = range(16, 2049)


async def thumbnail(request: web.Request) -> web.Response:
    """Return the configured preview of a source that comes nearest to a longer side of `?size=` pixels."""
    path = source_path(request.match_info["path"])
    return await thumbnail_of(request, keys.source(path), path)


async def thumbnail_of(request: web.Request, key: str, path: str) -> web.Response:
    """Return the thumbnail of the object at *key*, which is or was the source at *path*."""
    requested = _format(request.query.get("size", _DEFAULT_SIDE))
    client = Client(f"key {key_name(request)}", has_left=lambda: has_left(request))
    served = await source_preview(request, key, path, requested, client)
    headers = {"ETag": served.etag, "Cache-Control": "private, no-cache"}
    if client_has(request, served.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=served.data, headers={"Content-Type": served.media_type, **headers})


def _format(side: str) -> PreviewFormat:
    if not (side.isascii() and side.isdigit() and int(side[:9]) in _SIDES):
        raise InvalidValue(f"size must be a number from {_SIDES[0]} to {_SIDES[-1]}.", field="size")
    return parse(f"auto:{side}x{side}")
