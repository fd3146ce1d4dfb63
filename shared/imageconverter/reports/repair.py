"""The repair: converting the stored sources of missing images again."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.catalog.image_name import image_name
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.conversions import TASK, ConversionJob, output_specs
from imageconverter.images.directories import is_file
from imageconverter.images.image_formats import ImageFormat, ImageType
from imageconverter.images.subshops import Subshops
from imageconverter.jobs import JobQueue, QueueName
from imageconverter.reports.index import Report, list_reports, rows_of
from imageconverter.reports.results import read_rows
from imageconverter.storage.store import ObjectStore

MAX_IMAGES: Final = 10_000
"""Sources converted by one repair; the next report lists the remaining images."""

_BLOCK: Final = 100_000

_UPLOADS = keys.source(f"{keys.UPLOADS}/")


class _Source(NamedTuple):
    """A possible source of a missing image; the greatest is the best."""

    rank: int
    modified: datetime
    key: str


class Repair(BaseModel):
    """The result of a repair."""

    model_config = ConfigDict(frozen=True)

    report: int
    missing: int
    """Number of missing images, each in one or more formats."""
    converting: int
    """Number of sources found and enqueued."""
    without_source: int
    more: bool
    """Whether more sources are left than one repair converts."""


async def repair(
    store: ObjectStore, queue: JobQueue, kind: ImageType, subshops: Subshops, *, limit: int = MAX_IMAGES
) -> Repair:
    """Enqueue the conversion of up to *limit* sources whose images are missing in the newest report.

    A source has the image's name; those in the format's source directory are preferred, then others in the source
    tree, then uploads, and of these the newest. Repeating the call while jobs are waiting enqueues none twice. Memory
    use is bounded. Raises NotFound without a report, StoreUnavailable, QueueUnavailable.
    """
    reports = await list_reports(store, kind)
    if not reports:
        raise NotFound("There is no report yet.")
    report = reports[0]
    examined = converting = without_source = 0
    more = False
    async for wanted in _blocks(_missing(store, kind, report, subshops)):
        if converting >= limit:
            more = True
            break
        found = await _sources(store, wanted)
        jobs: dict[str, list[ImageFormat]] = {}
        for name, missing in wanted.items():
            for each in missing:
                source = found.get((name, each.source_directory))
                if source and (source.key in jobs or converting + len(jobs) < limit):
                    jobs.setdefault(source.key, []).append(each)
                more = more or (source is not None and source.key not in jobs)
        for key, missing in jobs.items():
            job_id = f"repair-{report.folder}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
            job = ConversionJob(id=job_id, source_key=key, outputs=output_specs(key, missing), owner="repair")
            await queue.enqueue(QueueName.BATCH, TASK, job.id, job.model_dump(exclude_defaults=True))
        examined += len(wanted)
        converting += len(jobs)
        without_source += len(wanted) - len({name for name, _ in found})
    return Repair(report=report.id, missing=examined, converting=converting, without_source=without_source, more=more)


async def _blocks(missing: AsyncIterator[tuple[str, ImageFormat]]) -> AsyncIterator[dict[str, list[ImageFormat]]]:
    """Group the missing images by name, in blocks that are searched for in one listing each."""
    block: dict[str, list[ImageFormat]] = {}
    async for name, each in missing:
        if name not in block and len(block) == _BLOCK:
            yield block
            block = {}
        block.setdefault(name, []).append(each)
    if block:
        yield block


async def _missing(
    store: ObjectStore, kind: ImageType, report: Report, subshops: Subshops
) -> AsyncIterator[tuple[str, ImageFormat]]:
    formats = {(each.node_id, each.target_directory): each for each in subshops.formats}
    async for rows in read_rows(rows_of(store, kind, report), "missing", total=report.total("missing")):
        for row in rows:
            if found := formats.get((row["format"], row["path"].rpartition("/")[0])):
                yield row["filename"], found


async def _sources(store: ObjectStore, wanted: Mapping[str, Sequence[ImageFormat]]) -> dict[tuple[str, str], _Source]:
    """Return the best source for each name in *wanted* and source directory of its formats, if there is one."""
    found: dict[tuple[str, str], _Source] = {}
    async for page in store.list(keys.SOURCE):
        for stored in page:
            try:
                name = image_name(stored.key.rpartition("/")[2])
            except InvalidValue:
                continue
            if name not in wanted or not is_file(stored):
                continue
            for directory in {each.source_directory for each in wanted[name]}:
                source = _Source(_rank(stored.key, directory), stored.modified, stored.key)
                found[name, directory] = max(source, found.get((name, directory), source))
    return found


def _rank(key: str, directory: str) -> int:
    """Return the preference of a source for a format with the source *directory* ("" for none)."""
    if directory and key.startswith(f"{keys.source(directory)}/"):
        return 2
    return 0 if key.startswith(_UPLOADS) else 1
