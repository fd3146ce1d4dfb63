"""Handlers for what follows from a report: taking files away, putting them back, converting what is missing."""

from typing import Any

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.reports import commands
from imageconverter.reports.cleaning import CleanUp
from imageconverter.reports.commands import CleanOrder, Order, RepairOrder, RestoreOrder
from imageconverter.reports.trash import all_trash, known_trash
from services.gateway import state
from services.gateway.images_api.report_responses import clean_up_shape, trash_shape
from services.gateway.images_api.schemas import EmptyBody, RestoreBody, read_json
from services.gateway.images_api.urls import image_type

_DRY = {"true": True, "false": False}


async def clean(request: web.Request) -> web.Response:
    """Move what is unused to the trash; without ?dryRun=false tell only what that would be."""
    grant = request.app[state.KEYS].grant(request)
    kind = image_type(request)
    grant.require("images.delete", kind)
    dry = _DRY.get(request.query.get("dryRun", "true"))
    if dry is None:
        raise InvalidValue("dryRun is true or false.", field="dryRun")
    order = CleanOrder(id=commands.new_id(), kind=kind, dry=dry, share=_share(request))
    answer = await _done(request, commands.CLEAN, order)
    if answer is None:
        return web.json_response({"dryRun": dry, "trash": "" if dry else order.id}, status=202)
    return web.json_response(clean_up_shape(CleanUp.model_validate(answer)))


async def trash(request: web.Request) -> web.Response:
    """Answer what clean-ups have taken away and how long it can still be restored."""
    grant = request.app[state.KEYS].grant(request)
    grant.require("images.delete")
    days = request.app[state.REPORTS].trash_days
    found = [each for each in await all_trash(request.app[state.STORE]) if grant.may("images.delete", each.kind)]
    return web.json_response({"items": [trash_shape(each, days=days) for each in found]})


async def restore(request: web.Request) -> web.Response:
    """Put back what a clean-up has taken away."""
    grant = request.app[state.KEYS].grant(request)
    grant.require("images.delete")
    body = await read_json(request, RestoreBody)
    known = await known_trash(request.app[state.STORE], body.trash)
    grant.require("images.delete", known.kind)
    answer = await _done(request, commands.RESTORE, RestoreOrder(id=commands.new_id(), trash=body.trash))
    return web.json_response({} if answer is None else answer, status=202 if answer is None else 200)


async def repair(request: web.Request) -> web.Response:
    """Have the sources of missing images converted again."""
    grant = request.app[state.KEYS].grant(request)
    kind = image_type(request)
    grant.require("images.publish", kind)
    await read_json(request, EmptyBody)
    answer = await _done(request, commands.REPAIR, RepairOrder(id=commands.new_id(), kind=kind))
    return web.json_response({} if answer is None else _repair_shape(answer), status=202 if answer is None else 200)


async def _done(request: web.Request, task: str, order: Order) -> dict[str, Any] | None:
    return await commands.done_at_once(
        request.app[state.QUEUE], task, order, seconds=request.app[state.GATEWAY].wait_seconds
    )


def _repair_shape(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "report": answer["report"],
        "missing": answer["missing"],
        "converting": answer["converting"],
        "withoutSource": answer["without_source"],
        "more": answer["more"],
    }


def _share(request: web.Request) -> float:
    text = request.query.get("share", "0")
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise InvalidValue("share is a number from 0 to 1.", field="share")
    return share
