"""Making a report: the catalog that counts is compared with what the store lists at that time."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta

from imageconverter import keys
from imageconverter.catalog import current, fetch
from imageconverter.catalog.database import Workspace, work_folder
from imageconverter.errors import NoCatalog
from imageconverter.images.directories import is_file
from imageconverter.images.formats import ImageFormats, ImageType
from imageconverter.reports.comparison import compare
from imageconverter.reports.index import Report, list_reports, publish_report
from imageconverter.reports.ranges import list_ranges
from imageconverter.storage.store import ObjectStore, StoredObject


async def make_report(
    store: ObjectStore,
    kind: ImageType,
    formats: ImageFormats,
    workspace: Workspace,
    *,
    keep: int,
    grace: timedelta,
    listed: Callable[[int], Awaitable[None]],
    shrunken: bool = False,
) -> Report:
    """Compare, and put the report on the shelf when all of it is there; *listed* is told how many files were seen.

    *shrunken* takes a catalog as it is that has lost more than half; else no file is called unused by it. Raises
    NoCatalog, StoreUnavailable, DatabaseFailed and what *listed* raises; then there is no report, not even a half.
    """
    version = await current(store, kind)
    if version is None:
        raise NoCatalog("There is no catalog to compare the files with.")
    before = await list_reports(store, kind)
    # What was refused was compared with too small a catalog: that one must not become the measure.
    judged = next((each for each in before if not each.summary.unused_refused), None)
    previous = judged.summary.catalog if judged and not shrunken else None
    seen = 0

    async def listing(directory: str, parting: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
        nonlocal seen
        prefix = f"{keys.target(directory)}/"
        async for page in list_ranges(store, prefix, [prefix + name for name in parting]):
            files = [each for each in page if is_file(each)]
            seen += len(files)
            await listed(seen)
            yield files

    with work_folder(workspace) as folder:
        parts_folder, rows = folder / "catalogue", folder / "rows"
        parts_folder.mkdir()
        parts = await fetch(store, kind, version, parts_folder)
        summary = await compare(kind, formats, parts, listing, previous=previous, workspace=workspace, results=rows)
        return await publish_report(
            store,
            kind,
            rows,
            catalog=version.version,
            formats=formats.digest(),
            summary=summary,
            keep=keep,
            grace=grace,
        )
