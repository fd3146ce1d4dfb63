"""The data of an object as a stream, which may take longer than a request."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.calls import Calls

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult

_CHUNK_BYTES = 256 * 1024


async def stream(
    result: "GetResult", get: "Callable[[str, GetOptions], Awaitable[GetResult | None]]", calls: Calls
) -> AsyncIterator[bytes]:
    """Yield the bytes of *result*; a request that ends before them is continued by another one, with *get*.

    A client may take longer to read the bytes than a request may take. Raises StoreUnavailable.
    """
    meta, (position, end) = result.meta, result.range
    chunks, begin = result.stream(min_chunk_size=_CHUNK_BYTES), position
    while position < end:
        try:
            async with calls.deadline("read"):
                chunk = await anext(chunks, None)
        except StoreUnavailable:
            if position == begin:
                raise
            chunk = None
        if chunk is None:
            if position == begin:
                raise StoreUnavailable("The object store sent less than it announced.")
            options: GetOptions = {"range": (position, end), "if_match": meta["e_tag"] or "*"}
            rest = await get(meta["path"], options)
            if rest is None:
                raise StoreUnavailable("The object was deleted while it was read.")
            chunks, begin = rest.stream(min_chunk_size=_CHUNK_BYTES), position
            continue
        position += len(chunk)
        yield bytes(chunk)
