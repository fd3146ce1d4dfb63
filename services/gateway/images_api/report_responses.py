"""Response models of catalogs and reports."""

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import Field

from imageconverter.catalog import CatalogVersion
from imageconverter.reports import Report, Summary
from imageconverter.reports.progress import LastImport, ScanState
from services.gateway.http.responses import (
    Count,
    InvalidLine,
    NonEmpty,
    Positive,
    ResponseModel,
    Timestamp,
    optional,
)
from services.gateway.images_api.image_types import TYPE_IDS, type_id

Row = dict[str, Any]
"""A row of a report, as it is stored."""


class LastImportResponse(ResponseModel):
    """The outcome of the last import of a catalog."""

    id: str
    """The id of the 202 response; empty if the catalog was read from a source."""
    failure: str
    """Why the import failed; empty if it succeeded."""
    lines: Annotated[tuple[InvalidLine, ...], Field(max_length=100)] | None = optional()
    """The invalid lines, the first ones if there are many; for a day."""


class CatalogResponse(ResponseModel):
    """The current catalog of a type, and its last import."""

    version: str = ""
    """Changes with the catalog; empty before the first one."""
    created_at: Timestamp | None = None
    entries: Count = 0
    images: Count = 0
    """Names in active entries."""
    bytes: Count = 0
    """Size in the object store, compressed, in bytes."""
    last_import: LastImportResponse

    @classmethod
    def of(cls, version: CatalogVersion | None, last: LastImport) -> Self:
        """Return *version* as a response; None if there is no catalog yet."""
        last_import = LastImportResponse(
            id=last.pending_id, failure=last.failure, lines=tuple(map(InvalidLine.of, last.lines)) or None
        )
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

    id: NonEmpty


class Totals(ResponseModel):
    """The totals of a report."""

    entries: Count
    """Entries of the catalog."""
    images: Count
    """Names in active entries."""
    files: Count
    """Files in the directories of the formats."""
    bytes: Count
    """Size of these files in bytes."""
    passed_over: Count
    """Ignored objects, which no conversion creates."""
    missing: Count
    missing_but_near: Count
    unused: Count
    unused_bytes: Count
    """Size of the unused files in bytes."""

    @classmethod
    def of(cls, summary: Summary) -> Self:
        """Return the totals of *summary* as a response."""
        return cls(
            entries=summary.catalog.entries,
            images=summary.catalog.images,
            files=summary.files,
            bytes=summary.file_bytes,
            passed_over=summary.ignored,
            missing=summary.missing,
            missing_but_near=summary.missing_but_near,
            unused=summary.unused,
            unused_bytes=summary.unused_bytes,
        )


class FormatTotals(ResponseModel):
    """The totals of one format."""

    missing: Count
    unused: Count
    unused_bytes: Count


class DirectoryTotals(ResponseModel):
    """The totals of one directory of the target tree."""

    files: Count
    bytes: Count
    """Size of the files in bytes."""
    missing: Count
    unused: Count
    unused_bytes: Count
    subshops: tuple[NonEmpty, ...] | None = optional()
    """Ids of the subshops that have images there; omitted if there is one subshop."""


class MissingImage(ResponseModel):
    """An image that the catalog references and the target tree does not have."""

    filename: NonEmpty
    """The name in the catalog."""
    format: str
    """Id of the format."""
    path: str
    """The expected path in the target tree."""
    near: str
    """A file that differs only in case or extension, or empty."""
    products: Annotated[tuple[str, ...], Field(max_length=100)]
    """Ids of entries that reference it."""
    product_count: Positive
    """Number of entries that reference it."""


class UnusedImage(ResponseModel):
    """A file that no active entry references."""

    filename: NonEmpty
    format: str
    """Id of the format; empty if several formats use its directory."""
    path: str
    """Path in the target tree."""
    size: Count
    """Bytes."""
    modified: Annotated[str, Field(json_schema_extra={"format": "date-time"})]


class SimilarImage(ResponseModel):
    """A source that looks like the others of its group."""

    group: Positive
    """The number of the group."""
    path: NonEmpty
    """In the source tree."""
    distance: Count
    """Bits of its perceptual hash that differ from those of the first source of the group, which has 0."""
    width: Positive
    """Pixels, after its orientation."""
    height: Positive


class SimilarTotals(ResponseModel):
    """How many sources look alike."""

    compared: Count
    """Sources whose facts are known, and that have enough contrast."""
    groups: Count
    images: Count
    """Sources in the groups."""


class ReportPage(ResponseModel):
    """A page of a report, or that there is no report yet."""

    created_at: Timestamp | None = None
    id: Count = 0
    """Increases from 1."""
    missing_images: tuple[MissingImage, ...] = ()
    unused_images: tuple[UnusedImage, ...] = ()
    totals: Totals | None = optional()
    formats: dict[str, FormatTotals] | None = optional()
    """By the id of the format; empty for files that several formats may have created."""
    directories: dict[str, DirectoryTotals] | None = optional()
    """By path; empty in reports of earlier releases."""
    unused_refused: str | None = optional()
    """Why no file is reported as unused; empty if files are."""
    shared_directories: tuple[str, ...] | None = optional()
    """Directories whose files are not reported as unused, because formats of another type use them too."""
    similar_images: tuple[SimilarImage, ...] | None = optional()
    """Group by group; with `only=similar` only."""
    similar: SimilarTotals | None = optional()
    """Likewise."""
    cursor: str | None = optional()
    """Omitted on the last page."""

    @classmethod
    def of(
        cls,
        report: Report,
        missing: Iterable[Row],
        unused: Iterable[Row],
        cursor: str | None,
        similar: Iterable[Row] | None = None,
    ) -> Self:
        """Return the page of *report* with these rows."""
        summary = report.summary
        return cls(
            created_at=report.at,
            id=report.id,
            missing_images=tuple(map(MissingImage.model_validate, missing)),
            unused_images=tuple(map(UnusedImage.model_validate, unused)),
            totals=Totals.of(summary),
            formats={
                node_id: FormatTotals(missing=each.missing, unused=each.unused, unused_bytes=each.unused_bytes)
                for node_id, each in summary.formats.items()
            },
            directories={
                path: DirectoryTotals.model_validate({**each.model_dump(), "subshops": each.subshops or None})
                for path, each in summary.directories.items()
            },
            unused_refused=summary.unused_refused,
            shared_directories=summary.shared_directories,
            similar_images=None if similar is None else tuple(map(SimilarImage.model_validate, similar)),
            similar=None if similar is None else SimilarTotals(**summary.similar.model_dump()),
            cursor=cursor,
        )


class PastReport(ResponseModel):
    """A report that is kept, without its rows."""

    id: Positive
    created_at: Timestamp
    totals: Totals
    unused_refused: str
    """Why no file is reported as unused; empty if files are."""

    @classmethod
    def of(cls, report: Report) -> Self:
        """Return *report* as a response."""
        summary = report.summary
        return cls(
            id=report.id,
            created_at=report.at,
            totals=Totals.of(summary),
            unused_refused=summary.unused_refused,
        )


class ScanResponse(ResponseModel):
    """The progress of the running scan, or the outcome of the last one."""

    running: bool
    """Whether a scan is running or waiting for a reporter."""
    type: Annotated[str, Field(json_schema_extra={"enum": ["", *TYPE_IDS]})]
    """The type being scanned."""
    files: Count
    """Files of this type listed so far."""
    start: Count
    """Unix seconds; 0 before the first scan."""
    end: Count
    """Unix seconds; 0 while it is active."""
    failure: str
    """Why there is no report of a type, or empty."""

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
