"""Handler of `/content/<path>`: the converted images, public and cacheable."""

import unicodedata

from aiohttp import web

from imageconverter import keys
from imageconverter.errors import NotFound, UserError
from imageconverter.images.names import directory_path
from imageconverter.storage.store import ObjectStore
from services.gateway import state
from services.gateway.http.stored_images import stored_image


async def content(request: web.Request) -> web.StreamResponse:
    """Stream a converted image; supports conditional requests and single byte ranges."""
    key = await _key(request.app[state.STORE], request.match_info["path"])
    headers = {
        "Cache-Control": f"public, max-age={request.app[state.GATEWAY].content_max_age}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # shops embed them in pages of another host
    }
    return await stored_image(request, key, headers)


async def _key(store: ObjectStore, path: str) -> str:
    """Return the key of the image at *path*. Other programs may have stored it in Unicode normal form D.

    Raises NotFound if the path is invalid.
    """
    try:
        normal = directory_path(path)
    except UserError:
        raise NotFound("There is no such image.") from None
    if not normal.isascii() and await store.head(keys.target(normal)) is None:
        decomposed = keys.target(unicodedata.normalize("NFD", normal))
        if await store.head(decomposed) is not None:
            return decomposed
    return keys.target(normal)
