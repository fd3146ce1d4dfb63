"""A catalog stored in the object store."""

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from imageconverter.errors import SourceRefused
from imageconverter.storage.store import ObjectStore
from services.reporter.sources.decompression import decompress
from services.reporter.sources.source import Source, SourceLimits, notation_of


@asynccontextmanager
async def open_stored(store: ObjectStore, key: str, limits: SourceLimits) -> AsyncIterator[Source]:
    """Open the object *key*; raises SourceRefused if it does not exist."""
    opened = await store.open(key)
    if opened is None:
        raise SourceRefused(f"There is no object {key} in the object store.")
    async with aclosing(decompress(opened.chunks, limits.max_bytes)) as chunks:
        yield Source(notation_of(key), chunks)
