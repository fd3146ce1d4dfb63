"""Handlers of cleanup, trash, restore and repair."""

from typing import Any

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.reports import commands
from imageconverter.reports.cleanup import CleanupReport
from imageconverter.reports.commands import CleanupCommand, Command, RepairCommand, RestoreCommand
from imageconverter.reports.trash import get_batch, list_batches
from services.gateway import audit, state
from services.gateway.auth.route_permissions import granted_types, require_types
from services.gateway.http.responses import Items, json_response
from services.gateway.images_api.cleanup_responses import (
    CleanupAccepted,
    CleanupResponse,
    RepairResponse,
    RestoreResponse,
    TrashResponse,
)
from services.gateway.images_api.image_types import image_type
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import flag
from services.gateway.images_api.request_bodies import EmptyBody, RestoreBody


async def clean(request: web.Request) -> web.Response:
    """Move unused files to the trash; without `?dryRun=false`, only return which."""
    kind = image_type(request)
    dry = flag(request, "dryRun", default=True)
    command = CleanupCommand(id=commands.new_id(), kind=kind, dry=dry, share=_share(request))
    audit.describe(request, trash=command.id)
    if dry:
        audit.only_read(request)
    reply = await _run(request, commands.CLEAN, command)
    if reply is None:
        return json_response(CleanupAccepted(dry_run=dry, trash="" if dry else command.id), status=202)
    return json_response(CleanupResponse.of(CleanupReport.model_validate(reply)))


async def trash(request: web.Request) -> web.Response:
    """Return the contents of the trash and when they are deleted, for the types that the key may delete."""
    types = granted_types(request, "images.delete")
    days = request.app[state.REPORTS].trash_days
    found = [each for each in await list_batches(request.app[state.STORE]) if each.kind in types]
    return json_response(Items(items=tuple(TrashResponse.of(each, days=days) for each in found)))


async def restore(request: web.Request) -> web.Response:
    """Restore the files of a cleanup."""
    body = await read_json(request, RestoreBody)
    audit.describe(request, trash=body.trash)
    batch = await get_batch(request.app[state.STORE], body.trash)
    require_types(request, "images.delete", [batch.kind])
    reply = await _run(request, commands.RESTORE, RestoreCommand(id=commands.new_id(), trash=body.trash))
    if reply is None:
        return web.json_response({}, status=202)
    return json_response(RestoreResponse.model_validate(reply))


async def repair(request: web.Request) -> web.Response:
    """Convert the sources of missing images again."""
    kind = image_type(request)
    await read_json(request, EmptyBody)
    reply = await _run(request, commands.REPAIR, RepairCommand(id=commands.new_id(), kind=kind))
    if reply is None:
        return web.json_response({}, status=202)
    return json_response(RepairResponse.model_validate(reply))


async def _run(request: web.Request, task: str, command: Command) -> dict[str, Any] | None:
    return await commands.run_command(
        request.app[state.QUEUE], task, command, seconds=request.app[state.GATEWAY].wait_seconds
    )


def _share(request: web.Request) -> float:
    text = request.query.get("share", "0")
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise InvalidValue("share must be a number from 0 to 1.", field="share")
    return share
