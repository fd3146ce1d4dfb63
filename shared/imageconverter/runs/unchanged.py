"""The sources of a run whose outputs are all up to date, found by listings and the output index."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from imageconverter import keys
from imageconverter.engine.target import Point, VariantType
from imageconverter.images.conversions import (
    OutputOutcome,
    OutputSpec,
    expected_name,
    fingerprints,
    indexed_variants,
    output_specs,
    up_to_date,
)
from imageconverter.images.focal_points import find_points
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.listing import find_files
from imageconverter.images.output_index import MIN_NAMES, OutputIndex
from imageconverter.images.watermarks import watermark_etags
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject


class _Expected(NamedTuple):
    """The output of a source that is up to date if it is still the object with that ETag."""

    name: str
    etag: str
    variants: Mapping[VariantType, int]
    """The bytes of those that are wanted and kept."""


async def find_unchanged(
    sources: Sequence[StoredObject], formats: Sequence[ImageFormat], store: ObjectStore, *, run_id: str
) -> dict[str, list[OutputOutcome]]:
    """Return the outcomes of those of *sources*, by their keys, whose outputs are all known to be up to date.

    It may overlook some, and omits those of which the run itself has made an output: they were converted, not
    skipped. Raises StoreUnavailable.
    """
    if len(sources) < MIN_NAMES:
        return {}
    specs = output_specs("", formats, await watermark_etags(store, formats))
    points = await find_points(store, sources, formats)
    indexed = await bounded(partial(_find_indexed, store, spec, sources, points, run_id) for spec in specs)
    keys = [each.key for each in sources if all(each.key in found for found in indexed)]
    if len(keys) < MIN_NAMES:
        return {}
    outcomes = await bounded(
        partial(_find_up_to_date, store, spec, {key: found[key] for key in keys})
        for spec, found in zip(specs, indexed, strict=True)
    )
    return {key: [each[key] for each in outcomes] for key in keys if all(key in each for each in outcomes)}


async def _find_indexed(
    store: ObjectStore,
    spec: OutputSpec,
    sources: Sequence[StoredObject],
    points: Mapping[str, Point],
    run_id: str,
) -> dict[str, _Expected]:
    """Return the outputs that the index has, if they were made of the sources as they are, by the sources' keys."""
    names = {each.key: expected_name(spec.target, each.key.rpartition("/")[2]) for each in sources}
    entries = await OutputIndex(store).find(spec.directory, names.values())
    made_of = fingerprints(spec)
    found = {}
    for source in sources:
        name = names[source.key]
        entry = entries.get(name)
        if entry is None or not entry.etag or entry.run == run_id:
            continue
        point = points.get(source.key)
        of_source = fingerprints(spec.aimed_at(point)) if point else made_of
        variants = indexed_variants(entry, of_source(source.key, source.etag), spec.target)
        if variants is not None:
            found[source.key] = _Expected(name, entry.etag, variants)
    return found


async def _find_up_to_date(
    store: ObjectStore, spec: OutputSpec, expected: Mapping[str, _Expected]
) -> dict[str, OutputOutcome]:
    """Return the outcomes of those *expected* outputs that the store lists as the index has them."""
    names = sorted({each.name for each in expected.values()})
    files = await find_files(store, f"{keys.target(spec.directory)}/", names)
    variants: dict[VariantType, dict[str, StoredObject]] = {}
    for kind in spec.target.variants:
        kept = sorted({each.name for each in expected.values() if kind in each.variants})
        variants[kind] = await find_files(store, f"{keys.variant(kind, spec.directory)}/", kept)
    return {
        key: up_to_date(f"{spec.directory}/{name}", files[name].size)
        for key, (name, etag, sizes) in expected.items()
        if name in files
        and files[name].etag == etag
        and all(name in variants[kind] and variants[kind][name].size == size for kind, size in sizes.items())
    }
