"""The scan: finds sources whose outputs are missing or not up to date, whoever has put them into the bucket."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.automatic.pending_sources import MAX_PENDING, PendingSources
from imageconverter.images import directories
from imageconverter.images.conversions import ConversionJob, output_specs
from imageconverter.images.variants import find_output
from imageconverter.images.watermarks import watermark_etags
from imageconverter.runs.unchanged import find_unchanged
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_ROOM: Final = 1000  # of pending sources for those of a page
_NO_RUN: Final = "-"


async def scan_more(
    pending: PendingSources, formats: AutomaticFormats, store: ObjectStore, *, cursor: str, seconds: float
) -> int:
    """Submit the sources from *cursor* on that are not up to date, until *seconds* have passed or all are listed.

    It also stops when many sources are pending, to be called again. Each page is listed once: the cursor moves behind
    it when its sources are submitted. Returns the number of sources submitted. Raises QueueUnavailable,
    StoreUnavailable.
    """
    until = time.monotonic() + seconds
    first, after = json.loads(cursor) if cursor else ("", "")
    submitted = 0
    for directory in formats.directories:
        if directory < first:
            continue
        async for page in directories.files(store, "source", directory, after=after if directory == first else ""):
            found = await outdated(page, formats, store)
            submitted += await pending.submit(found.items())
            if page:
                await pending.move_cursor(json.dumps([directory, page[-1].key]))
            if time.monotonic() > until or (await pending.state()).waiting > MAX_PENDING - _ROOM:
                return submitted
    await pending.move_cursor(None)
    return submitted


async def outdated(
    sources: Sequence[StoredObject], formats: AutomaticFormats, store: ObjectStore
) -> Mapping[str, str]:
    """Return the paths of those *sources* that have an output that is missing or not up to date, with versions.

    A version changes with the source and with the formats. Raises StoreUnavailable.
    """
    by_path = {each.key.removeprefix(keys.SOURCE): each for each in sources}
    found: dict[str, str] = {}
    for group, paths in formats.groups(by_path).items():
        watermarks = await watermark_etags(store, group)
        listed = [by_path[path] for path in paths]
        unchanged = await find_unchanged(listed, group, store, run_id=_NO_RUN)
        rest = [
            ConversionJob(
                id="", source_key=each.key, outputs=output_specs(each.key, group, watermarks), source_etag=each.etag
            )
            for each in listed
            if each.key not in unchanged
        ]
        are_current = await bounded(partial(_is_up_to_date, job, store) for job in rest)
        for job, is_current in zip(rest, are_current, strict=True):
            if not is_current:
                found[job.source_key.removeprefix(keys.SOURCE)] = _version(job)
    return found


async def _is_up_to_date(job: ConversionJob, store: ObjectStore) -> bool:
    paths = [(spec, path) for spec in job.outputs for path in spec.possible_paths]
    stored = await asyncio.gather(*(find_output(store, path, spec.target) for spec, path in paths))
    current = {spec for (spec, _), each in zip(paths, stored, strict=True) if job.is_up_to_date(spec, each)}
    return len(current) == len(set(job.outputs))


def _version(job: ConversionJob) -> str:
    return " ".join(job.fingerprint(job.source_etag, spec)[:16] for spec in job.outputs)
