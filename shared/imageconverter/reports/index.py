"""The reports that are kept: one small record of them all, and for each a folder of rows that never change."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.images.formats import ImageType
from imageconverter.reports.results import Table, part_names
from imageconverter.reports.summary import Summary
from imageconverter.storage.store import ObjectStore
from imageconverter.storage.sweep import delete_below

_UPLOADS_AT_ONCE: Final = 4
_KEPT: Final = timedelta(days=1)  # a report that is being written is younger


class Report(BaseModel):
    """A finished report but for its rows."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    id: int
    """Counts up from 1."""
    at: AwareDatetime
    folder: str
    catalog: str = Field(validation_alias=AliasChoices("catalog", "catalogue"), serialization_alias="catalogue")
    """Version of the catalog that the files were compared with."""
    formats: str
    """Digest of all formats as they were then."""
    summary: Summary

    def total(self, table: Table) -> int:
        """Return how many rows *table* has."""
        return self.summary.missing if table == "missing" else self.summary.unused


class _ReportIndex(BaseModel):
    reports: list[Report] = []


async def list_reports(store: ObjectStore, kind: ImageType) -> list[Report]:
    """Return the reports that are kept, the newest first; raises StoreUnavailable, also where they cannot be read."""
    loaded = await store.get(keys.report_index(kind))
    if loaded is None:
        return []
    try:
        return _ReportIndex.model_validate_json(bytes(loaded.data)).reports
    except ValidationError as error:
        raise StoreUnavailable("The record of the reports is broken.") from error


async def publish_report(
    store: ObjectStore,
    kind: ImageType,
    rows: Path,
    *,
    catalog: str,
    formats: str,
    summary: Summary,
    keep: int,
    grace: timedelta,
) -> Report:
    """Put the report whose rows are in the folder *rows* on the shelf, in one step at the end.

    The last *keep* are kept, and what a clean-up needs that looks back by *grace*, and the next report to judge its
    catalog by. Raises StoreUnavailable; then the shelf is as it was.
    """
    before = await list_reports(store, kind)
    number = before[0].id + 1 if before else 1
    now = datetime.now(UTC)
    folder = f"{number:08}-{now:%Y%m%dT%H%M%S%f}"
    report = Report(id=number, at=now, folder=folder, catalog=catalog, formats=formats, summary=summary)
    slots = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    async def upload(name: str) -> None:
        async with slots:
            data = (rows / name).read_bytes()
            await store.put(keys.report_rows(kind, folder, name), data, content_type="application/x-ndjson")

    tables: tuple[Table, ...] = ("missing", "unused")
    try:
        async with asyncio.TaskGroup() as group:
            for name in (name for table in tables for name in part_names(table, report.total(table))):
                group.create_task(upload(name))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    index = _ReportIndex(reports=_retained([report, *before], keep=keep, grace=grace))
    await store.put(keys.report_index(kind), index.model_dump_json().encode(), content_type="application/json")
    return report


def rows_of(store: ObjectStore, kind: ImageType, report: Report) -> Callable[[str], Awaitable[bytes | None]]:
    """Return what gives the contents of a file of rows by its name, None where it is gone."""

    async def read(name: str) -> bytes | None:
        loaded = await store.get(keys.report_rows(kind, report.folder, name))
        return None if loaded is None else bytes(loaded.data)

    return read


async def sweep(store: ObjectStore, kind: ImageType, *, age: timedelta = _KEPT) -> int:
    """Delete what is of that *age* and of no report on the shelf; returns the number of objects.

    Whoever still reads a report that has left the shelf finds it gone.
    """
    reports = await list_reports(store, kind)
    kept = (keys.report_index(kind), *(keys.report_rows(kind, each.folder, "") for each in reports))
    return await delete_below(store, keys.reports(kind), before=datetime.now(UTC) - age, kept=kept)


def _retained(reports: Sequence[Report], *, keep: int, grace: timedelta) -> list[Report]:
    """Return those of *reports*, the newest first, that stay on the shelf."""
    before = reports[0].at - grace
    # What dared to call nothing unused is of no use to a clean-up, and no measure for the next catalog.
    judging = [each for each in reports if not each.summary.unused_refused]
    # All that a clean-up asks: those within the grace period, and the last one before it.
    old = [each for each in judging if each.at <= before][:1]
    young = [each for each in judging if each.at > before]
    wanted = {each.folder for each in (*reports[:keep], *judging[:1], *young, *old)}
    return [each for each in reports if each.folder in wanted]
