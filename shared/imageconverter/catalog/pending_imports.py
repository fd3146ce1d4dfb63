"""Pending imports: uploaded catalogs, stored in parts until the reporter has imported them."""

import secrets
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, get_args

from imageconverter import keys
from imageconverter.catalog.entries import Notation
from imageconverter.errors import NotFound
from imageconverter.images.image_formats import ImageType
from imageconverter.settings import MEGABYTE
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore

_STAMP: Final = "%Y%m%dT%H%M%S%f"
_DELETED: Final = "The uploaded catalog no longer exists."
# The suffix of the last part, which marks the upload as complete and has its notation.
_LAST_SUFFIX: Final[dict[Notation, str]] = {"ndjson": "-last.ndjson", "csv": "-last.csv"}

_SAME_TIME: Final = timedelta(seconds=2)

PART_BYTES: Final = 8 * MEGABYTE
"""The maximum of a catalog that is in memory while it arrives."""


class PendingImport(NamedTuple):
    """A catalog that was uploaded completely."""

    kind: ImageType
    id: str
    """Starts with the time."""
    notation: Notation


async def receive(
    store: ObjectStore, kind: ImageType, chunks: AsyncIterator[bytes], notation: Notation
) -> PendingImport:
    """Store all *chunks*; the parts of an aborted upload are swept after a day."""
    pending = PendingImport(kind, f"{datetime.now(UTC):{_STAMP}}-{secrets.token_hex(4)}", notation)
    buffer = bytearray()
    number = 0
    async for chunk in chunks:
        buffer += chunk
        if len(buffer) >= PART_BYTES:
            await _put(store, pending, f"{number:06}", buffer)
            number += 1
            buffer = bytearray()
    await _put(store, pending, f"{number:06}{_LAST_SUFFIX[notation]}", buffer)
    return pending


async def received_at(store: ObjectStore, pending: PendingImport) -> datetime:
    """Return when the upload was complete, by the store's clock; raises NotFound if it was discarded.

    That clock counts seconds, so the gateway's is used where both agree.
    """
    prefix = keys.pending_catalog(pending.kind, pending.id)
    found = [part.modified async for page in store.list(prefix) for part in page]
    if not found:
        raise NotFound(_DELETED)
    complete, begun = max(found), datetime.strptime(pending.id.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    return begun if abs(complete - begun) < _SAME_TIME else complete


async def list_pending(store: ObjectStore) -> list[PendingImport]:
    """Return the catalogs that are uploaded completely and not imported yet."""
    found = []
    for kind in get_args(ImageType):
        async for page in store.list(keys.pending_catalogs(kind)):
            for part in page:
                pending = part.key.removeprefix(keys.pending_catalogs(kind)).partition("/")[0]
                found += [
                    PendingImport(kind, pending, each) for each, end in _LAST_SUFFIX.items() if part.key.endswith(end)
                ]
    return found


async def read_parts(store: ObjectStore, pending: PendingImport) -> AsyncIterator[bytes]:
    """Yield the uploaded data; raises NotFound if any part was discarded, StoreUnavailable."""
    prefix = keys.pending_catalog(pending.kind, pending.id)
    names = [part.key.removeprefix(prefix) async for page in store.list(prefix) for part in page]
    last = len(names) - 1
    end = _LAST_SUFFIX[pending.notation]
    if names != [f"{number:06}{end if number == last else ''}" for number in range(len(names))] or not names:
        raise NotFound(_DELETED)
    for name in names:
        loaded = await store.get(prefix + name)
        if loaded is None:
            raise NotFound(_DELETED)
        yield bytes(loaded.data)


async def discard(store: ObjectStore, pending: PendingImport) -> None:
    """Delete the uploaded data."""
    await delete_below(store, keys.pending_catalog(pending.kind, pending.id))


async def _put(store: ObjectStore, pending: PendingImport, name: str, data: bytearray) -> None:
    key = keys.pending_catalog(pending.kind, pending.id) + name
    await store.put(key, data, content_type="application/octet-stream")
