"""The clean-up: moving unused files to the trash.

A file is moved if all reports of a grace period list it as unused and it has not changed since. Thus a broken catalog
can be noticed during the grace period, and afterwards its files can be restored from the trash.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict
from pydantic_core import from_json

from imageconverter.catalog import current
from imageconverter.errors import CleanupRefused
from imageconverter.images.image_formats import ImageType
from imageconverter.images.subshops import Subshops
from imageconverter.reports.commands import CleanupCommand
from imageconverter.reports.index import Report, list_reports, rows_of
from imageconverter.reports.results import part_names, read_rows
from imageconverter.reports.trash import TrashBatch, begin_batch, finish_batch, move_to_trash
from imageconverter.storage.store import ObjectStore, StoredObject

_MAX_LISTED: Final = 100
_BATCH: Final = 64  # small, so that little time passes between checking a file and moving it
_MIN_DIFFERENCE: Final = timedelta(seconds=1)  # headers have times in seconds, some listings in milliseconds

Row = dict[str, Any]


KeptReason = Literal["tooNew", "notInAllReports"]
"""Why an unused file stays: it is newer than the oldest of the reports, or not unused in all of them."""


class KeptFiles(BaseModel):
    """The unused files that a clean-up does not move, for one reason."""

    model_config = ConfigDict(frozen=True)

    reason: KeptReason
    files: int
    bytes: int
    first: tuple[str, ...]
    """Paths of the first files."""


class CleanupReport(BaseModel):
    """What a clean-up has moved to the trash, or a dry run would move."""

    model_config = ConfigDict(frozen=True)

    dry: bool
    report: int
    """The newest report."""
    since: int
    """The oldest of the reports that list the files as unused."""
    files: int
    bytes: int
    share: float
    """Share of all files in the newest report."""
    refused: str
    """Why the clean-up would be refused, or was stopped; or ""."""
    trash: str
    """The id of the trash batch, "" if no file was moved."""
    first: tuple[str, ...]
    """Paths of the first files."""
    kept: tuple[KeptFiles, ...] = ()
    """The other unused files of the newest report."""


async def run_cleanup(
    store: ObjectStore,
    kind: ImageType,
    command: CleanupCommand,
    subshops: Subshops,
    *,
    grace: timedelta,
    share: float,
) -> CleanupReport:
    """Move the unused files to the trash, or count them in a dry run; memory use does not grow with their number.

    More than *share* of all files are moved only if the *command* allows it. Running it again after an interruption
    moves the rest. Raises CleanupRefused, StoreUnavailable.
    """
    reports = _qualifying(await list_reports(store, kind), grace, before=await store.cutoff(grace))
    newest = reports[0]
    if not await _is_current(store, kind, newest):
        raise CleanupRefused("The catalog has changed since the last report: make a new report first.")
    digest = subshops.digest()
    if any(report.formats != digest for report in reports):
        raise CleanupRefused("The formats have changed during the grace period: make new reports.")
    movable, kept = _Tally(), {reason: _Tally() for reason in get_args(KeptReason)}
    async for judged in _judged(store, kind, reports):
        for row, reason in judged:
            (kept[reason] if reason else movable).add(row)
    files, size = movable.files, movable.bytes
    total = max(1, newest.summary.files)
    found = CleanupReport(
        dry=command.dry,
        report=newest.id,
        since=reports[-1].id,
        files=files,
        bytes=size,
        share=round(files / total, 4),
        refused="",
        trash="",
        first=tuple(movable.first),
        kept=tuple(
            KeptFiles(reason=reason, files=each.files, bytes=each.bytes, first=tuple(each.first))
            for reason, each in kept.items()
            if each.files
        ),
    )
    allowed = max(share, command.share)
    if files > allowed * total:
        refused = f"{files} of {total} files are more than the allowed {allowed * 100:g} %."
        if not command.dry:
            raise CleanupRefused(refused, field="share")
        return found.model_copy(update={"refused": refused})
    if command.dry or not files:
        return found
    batch = TrashBatch(
        id=command.id, kind=kind, at=await store.now(), report=newest.id, files=files, bytes=size, done=False
    )
    await begin_batch(store, batch)
    stopped = ""
    async for judged in _judged(store, kind, reports):
        # Checked for each batch: a catalog imported meanwhile may use the remaining files.
        if not await _is_current(store, kind, newest):
            stopped = "The catalog has changed since the clean-up began; the remaining files were not moved."
            break
        rows = [row for row, reason in judged if not reason]
        await move_to_trash(store, batch.id, [row["path"] for row in rows], unchanged=partial(_is_unchanged, rows))
    finished = await finish_batch(store, batch.id)
    return found.model_copy(
        update={"trash": batch.id, "files": finished.files, "bytes": finished.bytes, "refused": stopped}
    )


async def _is_current(store: ObjectStore, kind: ImageType, report: Report) -> bool:
    version = await current(store, kind)
    return version is not None and version.version == report.catalog


def _qualifying(reports: Sequence[Report], grace: timedelta, *, before: datetime) -> list[Report]:
    """Return the reports, newest first, that must all list a file as unused; raises CleanupRefused.

    The last one is older than the newest by *grace*, and was made *before*: the clock may have been set in between.
    """
    if not reports:
        raise CleanupRefused("There is no report yet.")
    if reports[0].summary.unused_refused:
        raise CleanupRefused(reports[0].summary.unused_refused)
    qualifying = []
    for report in reports:
        if report.summary.unused_refused:
            continue
        qualifying.append(report)
        if report is not reports[0] and report.at <= min(reports[0].at - grace, before):
            return qualifying
    raise CleanupRefused(f"No report is at least {grace / timedelta(days=1):g} days older than the newest.")


class _Tally:
    """Number, size and first paths of files."""

    def __init__(self) -> None:
        self.files = self.bytes = 0
        self.first: list[str] = []

    def add(self, row: Row) -> None:
        self.files += 1
        self.bytes += row["size"]
        if len(self.first) < _MAX_LISTED:
            self.first.append(row["path"])


async def _judged(
    store: ObjectStore, kind: ImageType, reports: Sequence[Report]
) -> AsyncIterator[list[tuple[Row, KeptReason | None]]]:
    """Yield, in batches, the rows of the newest report, each with the reason for which its file must stay.

    The reason is None if the file is unchanged and unused in all *reports*.
    """
    newest, *others = reports
    positions = [_Position(store, kind, other) for other in others]
    async for rows in read_rows(rows_of(store, kind, newest), "unused", total=newest.total("unused")):
        for start in range(0, len(rows), _BATCH):
            judged: list[tuple[Row, KeptReason | None]] = []
            for row in rows[start : start + _BATCH]:
                seen = [await position.has(row) for position in positions]
                is_new = not seen[-1] and datetime.fromisoformat(row["modified"]) > reports[-1].at
                judged.append((row, None if all(seen) else "tooNew" if is_new else "notInAllReports"))
            yield judged
            await asyncio.sleep(0)  # lets other tasks run: rows in memory are read without waiting


class _Position:
    """A position in the unused files of a report, advanced in step with another report in the same order."""

    def __init__(self, store: ObjectStore, kind: ImageType, report: Report) -> None:
        self._read = rows_of(store, kind, report)
        self._names = part_names("unused", report.total("unused"))
        self._lines: Iterator[bytes] = iter(())  # not parsed, because there may be hundreds of reports
        self._row: Row | None = None

    async def has(self, wanted: Row) -> bool:
        """Return whether the report lists the file of *wanted*, a row after those of all earlier calls."""
        while self._row is None or _sort_key(self._row) < _sort_key(wanted):
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


def _sort_key(row: Row) -> tuple[str, str]:
    """Return the directory and the name, by which the rows of a report are sorted."""
    path, name = row["path"], row["filename"]
    return path[: -len(name) - 1], name


def _is_unchanged(rows: Sequence[Row], number: int, stored: StoredObject) -> bool:
    """Return whether the file of the *number*-th row has not changed since the reports."""
    row = rows[number]
    if stored.size != row["size"]:
        return False
    return abs(stored.modified - datetime.fromisoformat(row["modified"])) < _MIN_DIFFERENCE
