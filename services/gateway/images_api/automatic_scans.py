"""Handlers of `images/convert/scan` and `images/convert/orphans`: what the scans for automatic runs find."""

from datetime import datetime
from typing import Self

from aiohttp import web

from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.pending_sources import PendingState
from imageconverter.automatic.scan_store import MOVED, SOURCES, SUBMITTED, ScanRecord
from imageconverter.errors import InvalidValue
from services.gateway import audit, state
from services.gateway.auth.route_permissions import require_types
from services.gateway.http.compression import compressed
from services.gateway.http.responses import (
    Count,
    EmptyResponse,
    NonEmpty,
    ResponseModel,
    Timestamp,
    json_response,
    optional,
)
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import page_size
from services.gateway.images_api.request_bodies import ScanBody


class NotMovedResponse(ResponseModel):
    """Why no orphaned output of a format was moved to the trash."""

    format_id: NonEmpty
    reason: NonEmpty


class AutomaticScanResponse(ResponseModel):
    """What the running scan for automatic runs has found so far, or the last one."""

    running: bool
    requested: bool
    """Whether a scan is to begin."""
    started_at: Timestamp | None
    """Null before the first scan."""
    ended_at: Timestamp | None
    """Null before the end of the first scan, and while one is running."""
    sources: Count
    """Sources that were listed; below two automatic directories, one within the other, they count once."""
    submitted: Count
    """Sources with an output that was missing or not up to date, which were submitted for a run."""
    pending: Count
    """Sources that wait for a run now, also those that the API has stored."""
    orphaned: Count
    """Outputs whose source is gone, of formats with `follow`, without those in the trash."""
    moved: Count
    """Such outputs that the last scan has moved to the trash."""
    trash: tuple[NonEmpty, ...]
    """Where they can be restored from, by type of the formats."""
    not_moved: tuple[NotMovedResponse, ...]
    """Formats whose orphaned outputs it has not moved, because there are too many."""

    @classmethod
    def of(cls, record: ScanRecord, pending: PendingState, orphaned: int) -> Self:
        """Return *record* as a response."""
        return cls(
            running=pending.cursor is not None,
            requested=pending.is_requested,
            started_at=datetime.fromisoformat(record.started) if record.started else None,
            ended_at=datetime.fromisoformat(record.ended) if record.ended else None,
            sources=record.counts.get(SOURCES, 0),
            submitted=record.counts.get(SUBMITTED, 0),
            pending=pending.waiting,
            orphaned=orphaned,
            moved=record.counts.get(MOVED, 0),
            trash=record.trash,
            not_moved=tuple(NotMovedResponse(format_id=each.format, reason=each.reason) for each in record.refusals),
        )


class OrphanResponse(ResponseModel):
    """An output whose source is gone."""

    path: NonEmpty
    """In the target tree."""
    source: NonEmpty
    """The path that its source had."""
    format_id: NonEmpty
    bytes: Count
    since: Timestamp
    """The start of the scan that has found it first."""

    @classmethod
    def of(cls, orphan: Orphan) -> Self:
        """Return *orphan* as a response."""
        return cls(
            path=orphan.path,
            source=orphan.source,
            format_id=orphan.format,
            bytes=orphan.bytes,
            since=datetime.fromisoformat(orphan.since),
        )


class OrphanPage(ResponseModel):
    """Orphaned outputs, by their paths."""

    items: tuple[OrphanResponse, ...]
    total: Count
    cursor: NonEmpty | None = optional()
    """Where the next page starts; omitted if this is the last one."""


@revalidated
async def show_scan(request: web.Request) -> web.Response:
    """Return the state of the running scan, or of the last one."""
    scans = request.app[state.AUTOMATIC_SCANS]
    pending = await request.app[state.PENDING_SOURCES].state()
    return json_response(AutomaticScanResponse.of(await scans.record(), pending, await scans.orphan_count()))


async def start_scan(request: web.Request) -> web.Response:
    """Request a scan, or join the one that is requested already."""
    body = await read_json(request, ScanBody)
    if not 0 <= body.share <= 1:
        raise InvalidValue("share must be a number from 0 to 1.", field="share")
    if body.share:
        require_types(request, "images.delete", None)
    audit.describe(request, share=body.share)
    await request.app[state.AUTOMATIC_SCANS].request(share=body.share)
    return json_response(EmptyResponse())


@compressed
@revalidated
async def list_orphans(request: web.Request) -> web.Response:
    """Return a page of the orphaned outputs."""
    size, after = page_size(request), request.query.get("cursor", "")
    listed = await request.app[state.AUTOMATIC_SCANS].list_orphans(size=size, after=after)
    page = tuple(OrphanResponse.of(each) for each in listed.page)
    return json_response(OrphanPage(items=page, total=listed.total, cursor=listed.next_path or None))
