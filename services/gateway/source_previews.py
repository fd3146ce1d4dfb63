"""Previews of sources, converted on demand and cached like those of the ImageConverter API."""

import hmac
from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.directories import is_file
from imageconverter.jobs import Client
from imageconverter.previews.memory_cache import RequestedFormat, ServedPreview
from imageconverter.settings import MEGABYTE
from imageconverter.storage.store import StoredObject
from services.gateway import state

_NO_SOURCE: Final = "There is no such source."


async def source_preview(
    request: web.Request, key: str, path: str, requested: RequestedFormat, client: Client
) -> ServedPreview:
    """Return the preview of the object at *key*, which is or was the source at *path*.

    If it is replaced, it gets previews of its own. Raises NotFound, InvalidValue if it is too large, and what
    `PreviewCache.get` raises.
    """
    stored = await request.app[state.SOURCES].find(key)
    if stored is None or not is_file(stored):
        raise NotFound(_NO_SOURCE)
    if stored.size > request.app[state.GATEWAY].max_upload_mb * MEGABYTE:  # stored by another program
        raise InvalidValue("The image is too large for a preview.", field="path")
    previews = request.app[state.PREVIEWS]
    try:
        return await previews.get(_preview_key(request, path, stored), requested, source=stored, client=client)
    except NotFound:  # it was replaced a moment ago, or the worker is of an earlier release
        with request.app[state.KEY_MEMORY].body(stored.size) as memory:
            await memory.grow(stored.size)
            loaded = await request.app[state.STORE].get(stored.key)
            if loaded is None:
                raise NotFound(_NO_SOURCE) from None
            if loaded.stored.etag != stored.etag:
                request.app[state.SOURCES].forget(key)
            name = _preview_key(request, path, loaded.stored, "source")
            return await previews.cache_and_get(name, requested, bytes(loaded.data), client=client)


def _preview_key(request: web.Request, path: str, stored: StoredObject, kind: str = "of-source") -> str:
    """Return a key that only we know: who knows the key of previews can get and replace them.

    Groups of the kind `source`, as those of earlier releases, have a source of their own.
    """
    secret = request.app[state.THUMBNAIL_SECRET]
    return f"{kind}-{hmac.digest(secret, f'{keys.source(path)} {stored.etag}'.encode(), 'sha256').hex()}"
