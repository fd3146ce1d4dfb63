"""The trash of sources: deleted sources, which can be restored for some time.

An item is one deleted source, `<deletion>/<path>`. The sources of a deleted directory have one deletion, which names
all of them. The later a deletion, the earlier it is in a listing.
"""

import re
import secrets
import time
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from typing import Final

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.directories import is_file
from imageconverter.images.names import directory_path
from imageconverter.storage.bounded import bounded
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore, StoredObject

_END_OF_TIME: Final = 10**13  # in milliseconds since 1970, so that all numbers have as many digits
_DELETION: Final = re.compile(r"[0-9]{13}-[0-9a-f]{8}")


def new_deletion() -> str:
    """Return a new deletion. Its order follows the clock of this process, its age that of the store."""
    return f"{_END_OF_TIME - time.time_ns() // 1_000_000:013}-{secrets.token_hex(4)}"


def checked(item: str, *, field: str) -> str:
    """Return an item or a deletion that a client names; raises InvalidValue if it cannot be one."""
    deletion, slash, path = item.partition("/")
    if not _DELETION.fullmatch(deletion):
        raise InvalidValue("That is no item of the trash.", field=field)
    return f"{deletion}/{directory_path(path, field=field)}" if slash else deletion


def path_of(item: str) -> str:
    """Return the path that an item had in the source tree; "" for a deletion."""
    return item.partition("/")[2]


async def move_to_trash(store: ObjectStore, stored: StoredObject) -> str:
    """Move a source to the trash unless it was replaced since *stored* was read; returns its item, "" if it was."""
    item = f"{new_deletion()}/{stored.key.removeprefix(keys.SOURCE)}"
    if not await store.copy_unchanged(stored, keys.trashed_source(item)):
        return ""
    if not await store.delete_unchanged(stored):
        await store.delete([keys.trashed_source(item)])
        return ""
    return item


async def move_all(store: ObjectStore, deletion: str, page: Sequence[StoredObject]) -> None:
    """Move objects of the source tree to the trash, by one *deletion*, except those that are replaced meanwhile."""

    async def copy(stored: StoredObject) -> bool:
        item = f"{deletion}/{stored.key.removeprefix(keys.SOURCE)}"
        if not await store.copy(stored.key, keys.trashed_source(item)):
            return False
        current = await store.head(stored.key)
        return current is not None and current.etag == stored.etag

    copied = await bounded(partial(copy, stored) for stored in page)
    await store.delete(stored.key for stored, done in zip(page, copied, strict=True) if done)


async def list_items(store: ObjectStore, *, after: str, size: int) -> tuple[list[StoredObject], str]:
    """Return up to *size* deleted sources behind the item *after*, the last deletion first, and the next *after*."""
    found: list[StoredObject] = []
    start = keys.trashed_source(after) if after else ""
    async for page in store.list(keys.source_trash(), after=start):
        found += [stored for stored in page if is_file(stored)]
        if len(found) > size:
            return found[:size], found[size - 1].key.removeprefix(keys.source_trash())
    return found, ""


async def delete(store: ObjectStore, item: str) -> None:
    """Delete an item, or all of a deletion, permanently. Raises NotFound."""
    key = keys.trashed_source(item)
    if path_of(item):
        deleted = int(await store.head(key) is not None)
        await store.delete([key])
    else:
        deleted = await delete_below(store, f"{key}/")
    if not deleted:
        raise NotFound("There is no such item in the trash.")


async def empty(store: ObjectStore) -> None:
    """Delete everything in the trash."""
    await delete_below(store, keys.source_trash())


async def sweep(store: ObjectStore, *, days: float) -> int:
    """Delete the sources that were deleted more than *days* ago permanently; returns the number of objects."""
    return await delete_below(store, keys.source_trash(), before=await store.cutoff(timedelta(days=days)))
