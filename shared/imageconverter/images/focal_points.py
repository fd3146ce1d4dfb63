"""Focal points: for each source, the point that its crops keep, as a client has set it.

A source with a focal point has an object that names the point by the ETag of the source: of one that is replaced, the
point does not count any more, and does again when the earlier image is restored.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from posixpath import commonprefix
from typing import Final

import structlog
from pydantic import TypeAdapter, ValidationError

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.engine.target import Point
from imageconverter.errors import StoreUnavailable
from imageconverter.storage.bounded import bounded
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import PAGE_SIZE, ObjectStore, StoredObject

_log = structlog.get_logger(__name__)

Points = Mapping[str, Point]
"""The focal points of a source by its ETags, the one that was set last at the end."""

_POINTS: Final = TypeAdapter(dict[str, Point])
_MAX_POINTS: Final = 8
_ATTEMPTS: Final = 5


async def read_points(store: ObjectStore, path: str) -> Points:
    """Return the focal points of the source at *path*. Raises StoreUnavailable."""
    if path.partition("/")[0] == keys.UPLOADS:
        return {}
    loaded = await store.get(keys.focal_points(path))
    return {} if loaded is None else _parse(path, bytes(loaded.data))


async def find_points(
    store: ObjectStore, sources: Sequence[StoredObject], targets: Iterable[Target]
) -> dict[str, Point]:
    """Return the focal points of those of *sources* that have one, by their keys; none if no target uses them.

    Raises StoreUnavailable.
    """
    if not sources or not any(each.uses_focal_point for each in targets):
        return {}
    by_path = {each.key.removeprefix(keys.SOURCE): each for each in sources}
    directory = commonprefix([f"{each.rpartition('/')[0]}/" for each in by_path]).rpartition("/")[0]
    page: list[StoredObject] = []
    async for page in store.list(keys.focal_points(f"{directory}/" if directory else "")):  # noqa: B007 - the first one
        break
    paths = list(by_path)
    if len(page) < PAGE_SIZE:  # all that there are; otherwise each is looked up, because there may be millions
        paths = [path for each in page if (path := each.key.removeprefix(keys.focal_points(""))) in by_path]
    found = await bounded(partial(read_points, store, path) for path in paths)
    return {
        by_path[path].key: points[by_path[path].etag]
        for path, points in zip(paths, found, strict=True)
        if by_path[path].etag in points
    }


async def set_point(store: ObjectStore, stored: StoredObject, point: Point | None) -> bool:
    """Give the source *stored* a focal point, or none; returns whether that is a change. Raises StoreUnavailable."""
    path = stored.key.removeprefix(keys.SOURCE)
    key = keys.focal_points(path)
    for _ in range(_ATTEMPTS):
        loaded = await store.get(key)
        points = dict(_parse(path, bytes(loaded.data))) if loaded else {}
        if points.pop(stored.etag, None) == point:
            return False
        if point is not None:
            points[stored.etag] = point
        before = loaded.stored if loaded else None
        if before is not None and not points:
            is_set = await store.delete_unchanged(before)
        else:
            data = _POINTS.dump_json(dict(list(points.items())[-_MAX_POINTS:]))
            is_set = await store.replace(key, data, content_type="application/json", before=before)
        if is_set:
            return True
    raise StoreUnavailable("The focal point is being changed by other requests.")


async def carry_point(store: ObjectStore, stored: StoredObject, target: str) -> None:
    """Give the copy of a source at the path *target* the focal point of that source, if it has one.

    An upload has none. Raises StoreUnavailable.
    """
    if target.partition("/")[0] == keys.UPLOADS:
        return
    point = (await read_points(store, stored.key.removeprefix(keys.SOURCE))).get(stored.etag)
    copied = await store.head(keys.source(target)) if point is not None else None
    if copied is not None:
        await set_point(store, copied, point)


async def delete_points_below(store: ObjectStore, directory: str) -> None:
    """Delete the focal points of all sources in a *directory*. Raises StoreUnavailable."""
    await delete_below(store, keys.focal_points(f"{directory}/"))


def _parse(path: str, data: bytes) -> Points:
    try:
        return _POINTS.validate_json(data)
    except ValidationError as error:
        _log.warning("focal points unreadable", source=path, error=str(error))
        return {}
