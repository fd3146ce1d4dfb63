"""Making a report: comparing the current catalog with a listing of the store."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import structlog

from imageconverter import keys
from imageconverter.catalog import current, fetch
from imageconverter.catalog.database import Workspace, work_folder
from imageconverter.errors import DatabaseFailed, NoCatalog
from imageconverter.images.directories import is_file
from imageconverter.images.image_formats import ImageType
from imageconverter.images.subshops import Subshops
from imageconverter.reports.comparison import compare
from imageconverter.reports.index import Report, list_reports, publish_report
from imageconverter.reports.looks import source_directories
from imageconverter.reports.ranges import list_ranges
from imageconverter.reports.similar import find_similar
from imageconverter.reports.summary import SimilarTotals
from imageconverter.storage.store import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)


async def make_report(
    store: ObjectStore,
    kind: ImageType,
    subshops: Subshops,
    workspace: Workspace,
    *,
    keep: int,
    grace: timedelta,
    listed: Callable[[int], Awaitable[None]],
    accept_shrinkage: bool = False,
) -> Report:
    """Compare, and publish the report once it is complete; *listed* is called with the number of files listed so far.

    Without *accept_shrinkage*, no file is reported as unused if the catalog has lost more than half since the last
    report. Raises NoCatalog, StoreUnavailable, DatabaseFailed and what *listed* raises; then nothing is published.
    If only the search for sources that look alike fails, the report has none.
    """
    version = await current(store, kind)
    if version is None:
        raise NoCatalog("There is no catalog to compare the files with.")
    before = await list_reports(store, kind)
    # A report that refused to name unused files had too small a catalog to compare the next one with.
    baseline = next((each for each in before if not each.summary.unused_refused), None)
    previous = baseline.summary.catalog if baseline and not accept_shrinkage else None
    seen = 0

    async def listing(directory: str, bounds: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
        nonlocal seen
        prefix = f"{keys.target(directory)}/"
        async for page in list_ranges(store, prefix, [prefix + name for name in bounds]):
            files = [each for each in page if is_file(each)]
            seen += len(files)
            await listed(seen)
            yield files

    with work_folder(workspace) as folder:
        parts_folder, rows = folder / "catalogue", folder / "rows"
        parts_folder.mkdir()
        parts = await fetch(store, kind, version, parts_folder)
        summary = await compare(kind, subshops, parts, listing, previous=previous, workspace=workspace, results=rows)
        similar = await _find_similar(store, kind, subshops, workspace, rows)
        return await publish_report(
            store,
            kind,
            rows,
            catalog=version.version,
            formats=subshops.digest(),
            summary=summary.model_copy(update={"similar": similar}),
            keep=keep,
            grace=grace,
        )


async def _find_similar(
    store: ObjectStore, kind: ImageType, subshops: Subshops, workspace: Workspace, results: Path
) -> SimilarTotals:
    try:
        directories = source_directories(kind, subshops)
        return await find_similar(store, directories, workspace=workspace, results=results)
    except DatabaseFailed as error:
        _log.warning("similar sources not found", type=kind, reason=error.reason)
        return SimilarTotals()
