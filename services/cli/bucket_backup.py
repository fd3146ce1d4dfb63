"""A backup of the bucket as an archive, made while the stack runs.

What refers to other objects is read first, so that what it refers to exists when it is read. It is the last in the
archive, so that nothing acts on a part of a restored bucket.
"""

from collections.abc import AsyncIterator, Sequence
from functools import partial
from typing import IO, Final, NamedTuple, get_args

from imageconverter import keys
from imageconverter.images.image_formats import ImageType
from imageconverter.settings import MEGABYTE
from imageconverter.storage.bounded import CALLS_AT_ONCE, bounded
from imageconverter.storage.store import ObjectStore, OpenedObject
from services.cli.bucket_archive import ArchiveWriter

OF_A_STACK: Final = (keys.OWNER, keys.WRITE_CHECK)
"""Objects that are not in a backup."""
_KINDS: Final = get_args(ImageType)
_SINGLE_REFERENCES: Final = (*map(keys.current_catalog, _KINDS), *map(keys.report_index, _KINDS))
_REFERENCES: Final = (keys.trash_manifests(), keys.run_summaries(), keys.run_backups(), keys.STATE)
_SMALL_BYTES: Final = MEGABYTE  # several of these are read at once


class Totals(NamedTuple):
    """What was copied."""

    objects: int
    bytes: int


async def make_backup(store: ObjectStore, file: IO[bytes]) -> Totals:
    """Write all objects of the bucket to *file*; raises StoreUnavailable."""
    writer = ArchiveWriter(file)
    references = [each async for each in _references(store)]
    async for page in store.list(""):
        listed = [each for each in page if not is_reference(each.key)]
        async for opened, data in _loaded(store, [each.key for each in listed if each.size <= _SMALL_BYTES]):
            writer.begin(opened)
            writer.write(data)
        for each in listed:
            if each.size > _SMALL_BYTES and (large := await store.open(each.key)) is not None:
                writer.begin(large)
                async for chunk in large.chunks:
                    writer.write(chunk)
    for opened, data in references:
        writer.begin(opened)
        writer.write(data)
    writer.end()
    return Totals(writer.objects, writer.bytes)


def is_reference(key: str) -> bool:
    """Return whether the object *key* refers to others, or is read alone like those."""
    return key in _SINGLE_REFERENCES or key.startswith(_REFERENCES)


async def _references(store: ObjectStore) -> AsyncIterator[tuple[OpenedObject, bytes]]:
    async for loaded in _loaded(store, _SINGLE_REFERENCES):
        yield loaded
    for prefix in _REFERENCES:
        async for page in store.list(prefix):
            async for loaded in _loaded(store, [each.key for each in page if each.key not in OF_A_STACK]):
                yield loaded


async def _loaded(store: ObjectStore, names: Sequence[str]) -> AsyncIterator[tuple[OpenedObject, bytes]]:
    """Yield those of the objects *names* that exist, with their data."""
    for start in range(0, len(names), CALLS_AT_ONCE):
        for loaded in await bounded(partial(_load, store, each) for each in names[start : start + CALLS_AT_ONCE]):
            if loaded is not None:
                yield loaded


async def _load(store: ObjectStore, key: str) -> tuple[OpenedObject, bytes] | None:
    opened = await store.open(key)
    return None if opened is None else (opened, b"".join([chunk async for chunk in opened.chunks]))
