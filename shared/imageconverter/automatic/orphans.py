"""Orphaned outputs: those that were made of a source that is gone, by an automatic format whose outputs follow."""

import asyncio
from collections.abc import Sequence
from functools import partial

from pydantic import BaseModel, ConfigDict

from imageconverter import keys
from imageconverter.automatic.automatic_formats import AutomaticFormats
from imageconverter.images.conversions import SOURCE, output_specs, source_digest
from imageconverter.images.image_formats import ImageFormat
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject


class Orphan(BaseModel):
    """An orphaned output, as a scan has found it."""

    model_config = ConfigDict(frozen=True)

    path: str
    """In the target tree."""
    source: str
    """The path that its source had."""
    format: str
    """The node id of its format."""
    bytes: int
    etag: str
    since: str
    """The scan that has found it first."""
    seen: str
    """The last scan that has found it."""

    def is_of(self, image_format: ImageFormat) -> bool:
        """Whether it is an output of that format, which may be one of several subshops with its id."""
        directory = self.path.rpartition("/")[0]
        return (self.format, directory) == (image_format.node_id, image_format.target_directory)

    def is_made_of_source(self, stored: StoredObject) -> bool:
        """Whether an object, whose metadata were read, is the output that was found."""
        return stored.etag == self.etag and _is_made_of(stored, self.source)


async def find_orphans(
    sources: Sequence[str], formats: AutomaticFormats, store: ObjectStore, *, scan: str
) -> list[Orphan]:
    """Return the outputs of *sources*, paths at which there is none any more, in the formats whose outputs follow.

    What else may be at the path of an output was uploaded, or made of another source. Raises StoreUnavailable.
    """

    async def look(source: str, each: ImageFormat) -> list[Orphan]:
        (spec,) = output_specs(source, [each])
        paths = spec.possible_paths
        found = await asyncio.gather(*(store.head(keys.target(path)) for path in paths))
        return [
            Orphan(
                path=path,
                source=source,
                format=each.node_id,
                bytes=stored.size,
                etag=stored.etag,
                since=scan,
                seen=scan,
            )
            for path, stored in zip(paths, found, strict=True)
            if stored is not None and _is_made_of(stored, source)
        ]

    looks = await bounded(partial(look, source, each) for source in sources for each in formats.followed(source))
    return [orphan for found in looks for orphan in found]


def _is_made_of(stored: StoredObject, source: str) -> bool:
    return stored.metadata.get(SOURCE) == source_digest(keys.source(source))
