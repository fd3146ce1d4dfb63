"""Handlers of `images/catalog/{typeId}`: what the shop references."""

import asyncio
from collections.abc import AsyncIterator

from aiohttp import web

from imageconverter.catalog import CatalogVersion, Notation, current, pending_imports
from imageconverter.errors import InvalidValue, MalformedBody, NotFound, QueueUnavailable, TooLarge
from imageconverter.images.image_formats import ImageType
from imageconverter.reports import commands
from imageconverter.reports.commands import ImportCommand
from services.gateway import audit, state
from services.gateway.http.bodies import announced_size, failed_transfers
from services.gateway.http.responses import json_response
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.image_types import image_type
from services.gateway.images_api.report_responses import CatalogResponse, ImportAccepted

_CHUNK = 256 * 1024
_NOTATIONS: dict[str, Notation] = {"csv": "csv", "ndjson": "ndjson"}


async def replace(request: web.Request) -> web.Response:
    """Replace the catalog; returns it once it is imported, or 202 if that takes longer than `wait_seconds`."""
    kind = image_type(request)
    notation = _notation(request)
    settings = request.app[state.REPORTS]
    in_memory = min(announced_size(request, settings.max_catalog_bytes), pending_imports.PART_BYTES)
    chunks = _chunks(request, limit=settings.max_catalog_bytes, seconds=settings.source_seconds)
    store, seconds = request.app[state.STORE], request.app[state.GATEWAY].wait_seconds
    with request.app[state.CATALOG_MEMORY].body(in_memory) as memory:
        await memory.grow(in_memory)
        pending = await pending_imports.receive(store, kind, chunks, notation)
    try:
        command = ImportCommand.of(pending)
        audit.describe(request, id=pending.id)
        reply = await commands.run_command(request.app[state.QUEUE], commands.IMPORT, command, seconds=seconds)
    except QueueUnavailable:
        await pending_imports.discard(store, pending)  # it must not replace one that is sent later
        raise
    if reply is None:
        return json_response(ImportAccepted(id=pending.id), status=202)
    return await _response(request, kind, CatalogVersion.model_validate(reply))


@revalidated
async def show(request: web.Request) -> web.Response:
    """Return the size of the current catalog, and the outcome of the last import or of that of `?import=`."""
    kind = image_type(request)
    version = await current(request.app[state.STORE], kind)
    pending_id = request.query.get("import")
    if pending_id is not None:
        last = await request.app[state.SCANS].import_result(pending_id)
        return json_response(CatalogResponse.of(version, last))
    return await _response(request, kind, version)


async def _response(request: web.Request, kind: ImageType, version: CatalogVersion | None) -> web.Response:
    last = await request.app[state.SCANS].last_import(kind)
    if version is None and not last.failure:
        raise NotFound("There is no catalog yet.")
    return json_response(CatalogResponse.of(version, last))


def _notation(request: web.Request) -> Notation:
    wanted = request.query.get("as", "csv" if request.content_type == "text/csv" else "ndjson")
    if wanted not in _NOTATIONS:
        raise InvalidValue("as must be csv or ndjson.", field="as")
    return _NOTATIONS[wanted]


async def _chunks(request: web.Request, *, limit: int, seconds: float) -> AsyncIterator[bytes]:
    """Yield the body; raises TooLarge over *limit* bytes, MalformedBody if it takes over *seconds* or stalls."""
    until = asyncio.get_running_loop().time() + seconds
    pause = request.app[state.GATEWAY].body_seconds
    received = 0
    try:
        while True:
            remaining = until - asyncio.get_running_loop().time()
            async with asyncio.timeout(min(pause, remaining)):
                with failed_transfers():
                    chunk = await request.content.read(_CHUNK)
            if not chunk:
                break
            received += len(chunk)
            if received > limit:
                raise TooLarge("The catalog is too large.")
            yield chunk
    except TimeoutError:
        raise MalformedBody("The request body did not arrive in time.") from None
    if not received:
        # An empty body, sent by mistake, must not leave the shop without a catalog.
        raise MalformedBody("The body is empty.")
