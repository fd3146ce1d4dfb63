"""What a run would do, found out as the run itself does, but without converting anything."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from imageconverter import keys
from imageconverter.engine import identify
from imageconverter.engine.source_types import HEAD_BYTES
from imageconverter.engine.target import Point
from imageconverter.errors import InvalidValue
from imageconverter.images import directories
from imageconverter.images.conversions import ConversionJob, output_specs
from imageconverter.images.focal_points import find_points
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.variants import find_output
from imageconverter.images.watermarks import watermark_etags
from imageconverter.quoting import quoted
from imageconverter.runs.batch_sources import batch_sources
from imageconverter.runs.run import Run
from imageconverter.storage.store import ObjectStore, StoredObject

_CONCURRENT_SOURCES: Final = 16

Decision = Literal["make", "up_to_date", "not_an_image"]


@dataclass
class DryRun:
    """What a run would do with the sources that were checked."""

    sources: int = 0
    outputs: dict[str, dict[Decision, int]] = field(default_factory=dict)
    """Numbers of outputs by the id of their format."""
    cursor: str = ""
    """Where checking continues, "" if all sources are checked."""

    def add(self, formats: Sequence[ImageFormat], decisions: Sequence[Decision]) -> None:
        """Add the *decisions* on one source."""
        self.sources += 1
        for each, decision in zip(formats, decisions, strict=True):
            counts = self.outputs.setdefault(each.node_id, {"make": 0, "up_to_date": 0, "not_an_image": 0})
            counts[decision] += 1


class _Checked(NamedTuple):
    decisions: list[Decision]
    requests: int


async def dry_run(run: Run, store: ObjectStore, *, cursor: str, max_requests: int, seconds: float) -> DryRun:
    """Return what *run* would do with its sources from *cursor* on, "" for all.

    Stops after about *max_requests* to the store or *seconds*, but not before the first sources. Raises InvalidValue
    for a cursor of another run, and StoreUnavailable.
    """
    first, after = _position(run, cursor)
    until, requests = time.monotonic() + seconds, 0
    found = DryRun()
    for index in range(first, len(run.batches)):
        batch = run.batches[index]
        watermarks = await watermark_etags(store, batch.formats)
        async for page in batch_sources(store, batch, after=after):
            for begin in range(0, len(page), _CONCURRENT_SOURCES):
                if found.sources and (requests >= max_requests or time.monotonic() > until):
                    found.cursor = f"{index}:{after}"
                    return found
                portion = page[begin : begin + _CONCURRENT_SOURCES]
                points = await find_points(store, portion, batch.formats)
                for checked in await asyncio.gather(
                    *(_check(each, batch.formats, watermarks, points.get(each.key), store) for each in portion)
                ):
                    found.add(batch.formats, checked.decisions)
                    requests += checked.requests
                after = portion[-1].key
        after = ""
    return found


async def _check(
    source: StoredObject,
    formats: Sequence[ImageFormat],
    watermarks: Mapping[str, str],
    point: Point | None,
    store: ObjectStore,
) -> _Checked:
    """Decide on the outputs of a source with a focal *point*; *watermarks* are the ETags by their paths."""
    specs = output_specs(source.key, formats, watermarks)
    job = ConversionJob(id="", source_key=source.key, outputs=specs, source_etag=source.etag).aimed_at(point)
    existing = await asyncio.gather(*(find_output(store, spec.expected_path, spec.target) for spec in job.outputs))
    decisions: list[Decision] = [
        "up_to_date" if job.is_up_to_date(spec, found) else "make"
        for spec, found in zip(job.outputs, existing, strict=True)
    ]
    requests = sum(1 + len(spec.target.variants) for spec in job.outputs)
    if "make" not in decisions:
        return _Checked(decisions, requests)
    if not await _is_image(source, store):
        decisions = ["not_an_image"] * len(decisions)
    return _Checked(decisions, requests + 1)


async def _is_image(source: StoredObject, store: ObjectStore) -> bool:
    opened = await store.open(source.key, span=(0, min(HEAD_BYTES, source.size)))
    return opened is not None and identify(b"".join([chunk async for chunk in opened.chunks])) is not None


def _position(run: Run, cursor: str) -> tuple[int, str]:
    """Return the batch and the key that *cursor* names."""
    if not cursor:
        return 0, ""
    batch, _, after = cursor.partition(":")
    for index, each in enumerate(run.batches):
        prefix = keys.SOURCE if each.sources else directories.prefix("source", each.directory)
        if batch == str(index) and after.startswith(prefix):
            return index, after
    raise InvalidValue(f"The cursor {quoted(cursor)} is not one of this run.", field="cursor")
