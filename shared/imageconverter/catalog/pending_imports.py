"""Catalogues on their way: stored in parts as a client sends them, until the reporter has taken them over."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final, NamedTuple, get_args

from imageconverter import keys
from imageconverter.catalog.entries import Notation
from imageconverter.errors import NotFound
from imageconverter.images.formats import ImageType
from imageconverter.settings import MEGABYTE
from imageconverter.storage.store import ObjectStore

_PART_BYTES: Final = 8 * MEGABYTE
_STAMP: Final = "%Y%m%dT%H%M%S%f"
_GONE: Final = "The catalogue that was sent is gone."
# Ends the name of the last part, with the notation; so that half of the parts are never taken for all.
_LAST: Final[dict[Notation, str]] = {"ndjson": "-last.ndjson", "csv": "-last.csv"}


class Arrival(NamedTuple):
    """A catalogue that was received whole."""

    kind: ImageType
    id: str
    """Begins with the time."""
    notation: Notation

    @property
    def came(self) -> datetime:
        """When it began to come."""
        return datetime.strptime(self.id.partition("-")[0], _STAMP).replace(tzinfo=UTC)


async def receive(store: ObjectStore, kind: ImageType, chunks: AsyncIterator[bytes], notation: Notation) -> Arrival:
    """Store all *chunks*; what is left where that ends early is swept after a day."""
    arrival = Arrival(kind, f"{datetime.now(UTC):{_STAMP}}-{secrets.token_hex(4)}", notation)
    pending = bytearray()
    number = 0
    async for chunk in chunks:
        pending += chunk
        if len(pending) >= _PART_BYTES:
            await _put(store, arrival, f"{number:06}", pending)
            number += 1
            pending = bytearray()
    await _put(store, arrival, f"{number:06}{_LAST[notation]}", pending)
    return arrival


async def waiting(store: ObjectStore) -> list[Arrival]:
    """Return the catalogues that were received whole and not taken over yet."""
    found = []
    for kind in get_args(ImageType):
        async for page in store.list(keys.arriving_catalogues(kind)):
            for part in page:
                arrival = part.key.removeprefix(keys.arriving_catalogues(kind)).partition("/")[0]
                found += [Arrival(kind, arrival, each) for each, end in _LAST.items() if part.key.endswith(end)]
    return found


async def arrived(store: ObjectStore, arrival: Arrival) -> AsyncIterator[bytes]:
    """Give back what was received; raises NotFound where any of it was discarded, StoreUnavailable."""
    prefix = keys.arriving_catalogue(arrival.kind, arrival.id)
    names = [part.key.removeprefix(prefix) async for page in store.list(prefix) for part in page]
    last = len(names) - 1
    end = _LAST[arrival.notation]
    if names != [f"{number:06}{end if number == last else ''}" for number in range(len(names))] or not names:
        raise NotFound(_GONE)
    for name in names:
        loaded = await store.get(prefix + name)
        if loaded is None:
            raise NotFound(_GONE)
        yield bytes(loaded.data)


async def discard(store: ObjectStore, arrival: Arrival) -> None:
    """Delete what was received."""
    async for page in store.list(keys.arriving_catalogue(arrival.kind, arrival.id)):
        await store.delete(part.key for part in page)


async def _put(store: ObjectStore, arrival: Arrival, name: str, data: bytearray) -> None:
    key = keys.arriving_catalogue(arrival.kind, arrival.id) + name
    await store.put(key, data, content_type="application/octet-stream")
