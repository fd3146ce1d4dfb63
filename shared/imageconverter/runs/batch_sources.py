"""The sources of a batch: all below its directory, or those that it names."""

from collections.abc import AsyncIterator
from functools import partial

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.runs.run import Batch
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_PAGE_SIZE = 250


async def batch_sources(store: ObjectStore, batch: Batch, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
    """Yield the sources of *batch* in pages, in the order of their keys, from behind the key *after* on."""
    if not batch.sources:
        async for page in directories.files(store, "source", batch.directory, after=after):
            yield page
        return
    wanted = [key for path in batch.sources if (key := keys.source(path)) > after]
    for begin in range(0, len(wanted), _PAGE_SIZE):
        found = await bounded(partial(store.head, key) for key in wanted[begin : begin + _PAGE_SIZE])
        yield [stored for stored in found if stored is not None]
