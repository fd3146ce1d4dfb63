"""The preview of a clean-up: what it would move to the trash, and why other unused files stay."""

from functools import partial

from aiohttp import web

from imageconverter.errors import CleanupRefused, InvalidValue
from imageconverter.reports import commands, list_reports
from imageconverter.reports.cleanup import CleanupReport
from imageconverter.reports.commands import CleanupCommand
from services.gateway import state
from services.gateway.auth.route_permissions import require_types
from services.gateway.console.rendering import render
from services.gateway.console.reports_reasons import translated
from services.gateway.images_api.image_types import TYPE_IDS, type_id


async def page(request: web.Request) -> web.StreamResponse:
    """Return the preview for the type in the query."""
    kind = TYPE_IDS.get(request.query.get("type", "products"))
    if kind is None:
        raise InvalidValue("The type must be categories, products or appImages.", field="typeId")
    require_types(request, "images.delete", [kind])
    command = CleanupCommand(id=commands.new_id(), kind=kind, dry=True, share=0)
    seconds = request.app[state.GATEWAY].wait_seconds
    planned, refused = None, ""
    try:
        reply = await commands.run_command(request.app[state.QUEUE], commands.CLEAN, command, seconds=seconds)
        planned = None if reply is None else CleanupReport.model_validate(reply)
    except CleanupRefused as error:
        refused = error.reason
    times = {each.id: each.at for each in await list_reports(request.app[state.STORE], kind)}
    language = request.app[state.TEMPLATES].languages.of(request)
    return await render(
        request,
        "reports-cleanup.html",
        type=type_id(kind),
        planned=planned,
        refused=refused,
        since=times.get(planned.since) if planned else None,
        reason=partial(translated, language),
    )
