"""Deleting variants that no output names: another program has deleted or replaced it, or a worker was killed.

Listings say which ones to look at, and what is in the trash. What is deleted was looked up itself, and so was its
output.
"""

from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import structlog

from imageconverter import keys
from imageconverter.engine.target import VariantType
from imageconverter.images.listing import find_files
from imageconverter.images.variants import VARIANT_TYPES, belongs_to, variant_keys
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)

_MIN_AGE: Final = timedelta(days=1)  # the output of a younger one may be about to be stored
_STORED_TOGETHER: Final = timedelta(minutes=10)
_MOST: Final = 10_000
_AT_ONCE: Final = 20_000  # the trash is listed once for each as many suspects


class _Suspect(NamedTuple):
    """A variant that may be orphaned."""

    kind: VariantType
    variant: StoredObject
    had_output: bool = False
    """Whether something was at the path of its output when that was looked up first."""

    @property
    def path(self) -> str:
        """The path of its output."""
        return _path(self.kind, self.variant)


async def sweep(store: ObjectStore, *, older_than: timedelta = _MIN_AGE, most: int = _MOST) -> int:
    """Delete orphaned variants that are *older than* a day; returns their number. Raises StoreUnavailable.

    Ends when *most* were deleted: the next sweep goes on. The variants of files in the trash stay.
    """
    before = await store.cutoff(older_than)
    deleted = 0
    async for suspects in _suspects(store, before):
        left = await _outside_trash(store, suspects)
        while left:
            part, left = left[: most - deleted], left[most - deleted :]
            deleted += sum(await bounded(partial(_delete_if_orphaned, store, each) for each in part))
            if deleted >= most:
                _log.warning("variants left to the next sweep", deleted=deleted)
                return deleted
    return deleted


async def _suspects(store: ObjectStore, before: datetime) -> AsyncIterator[list[_Suspect]]:
    """Yield the suspects stored *before* a time, at least `_AT_ONCE` together as long as there are so many."""
    found: list[_Suspect] = []
    for kind in VARIANT_TYPES:
        async for page in store.list(keys.variant(kind, "")):
            found += await _suspects_of(store, kind, [each for each in page if each.modified < before])
            if len(found) >= _AT_ONCE:
                yield found
                found = []
    yield found


async def _suspects_of(store: ObjectStore, kind: VariantType, variants: Iterable[StoredObject]) -> list[_Suspect]:
    """Return those *variants* that a listing does not show beside an output of the same time."""
    by_path = {_path(kind, each): each for each in variants}
    outputs = await find_files(store, keys.TARGET, sorted(by_path))
    return [
        _Suspect(kind, each)
        for path, each in by_path.items()
        if path not in outputs or abs(outputs[path].modified - each.modified) > _STORED_TOGETHER
    ]


async def _outside_trash(store: ObjectStore, suspects: Iterable[_Suspect]) -> list[_Suspect]:
    """Return those *suspects* whose output is not in the trash.

    A file may be moved to the trash, or back, meanwhile: both trees are looked at, and later the target tree again.
    """
    paths = sorted({each.path for each in suspects})
    outputs = await bounded(partial(store.head, keys.target(path)) for path in paths)
    gone = {path for path, output in zip(paths, outputs, strict=True) if output is None}
    in_trash: set[str] = set()
    if gone:
        prefix = keys.all_trash_files()
        async for page in store.list(prefix):
            in_trash |= gone.intersection(stored.key.removeprefix(prefix).partition("/")[2] for stored in page)
    return [each._replace(had_output=each.path not in gone) for each in suspects if each.path not in in_trash]


async def _delete_if_orphaned(store: ObjectStore, suspect: _Suspect) -> bool:
    """Delete a variant unless an output names it, or it was stored again since it was listed; returns whether."""
    output = await store.head(keys.target(suspect.path))
    current = await store.head(suspect.variant.key)
    if current is None or (current.etag, current.modified) != (suspect.variant.etag, suspect.variant.modified):
        return False
    if output is None:
        is_orphaned = not suspect.had_output  # else it may have been moved to the trash just now
    else:
        is_orphaned = suspect.kind not in variant_keys(output) or not belongs_to(current, output)
    return is_orphaned and await store.delete_unchanged(suspect.variant)


def _path(kind: VariantType, variant: StoredObject) -> str:
    return variant.key.removeprefix(keys.variant(kind, ""))
