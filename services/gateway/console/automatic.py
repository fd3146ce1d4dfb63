"""The page *Automatic conversion*: the scan, its schedule, and images whose source is gone."""

from datetime import datetime
from typing import Any, Final

from aiohttp import web

from imageconverter.automatic import AutomaticFormats
from imageconverter.automatic.pending_sources import PendingState
from imageconverter.automatic.scan_store import MOVED, SOURCES, SUBMITTED, ScanRecord
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of
from services.gateway.console.rendering import render
from services.gateway.console.schedules import shown_schedule
from services.gateway.images_api.parameters import cursor

_ORPHANS_SHOWN: Final = 50


def has_automatic_formats(request: web.Request) -> bool:
    """Whether there is something to show."""
    return bool(AutomaticFormats(request.app[state.FORMATS].subshops.formats))


async def page(request: web.Request) -> web.StreamResponse:
    """Return the state of the scan, a page of the orphaned images, and the schedule."""
    scans, grant = request.app[state.AUTOMATIC_SCANS], grant_of(request)
    start = cursor(request)
    orphans = await scans.list_orphans(size=_ORPHANS_SHOWN, skip=start)
    pending = await request.app[state.PENDING_SOURCES].state()
    formats = AutomaticFormats(request.app[state.FORMATS].subshops.formats)
    return await render(
        request,
        "automatic.html",
        scan=_shown(await scans.record(), pending),
        orphans=orphans.page,
        orphaned=orphans.total,
        cursor=start + _ORPHANS_SHOWN if orphans.next_path else None,
        is_first_page=start == 0,
        names={each.node_id: each.name for each in formats.all},
        follows=any(each.follow != "off" for each in formats.all),
        may_scan=grant is not None and grant.may("images.publish"),
        may={"schedule": grant is not None and grant.may("admin")},
        **await shown_schedule(request, request.app[state.RUN_SCHEDULE]),
    )


def _shown(record: ScanRecord, pending: PendingState) -> dict[str, Any]:
    return {
        "is_running": pending.cursor is not None or pending.is_requested,
        "started": datetime.fromisoformat(record.started) if record.started else None,
        "ended": datetime.fromisoformat(record.ended) if record.ended else None,
        "sources": record.counts.get(SOURCES, 0),
        "submitted": record.counts.get(SUBMITTED, 0),
        "pending": pending.waiting,
        "moved": record.counts.get(MOVED, 0),
        "refusals": record.refusals,
    }
