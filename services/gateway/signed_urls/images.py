"""Handler of `/content/_/{signature}/{options}/{path}`: images in sizes that are made on request."""

import time
from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.engine.target import Point
from imageconverter.errors import SignatureRefused
from imageconverter.images.sources import source_path
from imageconverter.jobs import Client
from imageconverter.previews import ExactFormat
from imageconverter.previews.memory_cache import ServedPreview
from services.gateway import content, state
from services.gateway.http.connection import has_left
from services.gateway.http.negotiation import preferred
from services.gateway.http.revalidation import client_has
from services.gateway.signed_urls.options import SignedOptions
from services.gateway.source_previews import source_preview

_SIZES: Final = {"avif": 1, "webp": 2}  # which of two equally accepted types is taken: none is made to compare them


async def signed_image(request: web.Request) -> web.StreamResponse:
    """Return the image; nothing is looked up unless the signature is right, and the URL has not expired."""
    signature, text = request.match_info["signature"], "{options}/{path}".format_map(request.match_info)
    signing_keys = request.app[state.SIGNING_KEYS]
    if not signing_keys.are_enabled:  # then it may be an image of a directory that an earlier release has made
        return await content.image_at(request, f"_/{signature}/{text}")
    signing_keys.verify(signature, f"/{text}")
    options = request.app[state.SIGNED_OPTIONS].parse(text, request.app[state.FORMATS].current)
    seconds = _seconds_left(options, request.app[state.GATEWAY].content_max_age)
    served = await _preview(request, options)
    headers = {
        "ETag": served.etag,
        "Cache-Control": f"public, max-age={seconds}",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if options.variants:
        headers["Vary"] = "Accept"
    if client_has(request, served.etag):
        return web.Response(status=304, headers=headers)
    return web.Response(body=served.data, headers={"Content-Type": served.media_type, **headers})


def _seconds_left(options: SignedOptions, max_age: int) -> int:
    """Return for how many seconds the response may be cached; raises SignatureRefused if the URL has expired."""
    if options.expires is None:
        return max_age
    left = options.expires - int(time.time())
    if left <= 0:
        raise SignatureRefused("The URL has expired.")
    return min(left, max_age)


async def _preview(request: web.Request, options: SignedOptions) -> ServedPreview:
    path = source_path(options.path)
    target = options.target
    accept = ",".join(request.headers.getall("Accept", ()))
    if found := preferred(accept, options.output, {each: _SIZES[each] for each in options.variants}):
        target = target.model_copy(update={"output": found})
    client = Client("signed URLs", has_left=lambda: has_left(request))
    with request.app[state.PREVIEW_SLOTS].taken():
        if target.uses_focal_point:
            target = target.aimed_at(await _focal_point(request, path))
        mark = await request.app[state.SOURCES].find(keys.source(target.watermark)) if target.watermark else None
        requested = ExactFormat(target, mark.etag if mark else "")
        return await source_preview(request, keys.source(path), path, requested, client)


async def _focal_point(request: web.Request, path: str) -> Point | None:
    points = await request.app[state.FOCAL_POINTS].of_source(path)
    stored = await request.app[state.SOURCES].find(keys.source(path)) if points else None
    return points.get(stored.etag) if stored else None
