"""What a gateway remembers of converted images that have variants, so that it does not look up each one each time."""

from typing import Final

from cachetools import TTLCache

from imageconverter.storage.store import ObjectStore, StoredObject

_MAX_OUTPUTS: Final = 10_000
_SECONDS: Final = 10.0


class KnownOutputs:
    """The properties of outputs with their metadata, as of at most ten seconds ago.

    An output that was replaced by a conversion is noticed at once: its variants do not belong to the one before.
    """

    def __init__(self, store: ObjectStore) -> None:
        """Use *store*."""
        self._store = store
        self._known: TTLCache[str, StoredObject] = TTLCache(_MAX_OUTPUTS, _SECONDS)

    async def find(self, key: str) -> StoredObject | None:
        """Return the output at *key*, None if there is none; raises StoreUnavailable."""
        known = self._known.get(key)
        if known is None:
            known = await self._store.head(key)
            if known is not None:
                self._known[key] = known
        return known

    def forget(self, key: str) -> None:
        """Look the output at *key* up the next time."""
        self._known.pop(key, None)
