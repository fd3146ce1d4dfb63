"""What a gateway remembers of focal points, so that it does not look up each one each time."""

from typing import Final

from cachetools import TTLCache

from imageconverter import keys
from imageconverter.images.focal_points import Points, read_points
from imageconverter.storage.store import ObjectStore

_MAX_SOURCES: Final = 10_000


class KnownFocalPoints:
    """The focal points of sources, also that there are none, as of a moment ago.

    What this process changes itself is noticed at once.
    """

    def __init__(self, store: ObjectStore, *, seconds: float) -> None:
        """Use *store*, and look the points of a source up again after *seconds*."""
        self._store = store
        self._points: TTLCache[str, Points] = TTLCache(_MAX_SOURCES, seconds)
        self._changes = 0
        store.watch(self)

    async def of_source(self, path: str) -> Points:
        """Return the focal points of the source at *path*; raises StoreUnavailable."""
        points = self._points.get(path)
        if points is None:
            changes = self._changes
            points = await read_points(self._store, path)
            if changes == self._changes:
                self._points[path] = points
        return points

    def forget(self, key: str) -> None:
        """Look up again what the object at *key* says, even if a look-up has begun."""
        if key.startswith(keys.FOCAL_POINTS):
            self._changes += 1
            self._points.pop(key.removeprefix(keys.FOCAL_POINTS), None)
