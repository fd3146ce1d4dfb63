"""Catalogues on their way: stored in parts as a client sends them, until the reporter has taken them over."""

import secrets
from collections.abc import AsyncIterator
from typing import Final

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.formats import PictureType
from imageconverter.settings import MEGABYTE
from imageconverter.storage import ObjectStore

_PART_BYTES: Final = 8 * MEGABYTE
_GONE: Final = "The catalogue that was sent is gone."
_LAST: Final = "-last"  # ends the name of the last part, so that half of the parts are never taken for all


async def receive(store: ObjectStore, kind: PictureType, chunks: AsyncIterator[bytes]) -> str:
    """Store all *chunks* and return the arrival's id; what is left where that ends early is swept after a day."""
    arrival = secrets.token_hex(6)
    pending = bytearray()
    number = 0
    async for chunk in chunks:
        pending += chunk
        if len(pending) >= _PART_BYTES:
            await _put(store, kind, arrival, f"{number:06}", pending)
            number += 1
            pending = bytearray()
    await _put(store, kind, arrival, f"{number:06}{_LAST}", pending)
    return arrival


async def arrived(store: ObjectStore, kind: PictureType, arrival: str) -> AsyncIterator[bytes]:
    """Give back what was received; raises NotFound where any of it was discarded, StoreUnavailable."""
    prefix = keys.arriving_catalogue(kind, arrival)
    names = [part.key.removeprefix(prefix) async for page in store.list(prefix) for part in page]
    last = len(names) - 1
    if names != [f"{number:06}{_LAST if number == last else ''}" for number in range(len(names))] or not names:
        raise NotFound(_GONE)
    for name in names:
        loaded = await store.get(prefix + name)
        if loaded is None:
            raise NotFound(_GONE)
        yield bytes(loaded.data)


async def discard(store: ObjectStore, kind: PictureType, arrival: str) -> None:
    """Delete what was received."""
    async for page in store.list(keys.arriving_catalogue(kind, arrival)):
        await store.delete(part.key for part in page)


async def _put(store: ObjectStore, kind: PictureType, arrival: str, name: str, data: bytearray) -> None:
    await store.put(keys.arriving_catalogue(kind, arrival) + name, data, content_type="application/octet-stream")
