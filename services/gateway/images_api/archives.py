"""Handler of `images/archive`: converted images in one file."""

from contextlib import aclosing
from datetime import UTC, datetime
from typing import Final

from aiohttp import web

from imageconverter.errors import InvalidValue, MissingField, TooManyRequests, UnknownField
from imageconverter.images.archive import zip_archive
from imageconverter.images.names import directory_path
from imageconverter.quoting import quoted
from imageconverter.settings import MEGABYTE
from services.gateway import state
from services.gateway.auth.route_permissions import require_subshop
from services.gateway.http import forms
from services.gateway.http.bodies import BodyStream, announced_size, read_body
from services.gateway.http.streaming import stream_bytes
from services.gateway.images_api.json_bodies import parse
from services.gateway.images_api.request_bodies import MAX_ARCHIVE_IMAGES, ArchiveBody

_MAX_BYTES: Final = 8 * MEGABYTE
MAX_AT_ONCE: Final = 16
"""Archives: each can be fifty thousand requests to the store."""


async def download(request: web.Request) -> web.StreamResponse:
    """Stream a zip archive of converted images, as far as the key may see those of their subshops."""
    subshops = request.app[state.FORMATS].subshops
    paths = [directory_path(path, field="paths") for path in await _requested(request)]
    if not paths:
        raise MissingField("paths was not passed.", field="paths")
    if len(paths) > MAX_ARCHIVE_IMAGES:
        raise InvalidValue(f"paths must have from 1 to {MAX_ARCHIVE_IMAGES} entries.", field="paths")
    for subshop_id in {owner.id for path in paths if (owner := subshops.at_path(path)).is_separate}:
        require_subshop(request, subshop_id)
    if request.app[state.ARCHIVES].locked():
        raise TooManyRequests("Too many archives are being made; try again in a moment.")
    headers = {
        "Content-Type": "application/zip",
        "Content-Disposition": f'attachment; filename="images-{datetime.now(UTC):%Y-%m-%d}.zip"',
        "Cache-Control": "no-store",
    }
    async with request.app[state.ARCHIVES], aclosing(zip_archive(request.app[state.STORE], paths)) as pieces:
        return await stream_bytes(request, pieces, headers)


async def _requested(request: web.Request) -> list[str]:
    """Return the paths in the body: of JSON, or of a form, in which a line is a path."""
    with request.app[state.KEY_MEMORY].body(announced_size(request, _MAX_BYTES)) as memory:
        seconds = request.app[state.GATEWAY].body_seconds
        if not forms.is_form(request):
            text = await read_body(request, memory, limit=_MAX_BYTES, seconds=seconds)
            return parse(ArchiveBody, text).paths
        paths: list[str] = []
        async for part in forms.parts(request, BodyStream(request, memory, limit=_MAX_BYTES, seconds=seconds)):
            if part.name != "paths":
                raise UnknownField(f"The form has an unknown field {quoted(part.name)}; the only one is paths.")
            paths += (await part.text(max_bytes=_MAX_BYTES)).splitlines()
        return [path for path in paths if path]
