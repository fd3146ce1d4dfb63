"""Restoring deleted sources from their trash."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images import source_trash, sources
from imageconverter.images.directories import is_file
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

MAX_REFUSED: Final = 100
"""So many refusals are listed, however many there are."""


class Refusal(NamedTuple):
    """An item that was not restored."""

    item: str
    reason: str


@dataclass
class Restored:
    """The result of restoring items."""

    files: int = 0
    """Number of sources restored."""
    kept: int = 0
    """Number of items that are still in the trash, or were not found."""
    refused: list[Refusal] = field(default_factory=list)
    """The first of them."""

    def refuse(self, item: str, reason: str) -> None:
        """Count *item* as kept."""
        self.kept += 1
        if len(self.refused) < MAX_REFUSED:
            self.refused.append(Refusal(item, reason))


async def restore(store: ObjectStore, items: Sequence[str], *, overwrite: bool) -> Restored:
    """Restore *items*, and everything in those that are deletions; running it again restores the rest.

    Unless *overwrite*, sources that have their paths by now stay, and so do these items.
    """
    restored = Restored()
    one_at_a_time = asyncio.Lock()  # copies, which may be in memory

    async def restore_one(stored: StoredObject) -> None:
        item = stored.key.removeprefix(keys.source_trash())
        path = source_trash.path_of(item)
        try:
            if is_file(stored):
                await _place(store, stored, path, one_at_a_time, overwrite=overwrite)
                restored.files += 1
            else:  # the marker of an empty directory
                await store.copy(stored.key, keys.source(path))
            await store.delete([stored.key])
        except InvalidValue as error:
            restored.refuse(item, error.reason)

    for item in items:
        is_empty = True
        async for page in _objects(store, item):
            is_empty = False
            await bounded(partial(restore_one, stored) for stored in page)
        if is_empty:
            restored.refuse(item, "There is no such item.")
    return restored


async def _objects(store: ObjectStore, item: str) -> AsyncIterator[list[StoredObject]]:
    if source_trash.path_of(item):
        stored = await store.head(keys.trashed_source(item))
        if stored is not None:
            yield [stored]
        return
    async for page in store.list(f"{keys.trashed_source(item)}/"):
        yield page


async def _place(store: ObjectStore, stored: StoredObject, path: str, lock: asyncio.Lock, *, overwrite: bool) -> None:
    current = await store.head(keys.source(path))
    if current is not None and (current.size, current.etag) == (stored.size, stored.etag):
        return  # restored before an interruption
    await sources.check_free(store, path, overwrite=overwrite)
    async with lock:
        await sources.place(store, stored, path, overwrite=overwrite)
