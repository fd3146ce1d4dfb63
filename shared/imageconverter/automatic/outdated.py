"""Which sources have outputs that are missing or not up to date."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.images.conversions import ConversionJob, output_specs
from imageconverter.images.focal_points import find_points
from imageconverter.images.variants import find_output
from imageconverter.images.watermarks import watermark_etags
from imageconverter.runs.unchanged import find_unchanged
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_NO_RUN: Final = "-"  # the id of no run, so that the outputs of every run count


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
        points = await find_points(store, listed, group)
        rest = [
            ConversionJob(
                id="", source_key=each.key, outputs=output_specs(each.key, group, watermarks), source_etag=each.etag
            ).aimed_at(points.get(each.key))
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
