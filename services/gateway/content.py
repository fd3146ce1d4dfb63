"""Handler of `/content/<path>`: the converted images, public and cacheable."""

import unicodedata
from collections.abc import Collection, Mapping
from functools import partial

from aiohttp import web

from imageconverter import keys
from imageconverter.engine.source_types import KEPT_AS
from imageconverter.engine.target import VariantType
from imageconverter.errors import NotFound, UserError
from imageconverter.images.names import directory_path, suffix
from imageconverter.images.variants import belongs_to, variant_keys, variant_sizes
from imageconverter.storage.store import ObjectStore
from services.gateway import state
from services.gateway.http.negotiation import names_any, preferred
from services.gateway.http.stored_images import stored_image


async def content(request: web.Request) -> web.StreamResponse:
    """Stream a converted image, or a variant that the client prefers; supports conditions and single byte ranges."""
    return await image_at(request, request.match_info["path"])


async def image_at(request: web.Request, path: str) -> web.StreamResponse:
    """Do so for the image at *path* of the target tree. Raises NotFound."""
    key = await _key(request.app[state.STORE], path)
    headers = {
        "Cache-Control": f"public, max-age={request.app[state.GATEWAY].content_max_age}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # shops embed them in pages of another host
    }
    formats = request.app[state.FORMATS].current
    if variants := formats.variants_at(key.removeprefix(keys.TARGET)):
        headers["Vary"] = "Accept"
        if response := await _variant(request, key, headers, variants):
            return response
    return await stored_image(request, key, headers)


async def _variant(
    request: web.Request, key: str, headers: Mapping[str, str], variants: Collection[VariantType]
) -> web.StreamResponse | None:
    """Stream that of the *variants* of the image at *key* which the client prefers; None if it prefers the image."""
    accept, known = ",".join(request.headers.getall("Accept", ())), request.app[state.OUTPUTS]
    if not names_any(accept, variants):
        return None
    output = await known.find(key)
    if output is None:
        return None
    sizes = {each: size for each, size in variant_sizes(output.metadata).items() if size and each in variants}
    found = preferred(accept, KEPT_AS.get(suffix(key), "png"), sizes)
    if found is None:
        return None
    try:
        return await stored_image(
            request, variant_keys(output)[found], headers, is_right=partial(belongs_to, output=output)
        )
    except NotFound:  # the image was deleted, or is being replaced
        known.forget(key)
        return None


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
