"""Handler of `/content/<path>`: the converted images, public and cacheable."""

import unicodedata
from collections.abc import Collection, Mapping
from functools import partial
from typing import Final, Literal

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
from services.gateway.http.requested_host import requested_host
from services.gateway.http.stored_images import stored_image

_NO_IMAGE: Final = "There is no such image."


async def content(request: web.Request) -> web.StreamResponse:
    """Stream a converted image, or a variant that the client prefers; supports conditions and single byte ranges."""
    return await image_at(request, request.match_info["path"])


async def image_at(request: web.Request, path: str) -> web.StreamResponse:
    """Do so for the image at *path* of the target tree, or of the subshop's part of it. Raises NotFound."""
    tree_path, scope = _tree_path(request, path)
    key = await _key(request.app[state.STORE], tree_path)
    headers = {
        "Cache-Control": f"{scope}, max-age={request.app[state.GATEWAY].content_max_age}",
        "Cross-Origin-Resource-Policy": "cross-origin",  # shops embed them in pages of another host
    }
    subshops = request.app[state.FORMATS].subshops
    if variants := subshops.variants_at(key.removeprefix(keys.TARGET)):
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


def _tree_path(request: web.Request, path: str) -> tuple[str, Literal["public", "private"]]:
    """Return the path in the target tree of what the requested host has at *path*, and the caches that may keep it.

    Images of a subshop with a prefix and a host of its own are public at that host only. Those who may read images
    see them at other hosts too, as in the console. Raises NotFound.
    """
    try:
        normal = directory_path(path)
    except UserError:
        raise NotFound(_NO_IMAGE) from None
    subshops = request.app[state.FORMATS].subshops
    host = request.host
    if not subshops.has_host(host):  # or a proxy that passes X-Forwarded-Host on would let clients choose the subshop
        host = requested_host(request, request.app[state.GATEWAY].trusted_proxies)
    requested = subshops.at_host(host)
    if requested.target_prefix:
        return f"{requested.target_prefix}/{normal}", "public"
    owner = subshops.at_path(normal)
    if not owner.is_separate:
        return normal, "public"
    if not request.app[state.KEYS].may(request, "images.read", owner.id):
        raise NotFound(_NO_IMAGE)
    return normal, "private"


async def _key(store: ObjectStore, normal: str) -> str:
    """Return the key of the image at *normal*. Other programs may have stored it in Unicode normal form D."""
    if not normal.isascii() and await store.head(keys.target(normal)) is None:
        decomposed = keys.target(unicodedata.normalize("NFD", normal))
        if await store.head(decomposed) is not None:
            return decomposed
    return keys.target(normal)
