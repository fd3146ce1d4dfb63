"""Deleting variants that no output names: another program has deleted or replaced it, or a worker was killed.

Listings only say which ones to look at. What is deleted was looked up itself, and so was its output.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Final

import structlog

from imageconverter import keys
from imageconverter.engine.target import VariantType
from imageconverter.images.listing import find_files
from imageconverter.images.variants import VARIANT_TYPES, belongs_to, variant_keys
from imageconverter.reports.trash import list_batches
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)

_MIN_AGE: Final = timedelta(days=1)  # the output of a younger one may be about to be stored
_STORED_TOGETHER: Final = timedelta(minutes=10)
_MOST: Final = 10_000


async def sweep(store: ObjectStore, *, older_than: timedelta = _MIN_AGE, most: int = _MOST) -> int:
    """Delete orphaned variants that are *older than* a day; returns their number. Raises StoreUnavailable.

    Ends when *most* were deleted: the next sweep goes on. The variants of files in the trash stay.
    """
    before = await store.cutoff(older_than)
    deleted = 0
    for kind in VARIANT_TYPES:
        async for page in store.list(keys.variant(kind, "")):
            suspects = await _suspects(store, kind, [each for each in page if each.modified < before])
            orphans = (await _orphans(store, kind, suspects))[: most - deleted]
            deleted += sum(await bounded(partial(store.delete_unchanged, each) for each in orphans))
            if deleted >= most:
                _log.warning("variants left to the next sweep", deleted=deleted)
                return deleted
    return deleted


async def _suspects(store: ObjectStore, kind: VariantType, variants: Iterable[StoredObject]) -> list[StoredObject]:
    """Return those *variants* that a listing does not show beside an output of the same time."""
    by_path = {_path(kind, each): each for each in variants}
    outputs = await find_files(store, keys.TARGET, sorted(by_path))
    return [
        each
        for path, each in by_path.items()
        if path not in outputs or abs(outputs[path].modified - each.modified) > _STORED_TOGETHER
    ]


async def _orphans(store: ObjectStore, kind: VariantType, suspects: list[StoredObject]) -> list[StoredObject]:
    """Return those *suspects* that neither an output names nor one in the trash may name.

    A file may be moved to the trash, or back, meanwhile: so both trees are looked at, and the target tree again.
    """
    paths = [_path(kind, each) for each in suspects]
    outputs = await bounded(partial(store.head, keys.target(path)) for path in paths)
    gone = [path for path, output in zip(paths, outputs, strict=True) if output is None]
    batches = [batch.id for batch in await list_batches(store)] if gone else []
    in_trash = await bounded(partial(_is_in_trash, store, batches, path) for path in gone)
    kept = {path for path, is_kept in zip(gone, in_trash, strict=True) if is_kept}
    left = [each for each in suspects if _path(kind, each) not in kept]
    are_orphans = await bounded(partial(_is_orphan, store, kind, each) for each in left)
    return [each for each, is_orphan in zip(left, are_orphans, strict=True) if is_orphan]


async def _is_in_trash(store: ObjectStore, batches: Iterable[str], path: str) -> bool:
    for batch in batches:
        if await store.head(keys.trash_files(batch) + path) is not None:
            return True
    return False


async def _is_orphan(store: ObjectStore, kind: VariantType, variant: StoredObject) -> bool:
    """Whether no output names *variant*; not if it was stored again since it was listed."""
    output = await store.head(keys.target(_path(kind, variant)))
    current = await store.head(variant.key)
    if current is None or (current.etag, current.modified) != (variant.etag, variant.modified):
        return False
    return output is None or kind not in variant_keys(output) or not belongs_to(current, output)


def _path(kind: VariantType, variant: StoredObject) -> str:
    return variant.key.removeprefix(keys.variant(kind, ""))
