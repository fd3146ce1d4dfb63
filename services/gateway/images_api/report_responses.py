"""Response models of catalogs, reports and cleanups."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import PlainSerializer

from imageconverter.catalog import CatalogVersion
from imageconverter.reports import Report
from imageconverter.reports.cleanup import CleanupReport
from imageconverter.reports.progress import LastImport, ScanState
from imageconverter.reports.trash import TrashBatch
from services.gateway.http.responses import ResponseModel, optional
from services.gateway.images_api.image_types import type_id

Row = dict[str, Any]
"""A row of a report, as it is stored."""


def format_timestamp(at: datetime) -> str:
    """Return *at* as the API writes it: UTC with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


Timestamp = Annotated[datetime, PlainSerializer(format_timestamp)]


class LastImportResponse(ResponseModel):
    """The outcome of the last import of a catalog."""

    id: str
    failure: str


class CatalogResponse(ResponseModel):
    """The current catalog of a type, and its last import."""

    version: str = ""
    created_at: Timestamp | None = None
    entries: int = 0
    images: int = 0
    bytes: int = 0
    last_import: LastImportResponse

    @classmethod
    def of(cls, version: CatalogVersion | None, last: LastImport) -> Self:
        """Return *version* as a response; None if there is no catalog yet."""
        last_import = LastImportResponse(id=last.pending_id, failure=last.failure)
        if version is None:
            return cls(last_import=last_import)
        return cls(
            version=version.version,
            created_at=version.at,
            entries=version.entries,
            images=version.images,
            bytes=version.bytes,
            last_import=last_import,
        )


class ImportAccepted(ResponseModel):
    """An upload of a catalog whose import has not ended yet."""

    id: str


class Totals(ResponseModel):
    """The totals of a report."""

    entries: int
    images: int
    files: int
    bytes: int
    passed_over: int
    missing: int
    missing_but_near: int
    unused: int
    unused_bytes: int


class FormatTotals(ResponseModel):
    """The totals of one format."""

    missing: int
    unused: int
    unused_bytes: int


class ReportPage(ResponseModel):
    """A page of a report, or by default that there is no report yet. The last page has no cursor."""

    created_at: Timestamp | None = None
    id: int = 0
    missing_images: tuple[Row, ...] = ()
    unused_images: tuple[Row, ...] = ()
    totals: Totals | None = optional()
    formats: dict[str, FormatTotals] | None = optional()
    unused_refused: str | None = optional()
    shared_directories: tuple[str, ...] | None = optional()
    cursor: str | None = optional()

    @classmethod
    def of(cls, report: Report, missing: Iterable[Row], unused: Iterable[Row], cursor: str | None) -> Self:
        """Return the page of *report* with these rows."""
        summary = report.summary
        return cls(
            created_at=report.at,
            id=report.id,
            missing_images=tuple(missing),
            unused_images=tuple(unused),
            totals=Totals(
                entries=summary.catalog.entries,
                images=summary.catalog.images,
                files=summary.files,
                bytes=summary.file_bytes,
                passed_over=summary.ignored,
                missing=summary.missing,
                missing_but_near=summary.missing_but_near,
                unused=summary.unused,
                unused_bytes=summary.unused_bytes,
            ),
            formats={
                node_id: FormatTotals(missing=each.missing, unused=each.unused, unused_bytes=each.unused_bytes)
                for node_id, each in summary.formats.items()
            },
            unused_refused=summary.unused_refused,
            shared_directories=summary.shared_directories,
            cursor=cursor,
        )


class ScanResponse(ResponseModel):
    """The progress of the running scan, or the outcome of the last one."""

    running: bool
    type: str
    files: int
    start: int
    end: int
    failure: str

    @classmethod
    def of(cls, state: ScanState) -> Self:
        """Return *state* as a response."""
        return cls(
            running=state.running,
            type=type_id(state.kind),
            files=state.files,
            start=state.started,
            end=0 if state.running else state.ended,
            failure=state.failure,
        )


class CleanupResponse(ResponseModel):
    """What a cleanup has moved to the trash, or a dry run would move."""

    dry_run: bool
    report: int
    since: int
    files: int
    bytes: int
    share: float
    refused: str
    trash: str
    first: tuple[str, ...]

    @classmethod
    def of(cls, report: CleanupReport) -> Self:
        """Return *report* as a response."""
        return cls(
            dry_run=report.dry,
            report=report.report,
            since=report.since,
            files=report.files,
            bytes=report.bytes,
            share=report.share,
            refused=report.refused,
            trash=report.trash,
            first=report.first,
        )


class CleanupAccepted(ResponseModel):
    """A cleanup that has not ended yet."""

    dry_run: bool
    trash: str


class TrashResponse(ResponseModel):
    """The files of one cleanup that are in the trash."""

    trash: str
    type: str
    created_at: Timestamp
    deleted_after: Timestamp
    report: int
    files: int
    bytes: int

    @classmethod
    def of(cls, batch: TrashBatch, *, days: float) -> Self:
        """Return *batch* as a response; its files are deleted after *days*."""
        return cls(
            trash=batch.id,
            type=type_id(batch.kind),
            created_at=batch.at,
            deleted_after=batch.at + timedelta(days=days),
            report=batch.report,
            files=batch.files,
            bytes=batch.bytes,
        )


class RestoreResponse(ResponseModel):
    """What was restored from the trash, and what was kept there."""

    files: int
    kept: int


class RepairResponse(ResponseModel):
    """What a repair converts."""

    report: int
    missing: int
    converting: int
    without_source: int
    more: bool
