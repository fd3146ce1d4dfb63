"""Taking unused files away, so carefully that a mistake can be taken back.

A file goes where all reports of a grace period called it unused, and where it is still the one that they saw. Whoever
exports a broken catalog has the grace period to notice, and the trash to restore from after that.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from imageconverter.catalog import current
from imageconverter.errors import CleanupRefused
from imageconverter.images.formats import ImageFormats, ImageType
from imageconverter.reports.commands import CleanupCommand
from imageconverter.reports.index import Report, list_reports, rows_of
from imageconverter.reports.results import part_names, read_rows
from imageconverter.reports.trash import TrashBatch, begin_batch, finish_batch, move_to_trash
from imageconverter.storage.store import ObjectStore, StoredObject

_SHOWN: Final = 100
_AT_ONCE: Final = 64  # so few that no file changes between the look at it and its end without great misfortune
_MIN_DIFFERENCE: Final = timedelta(seconds=1)  # headers tell times in seconds, some listings in milliseconds

Row = dict[str, Any]


class CleanupReport(BaseModel):
    """What a clean-up takes away, or would."""

    model_config = ConfigDict(frozen=True)

    dry: bool
    report: int
    """The newest report."""
    since: int
    """The report since which all have called the files unused."""
    files: int
    bytes: int
    share: float
    """Of all files that the newest report has seen."""
    refused: str
    """Why it would be refused, or has stopped; or ""."""
    trash: str
    """Where the files are now, "" where nothing was done."""
    first: tuple[str, ...]
    """Paths of the first files."""


async def run_cleanup(
    store: ObjectStore,
    kind: ImageType,
    order: CleanupCommand,
    formats: ImageFormats,
    *,
    grace: timedelta,
    share: float,
) -> CleanupReport:
    """Move what is unused to the trash, or tell what that would be; memory does not grow with it.

    *share* of all files is what goes without a word of the *order*. A dry run tells where that is not enough. Done
    again after an end in the middle, it goes on. Raises CleanupRefused, StoreUnavailable.
    """
    reports = _judging(await list_reports(store, kind), grace)
    newest = reports[0]
    if not await _is_current(store, kind, newest):
        raise CleanupRefused("There is another catalog since the last report: have a report made first.")
    digest = formats.digest()
    if any(report.formats != digest for report in reports):
        raise CleanupRefused("The formats have changed since one of the reports that judge: have new reports made.")
    files = size = 0
    first: list[str] = []
    async for rows in _unused(store, kind, reports):
        first += [row["path"] for row in rows[: _SHOWN - len(first)]]
        files += len(rows)
        size += sum(row["size"] for row in rows)
    total = max(1, newest.summary.files)
    found = CleanupReport(
        dry=order.dry,
        report=newest.id,
        since=reports[-1].id,
        files=files,
        bytes=size,
        share=round(files / total, 4),
        refused="",
        trash="",
        first=tuple(first),
    )
    allowed = max(share, order.share)
    if files > allowed * total:
        reason = f"{files} of {total} files are more than the {allowed * 100:g} % that go without an explicit word."
        if not order.dry:
            raise CleanupRefused(reason, field="share")
        return found.model_copy(update={"refused": reason})
    if order.dry or not files:
        return found
    trash = TrashBatch(
        id=order.id, kind=kind, at=datetime.now(UTC), report=newest.id, files=files, bytes=size, done=False
    )
    await begin_batch(store, trash)
    stopped = ""
    async for rows in _unused(store, kind, reports):
        # Each time: a catalog that comes meanwhile may name the next ones.
        if not await _is_current(store, kind, newest):
            stopped = "There is another catalog since the clean-up began; the rest has stayed."
            break
        await move_to_trash(store, trash.id, [row["path"] for row in rows], unchanged=partial(_is_unchanged, rows))
    closed = await finish_batch(store, trash.id)
    return found.model_copy(
        update={"trash": trash.id, "files": closed.files, "bytes": closed.bytes, "refused": stopped}
    )


async def _is_current(store: ObjectStore, kind: ImageType, report: Report) -> bool:
    version = await current(store, kind)
    return version is not None and version.version == report.catalog


def _judging(reports: Sequence[Report], grace: timedelta) -> list[Report]:
    """Return the reports, the newest first, in all of which a file has to be unused; raises CleanupRefused."""
    if not reports:
        raise CleanupRefused("There is no report yet.")
    if reports[0].summary.unused_refused:
        raise CleanupRefused(reports[0].summary.unused_refused)
    judging = []
    for report in reports:
        if report.summary.unused_refused:
            continue
        judging.append(report)
        if report is not reports[0] and report.at <= reports[0].at - grace:
            return judging
    raise CleanupRefused(f"No other report is older than the newest by {grace / timedelta(days=1):g} days.")


async def _unused(store: ObjectStore, kind: ImageType, reports: Sequence[Report]) -> AsyncIterator[list[Row]]:
    """Yield the rows of the newest report for files that were the same and unused in all *reports*, some at once."""
    newest, *others = reports
    positions = [_Position(store, kind, other) for other in others]
    async for rows in read_rows(rows_of(store, kind, newest), "unused", total=newest.total("unused")):
        for start in range(0, len(rows), _AT_ONCE):
            found = []
            for row in rows[start : start + _AT_ONCE]:
                seen = [await position.has(row) for position in positions]
                if all(seen):
                    found.append(row)
            if found:
                yield found
            await asyncio.sleep(0)  # or many rows that are in memory would keep everything else waiting


class _Position:
    """Goes through the unused files of a report beside those of another; both have them in the same order."""

    def __init__(self, store: ObjectStore, kind: ImageType, report: Report) -> None:
        self._read = rows_of(store, kind, report)
        self._names = part_names("unused", report.total("unused"))
        self._lines: Iterator[bytes] = iter(())  # as text, for there may be hundreds of reports
        self._row: Row | None = None

    async def has(self, wanted: Row) -> bool:
        """Whether the report has the file of the row *wanted*, which comes after all that were asked for before."""
        while self._row is None or _place(self._row) < _place(wanted):
            self._row = await self._next()
            if self._row is None:
                return False
        return (self._row["path"], self._row["modified"]) == (wanted["path"], wanted["modified"])

    async def _next(self) -> Row | None:
        while (line := next(self._lines, None)) is None:
            name = next(self._names, None)
            if name is None:
                return None
            self._lines = io.BytesIO(await self._read(name) or b"")
        row: Row = from_json(line)
        return row


def _place(row: Row) -> tuple[str, str]:
    """Return what the rows of a report are ordered by: directory and name."""
    path, name = row["path"], row["filename"]
    return path[: -len(name) - 1], name


def _is_unchanged(rows: Sequence[Row], number: int, stored: StoredObject) -> bool:
    """Whether the file of the *number*-th row is the one that the reports saw."""
    row = rows[number]
    if stored.size != row["size"]:
        return False
    return abs(stored.modified - datetime.fromisoformat(row["modified"])) < _MIN_DIFFERENCE
