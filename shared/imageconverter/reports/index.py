"""The report index: one object that lists all kept reports; the rows of each are in an immutable folder."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final, get_args

from pydantic import AliasChoices, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.images.image_formats import ImageType
from imageconverter.reports.results import Table, part_names
from imageconverter.reports.summary import Summary
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import LoadedObject, ObjectStore

_UPLOADS_AT_ONCE: Final = 4
_MIN_AGE: Final = timedelta(days=1)  # younger objects may be of a report that is being written


class Report(BaseModel):
    """A published report without its rows."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True)

    id: int
    """Counts up from 1."""
    at: AwareDatetime
    folder: str
    catalog: str = Field(validation_alias=AliasChoices("catalog", "catalogue"), serialization_alias="catalogue")
    """Version of the compared catalog."""
    formats: str
    """Digest of all image formats at that time."""
    summary: Summary

    def total(self, table: Table) -> int:
        """Return how many rows *table* has."""
        match table:
            case "missing":
                return self.summary.missing
            case "unused":
                return self.summary.unused
            case "similar":
                return self.summary.similar.images


class _ReportIndex(BaseModel):
    reports: list[Report] = []


async def list_reports(store: ObjectStore, kind: ImageType) -> list[Report]:
    """Return the kept reports, newest first; raises StoreUnavailable, also if the index cannot be parsed."""
    return _parse(await store.get(keys.report_index(kind)))


def _parse(loaded: LoadedObject | None) -> list[Report]:
    if loaded is None:
        return []
    try:
        return _ReportIndex.model_validate_json(bytes(loaded.data)).reports
    except ValidationError as error:
        raise StoreUnavailable("The index of the reports is broken.") from error


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
    """Upload the rows in the folder *rows*, then add the report to the index in one step.

    The index keeps the last *keep* reports and those that the next report and a clean-up with the grace period
    *grace* need. Raises StoreUnavailable; then the index is unchanged.
    """
    before = await list_reports(store, kind)
    now, number = await store.now(), before[0].id + 1 if before else 1
    folder = f"{number:08}-{now:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
    report = Report(id=number, at=now, folder=folder, catalog=catalog, formats=formats, summary=summary)
    slots = asyncio.Semaphore(_UPLOADS_AT_ONCE)

    async def upload(name: str) -> None:
        async with slots:
            data = (rows / name).read_bytes()
            await store.put(keys.report_rows(kind, folder, name), data, content_type="application/x-ndjson")

    tables: tuple[Table, ...] = get_args(Table)
    try:
        async with asyncio.TaskGroup() as group:
            for name in (name for table in tables for name in part_names(table, report.total(table))):
                group.create_task(upload(name))
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
    while True:
        loaded = await store.get(keys.report_index(kind))
        before = _parse(loaded)
        report = report.model_copy(update={"id": before[0].id + 1 if before else 1})
        index = _ReportIndex(reports=_retained([report, *before], keep=keep, grace=grace)).model_dump_json().encode()
        stored = None if loaded is None else loaded.stored
        if await store.replace(keys.report_index(kind), index, content_type="application/json", before=stored):
            return report  # else another reporter has published one meanwhile


def rows_of(store: ObjectStore, kind: ImageType, report: Report) -> Callable[[str], Awaitable[bytes | None]]:
    """Return a function that reads a file of rows by its name; it returns None if the file was deleted."""

    async def read(name: str) -> bytes | None:
        loaded = await store.get(keys.report_rows(kind, report.folder, name))
        return None if loaded is None else bytes(loaded.data)

    return read


async def sweep(store: ObjectStore, kind: ImageType, *, age: timedelta = _MIN_AGE) -> int:
    """Delete the objects older than *age* that belong to no report in the index; returns their number.

    Reading a report that has left the index fails from then on.
    """
    reports = await list_reports(store, kind)
    kept = (keys.report_index(kind), *(keys.report_rows(kind, each.folder, "") for each in reports))
    return await delete_below(store, keys.reports(kind), before=await store.cutoff(age), kept=kept)


def _retained(reports: Sequence[Report], *, keep: int, grace: timedelta) -> list[Report]:
    """Return those of *reports*, newest first, that stay in the index."""
    before = reports[0].at - grace
    # A report that refused to name unused files helps no clean-up, and its catalog is no baseline for the next one.
    qualifying = [each for each in reports if not each.summary.unused_refused]
    # A clean-up needs those within the grace period and the last one before it.
    old = [each for each in qualifying if each.at <= before][:1]
    young = [each for each in qualifying if each.at > before]
    wanted = {each.folder for each in (*reports[:keep], *qualifying[:1], *young, *old)}
    return [each for each in reports if each.folder in wanted]
