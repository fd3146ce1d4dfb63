"""The page *Reports*: what is missing and unused, how that has changed, trash, catalog and schedule."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from aiohttp import web

from imageconverter.catalog import current
from imageconverter.errors import Unauthorized
from imageconverter.images.image_formats import ImageType
from imageconverter.reports import Report, list_reports
from imageconverter.reports.trash import TrashBatch, list_batches
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of, granted_types, readable_types
from services.gateway.console.rendering import render
from services.gateway.console.reports_reasons import translated
from services.gateway.console.reports_rows import row_page
from services.gateway.console.reports_trend import trend
from services.gateway.console.schedules import shown_schedule
from services.gateway.images_api.image_types import AREAS, TYPE_IDS, type_id

_TEMPLATE: Final = "reports.html"
_MAX_REPORTS: Final = 30


async def page(request: web.Request) -> web.StreamResponse:
    """Return the page on one type, or its part that shows the progress of the scan."""
    kinds = readable_types(request)
    scan = await request.app[state.SCANS].state()
    progress: dict[str, Any] = {
        "scan": scan,
        "scanned": type_id(scan.kind),
        "has_reporter": not scan.running or bool(await request.app[state.QUEUE].live_processes("reporter")),
    }
    if request.headers.get("HX-Target") == "progress":
        response = await render(request, _TEMPLATE, **progress)
        if not scan.running:
            response.headers["HX-Refresh"] = "true"
        return response
    kind = TYPE_IDS.get(request.query.get("type", ""), kinds[0])
    if kind not in kinds:
        raise Unauthorized(f"The key does not have the permission {AREAS[kind]}.read.")
    store, language = request.app[state.STORE], request.app[state.TEMPLATES].languages.of(request)
    reports = (await list_reports(store, kind))[:_MAX_REPORTS]
    may = _permissions(request, kind)
    return await render(
        request,
        _TEMPLATE,
        types=[type_id(each) for each in kinds],
        type=type_id(kind),
        may=may,
        reason=partial(translated, language),
        report=reports[0] if reports else None,
        reports=reports,
        trend=trend(reports),
        directories=_directories(request, kind, reports),
        page=await row_page(request, kind, reports) if reports else None,
        catalog=await current(store, kind),
        last_import=await request.app[state.SCANS].last_import(kind),
        max_catalog_bytes=request.app[state.REPORTS].max_catalog_bytes,
        batches=await _trash(request, kind) if may["clean"] else [],
        **progress,
        **(await shown_schedule(request, request.app[state.REPORT_SCHEDULE]) if may["see_schedule"] else {}),
    )


def _permissions(request: web.Request, kind: ImageType) -> dict[str, bool]:
    """Return what the key may do on the page."""
    grant = grant_of(request)
    may_create = grant is not None and grant.may("products.create")
    return {
        "start": may_create,
        "upload": may_create,
        "schedule": may_create,
        "see_schedule": grant is not None and grant.may("products.read"),
        "clean": kind in granted_types(request, "images.delete"),
        "repair": kind in granted_types(request, "images.publish"),
    }


def _directories(request: web.Request, kind: ImageType, reports: Sequence[Report]) -> list[dict[str, Any]]:
    """Return the totals of the directories of the newest report, each with the names of its formats."""
    names: dict[str, list[str]] = {}
    for each in request.app[state.FORMATS].subshops.formats:
        if each.type == kind:
            names.setdefault(each.target_directory, []).append(each.name)
    found = reports[0].summary.directories if reports else {}
    subshops = request.app[state.FORMATS].subshops
    return [
        {
            "path": path,
            "formats": names.get(path, []),
            "subshops": [subshops[each].name if each in subshops else each for each in totals.subshops],
            "totals": totals,
        }
        for path, totals in found.items()
    ]


async def _trash(request: web.Request, kind: ImageType) -> list[dict[str, Any]]:
    """Return what can be restored, the newest first, each with the time at which it is deleted."""
    days = timedelta(days=request.app[state.REPORTS].trash_days)
    batches: list[TrashBatch] = await list_batches(request.app[state.STORE])
    return [{"batch": each, "deleted_after": each.at + days} for each in batches if each.kind == kind]
