"""What a gateway remembers of objects that it is asked for often, so that it does not look up each one each time."""

import asyncio
from functools import partial
from typing import Final

from cachetools import TTLCache

from imageconverter.storage.store import ObjectStore, StoredObject

_MAX_OBJECTS: Final = 10_000
_Lookup = asyncio.Task[StoredObject | None]


class KnownObjects:
    """The properties of objects with their metadata, as of a moment ago.

    What this process changes itself is noticed at once. Requests for the same object share one look-up. What is not
    there is not remembered.
    """

    def __init__(self, store: ObjectStore, *, seconds: float) -> None:
        """Use *store*, and look an object up again after *seconds*."""
        self._store = store
        self._lookups: TTLCache[str, _Lookup] = TTLCache(_MAX_OBJECTS, seconds)
        store.watch(self)

    async def find(self, key: str) -> StoredObject | None:
        """Return the object at *key*, None if there is none; raises StoreUnavailable."""
        lookup = self._lookups.get(key)
        if lookup is None:
            self._lookups[key] = lookup = asyncio.create_task(self._store.head(key))
            lookup.add_done_callback(partial(self._keep_if_found, key))
        return await asyncio.shield(lookup)  # the others wait for it, too

    def forget(self, key: str) -> None:
        """Look the object at *key* up the next time, even if a look-up has begun."""
        self._lookups.pop(key, None)

    def _keep_if_found(self, key: str, lookup: _Lookup) -> None:
        is_found = not lookup.cancelled() and lookup.exception() is None and lookup.result() is not None
        if not is_found and self._lookups.get(key) is lookup:
            self.forget(key)
