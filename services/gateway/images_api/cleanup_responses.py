"""Response models of cleanup, trash, restore and repair."""

from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field

from imageconverter.reports.cleanup import CleanupReport, KeptReason
from imageconverter.reports.trash import TrashBatch
from services.gateway.http.responses import Count, NonEmpty, Positive, ResponseModel, Timestamp, optional
from services.gateway.images_api.image_types import TypeId, type_id


class KeptFilesResponse(ResponseModel):
    """The unused files that a cleanup does not move, for one reason."""

    reason: KeptReason
    """`tooNew`: they are newer than the oldest of the reports. `notInAllReports`: not all of the reports list them as
    unused."""
    files: Count
    bytes: Count
    first: Annotated[tuple[str, ...], Field(max_length=100)]
    """Paths of the first files."""


class CleanupResponse(ResponseModel):
    """What a cleanup has moved to the trash, or a dry run would move."""

    dry_run: bool
    report: Positive
    """The newest report."""
    since: Positive
    """The oldest report that lists the files as unused."""
    files: Count
    bytes: Count
    share: Annotated[float, Field(ge=0, le=1)]
    """Share of all files of the report."""
    refused: str
    """Why the cleanup would be refused, or was stopped; or empty."""
    trash: str
    """The id for restoring the files; empty if none was moved."""
    first: Annotated[tuple[str, ...], Field(max_length=100)]
    """Paths of the first files."""
    kept: tuple[KeptFilesResponse, ...]
    """The other unused files of the newest report, by the reason for which they are not moved."""

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
            kept=tuple(KeptFilesResponse.model_validate(each.model_dump()) for each in report.kept),
        )


class CleanupAccepted(ResponseModel):
    """A cleanup that has not ended yet."""

    dry_run: bool
    trash: str


class TrashResponse(ResponseModel):
    """The files of one cleanup that are in the trash, or those whose sources a scan has not found any more."""

    trash: NonEmpty
    type: TypeId
    created_at: Timestamp
    deleted_after: Timestamp
    report: Positive | None = optional()
    """The newest report that lists them as unused; omitted if their sources are gone."""
    files: Count
    """Number of files that were moved."""
    bytes: Count

    @classmethod
    def of(cls, batch: TrashBatch, *, days: float) -> Self:
        """Return *batch* as a response; its files are deleted after *days*."""
        return cls(
            trash=batch.id,
            type=type_id(batch.kind),
            created_at=batch.at,
            deleted_after=batch.at + timedelta(days=days),
            report=batch.report or None,
            files=batch.files,
            bytes=batch.bytes,
        )


class RestoreResponse(ResponseModel):
    """What was restored from the trash, and what was kept there."""

    files: Count
    """Restored files."""
    kept: Count
    """Files that remain in the trash."""


class RepairResponse(ResponseModel):
    """What a repair converts."""

    report: Positive
    missing: Count
    """Missing images, each in one format or several."""
    converting: Count
    """Sources that are being converted."""
    without_source: Count
    """Images without a source."""
    more: bool
    """Whether there are more than one request converts."""
