"""What is known of one source, and which outputs there are of it."""

from collections.abc import Sequence
from functools import partial
from typing import Literal, NamedTuple

from imageconverter import keys
from imageconverter.engine import SourceType, describe
from imageconverter.engine.output_types import Size
from imageconverter.engine.target import Point
from imageconverter.errors import NotFound
from imageconverter.images import focal_points
from imageconverter.images.conversions import SOURCE, ConversionJob, OutputSpec, output_specs
from imageconverter.images.directories import is_file
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.variants import find_output
from imageconverter.images.watermarks import watermark_etags
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

OutputState = Literal["upToDate", "outdated", "otherSource", "missing"]


class Output(NamedTuple):
    """The output of a source in one image format."""

    format: ImageFormat
    path: str
    """In the target tree; where it would probably be, if it is missing."""
    state: OutputState
    """`upToDate` if a run would skip it, `otherSource` if it was made of another source of the same name."""
    stored: StoredObject | None


class SourceDetails(NamedTuple):
    """What is known of a source."""

    stored: StoredObject
    type: SourceType | None
    """By its leading bytes; None if it is not an image of a supported type."""
    size: Size | None
    """Pixels as stored, which an orientation may turn; None if the header does not have it."""
    focal_point: Point | None
    """None if none was set."""
    outputs: list[Output]


async def source_details(store: ObjectStore, path: str, formats: Sequence[ImageFormat]) -> SourceDetails:
    """Return the details of the source at *path*, with an output for each of *formats*; raises NotFound."""
    stored = await store.head(keys.source(path))
    if stored is None or not is_file(stored):
        raise NotFound("There is no such source.")
    described = await store.inspect(stored, describe)
    point = (await focal_points.read_points(store, path)).get(stored.etag)
    specs = output_specs(path, formats, await watermark_etags(store, formats))
    specs = tuple(spec.aimed_at(point) for spec in specs)
    targets = {path: spec.target for spec in specs for path in spec.possible_paths}
    outputs_found = await bounded(partial(find_output, store, path, target) for path, target in targets.items())
    found = dict(zip(targets, outputs_found, strict=True))
    job = ConversionJob(id="", source_key=stored.key, outputs=specs, source_etag=stored.etag)
    outputs = [_output(job, spec, each, found) for spec, each in zip(specs, formats, strict=True)]
    kind, size = described or (None, None)
    return SourceDetails(stored, kind, size, point, outputs)


def _output(
    job: ConversionJob, spec: OutputSpec, image_format: ImageFormat, found: dict[str, StoredObject | None]
) -> Output:
    there = [(path, stored) for path in spec.possible_paths if (stored := found[path]) is not None]
    if not there:
        return Output(image_format, spec.expected_path, "missing", None)
    path, stored = next((each for each in there if job.is_up_to_date(spec, each[1])), there[0])
    state: OutputState = "outdated"
    if job.is_up_to_date(spec, stored):
        state = "upToDate"
    elif stored.metadata.get(SOURCE) != job.source_id:
        state = "otherSource"
    return Output(image_format, path, state, stored)
