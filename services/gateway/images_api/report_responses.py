"""The JSON shapes of catalogs, reports and clean-ups. What the API's own documents name comes first in each."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from imageconverter.catalog import CatalogVersion
from imageconverter.images.formats import ImageType
from imageconverter.reports import Report, Table
from imageconverter.reports.cleanup import CleanupReport
from imageconverter.reports.progress import LastImport, ScanState
from imageconverter.reports.trash import TrashBatch
from services.gateway.images_api.types import TYPE_IDS

_TYPE_ID: Final[dict[str, str]] = {kind: type_id for type_id, kind in TYPE_IDS.items()}

CSV_COLUMNS: Final = (
    "kind", "filename", "format", "path", "near", "products", "productCount", "size", "modified",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def format_timestamp(at: datetime) -> str:
    """Return a time as the API writes it: UTC with milliseconds."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def catalog_json(version: CatalogVersion | None, last: LastImport) -> dict[str, Any]:
    """Return what is told of a catalog; *version* is None before the first."""
    return {
        "version": version.version if version else "",
        "createdAt": format_timestamp(version.at) if version else None,
        "entries": version.entries if version else 0,
        "images": version.images if version else 0,
        "bytes": version.bytes if version else 0,
        "lastImport": {"id": last.pending_id, "failure": last.failure},
    }


NO_REPORT: Final[dict[str, Any]] = {"createdAt": None, "id": 0, "missingImages": [], "unusedImages": []}


def report_json(
    report: Report, missing: list[dict[str, Any]], unused: list[dict[str, Any]], cursor: str
) -> dict[str, Any]:
    """Return a page of a report; *cursor* is "" for the last one."""
    summary = report.summary
    shape = {
        "createdAt": format_timestamp(report.at),
        "id": report.id,
        "missingImages": missing,
        "unusedImages": unused,
        "totals": {
            "entries": summary.catalog.entries,
            "images": summary.catalog.images,
            "files": summary.files,
            "bytes": summary.file_bytes,
            "passedOver": summary.ignored,
            "missing": summary.missing,
            "missingButNear": summary.missing_but_near,
            "unused": summary.unused,
            "unusedBytes": summary.unused_bytes,
        },
        "formats": {
            node_id: {"missing": found.missing, "unused": found.unused, "unusedBytes": found.unused_bytes}
            for node_id, found in summary.formats.items()
        },
        "unusedRefused": summary.unused_refused,
        "sharedDirectories": list(summary.shared_directories),
    }
    return {**shape, "cursor": cursor} if cursor else shape


def scan_json(state: ScanState) -> dict[str, Any]:
    """Return how far a scan is."""
    return {
        "running": state.running,
        "type": _TYPE_ID.get(state.kind, ""),
        "files": state.files,
        "start": state.started,
        "end": 0 if state.running else state.ended,
        "failure": state.failure,
    }


def cleanup_json(done: CleanupReport) -> dict[str, Any]:
    """Return what a clean-up took away, or would."""
    return {
        "dryRun": done.dry,
        "report": done.report,
        "since": done.since,
        "files": done.files,
        "bytes": done.bytes,
        "share": done.share,
        "refused": done.refused,
        "trash": done.trash,
        "first": list(done.first),
    }


def trash_json(trash: TrashBatch, *, days: float) -> dict[str, Any]:
    """Return what is known of a clean-up's files, which are deleted for good after *days*."""
    return {
        "trash": trash.id,
        "type": _TYPE_ID[trash.kind],
        "createdAt": format_timestamp(trash.at),
        "deletedAfter": format_timestamp(trash.at + timedelta(days=days)),
        "report": trash.report,
        "files": trash.files,
        "bytes": trash.bytes,
    }


def csv_lines(table: Table, rows: Iterable[dict[str, Any]]) -> str:
    """Return rows as CSV with `CSV_COLUMNS`; a cell that a spreadsheet would calculate gets a ' in front."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    for row in rows:
        cells = {**row, "kind": table, "products": "|".join(row.get("products", ()))}
        writer.writerow([escape_csv_formula(cells.get(column, "")) for column in CSV_COLUMNS])
    return text.getvalue()


def escape_csv_formula(cell: object) -> object:
    """Return *cell*, with an apostrophe in front if a spreadsheet would evaluate it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def type_id(kind: ImageType) -> str:
    """Return how the API calls a type in its paths."""
    return _TYPE_ID[kind]
