"""Handler of `images/formats/{formatId}/example`: one source converted to a format, without storing the result."""

from contextlib import suppress
from hashlib import blake2b
from typing import Final

from aiohttp import web

from imageconverter import keys
from imageconverter.engine import ENGINE_VERSION
from imageconverter.errors import NotFound, StoreUnavailable
from imageconverter.images.conversions import client_job, output_specs, run_client_job
from imageconverter.images.directories import is_file
from imageconverter.images.focal_points import find_points
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.sources import source_path
from imageconverter.images.uploads import new_directory
from imageconverter.images.watermarks import watermark_etags
from imageconverter.jobs import Client
from services.gateway import state
from services.gateway.auth.route_permissions import key_name
from services.gateway.http.connection import has_left
from services.gateway.http.revalidation import client_has
from services.gateway.http.stored_images import stored_image
from services.gateway.images_api.subshops import subshop_in_query

_TAG_BYTES: Final = 12


async def example(request: web.Request) -> web.StreamResponse:
    """Return a source converted to a configured format."""
    found = subshop_in_query(request).formats.get(request.match_info["formatId"])
    if found is None:
        raise NotFound("There is no such image format.")
    return await converted(request, found, request.query.get("path", ""))


async def converted(request: web.Request, image_format: ImageFormat, path: str) -> web.StreamResponse:
    """Return the source at *path* converted to *image_format*; it is converted for this response only.

    A client that has the result already gets a 304 without a conversion.
    """
    path = source_path(path)
    stored = await request.app[state.STORE].head(keys.source(path))
    if stored is None or not is_file(stored):
        raise NotFound("There is no such source.")
    watermark = await watermark_etags(request.app[state.STORE], [image_format])
    points = await find_points(request.app[state.STORE], [stored], [image_format])
    target = image_format.as_target().aimed_at(points.get(stored.key))
    parts = [ENGINE_VERSION, stored.key, stored.etag, target.model_dump_json(), *watermark.values()]
    tag = blake2b(" ".join(parts).encode(), digest_size=_TAG_BYTES).hexdigest()
    headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache"}
    if client_has(request, tag):
        return web.Response(status=304, headers=headers)
    client = Client(f"key {key_name(request)}", has_left=lambda: has_left(request))
    (spec,) = output_specs(path, [image_format])
    spec = spec.model_copy(update={"directory": new_directory(), "target": spec.target.without_variants})
    job = client_job(path, (spec,), client, is_example=True)
    (outcome,) = await run_client_job(
        request.app[state.QUEUE],
        job,
        client=client,
        limit=request.app[state.CONVERSION].max_interactive_queue,
        seconds=request.app[state.GATEWAY].wait_seconds,
    )
    headers["Server-Timing"] = f"convert;dur={outcome.seconds * 1000:.1f}"
    key = job.output_key(outcome.path)
    try:
        return await stored_image(request, key, headers)
    finally:
        with suppress(StoreUnavailable):  # it expires like an upload
            await request.app[state.STORE].delete([key])
