"""The images of one name in several formats: candidates of an HTML `srcset`."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

from imageconverter import keys
from imageconverter.engine.target import MAX_SIDE
from imageconverter.images.conversions import OutputSpec, output_specs, stored_size
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.names import file_name
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject


class Candidate(NamedTuple):
    """An image that a page may show."""

    path: str
    """In the target tree."""
    width: int
    """Pixels; that of the format's box if the image does not exist or was stored by a release before this one."""
    height: int | None
    """Pixels; None if it is unknown."""
    exists: bool


async def find_candidates(store: ObjectStore, formats: Sequence[ImageFormat], name: str) -> list[Candidate]:
    """Return the image called *name* in each of *formats*, of which each has a width.

    Raises InvalidValue if the name is unsafe, and StoreUnavailable.
    """
    specs = output_specs(file_name(name), formats)
    paths = {path for spec in specs for path in spec.possible_paths}
    heads = await bounded(partial(store.head, keys.target(path)) for path in paths)
    found = dict(zip(paths, heads, strict=True))
    return [_candidate(spec, found) for spec in specs]


def for_srcset(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """Yield what a `srcset` needs of *candidates*: the images that exist, from the narrowest to the widest.

    Each width once, because a source that is narrower than several boxes has the same width in all of them; and only
    images of the shape of the narrowest one, because a source that is too small to be cropped keeps its own.
    """
    there = sorted((each for each in candidates if each.exists), key=lambda each: each.width)
    widths: set[int] = set()
    for each in there:
        if each.width not in widths and _have_same_shape(there[0], each):
            widths.add(each.width)
            yield each


def _have_same_shape(one: Candidate, other: Candidate) -> bool:
    """Whether the images differ in size only; unknown heights are taken for equal shapes."""
    if one.height is None or other.height is None:
        return True
    scale = other.width / one.width
    return abs(other.height - one.height * scale) <= 1 + scale  # both were rounded


def _candidate(spec: OutputSpec, found: dict[str, StoredObject | None]) -> Candidate:
    paths = spec.possible_paths
    path = next((path for path in paths if found[path]), paths[0])
    stored = found[path]
    size = stored_size(stored.metadata) if stored else None
    width, height = size or (spec.target.max_width or MAX_SIDE, None)
    return Candidate(path, width, height, exists=stored is not None)
