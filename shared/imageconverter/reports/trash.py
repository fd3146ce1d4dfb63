"""The trash: files moved by clean-ups, or because their source is gone, which can be restored for some time.

The variants of a file stay where they are: without it nothing shows them, and if it is restored, it has them again.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from imageconverter import keys
from imageconverter.errors import CleanupRefused, NotFound
from imageconverter.images.image_formats import ImageType
from imageconverter.images.variants import delete_orphans
from imageconverter.storage.bounded import bounded
from imageconverter.storage.store import ObjectStore, StoredObject

_MAX_CLEANUP_TIME: Final = timedelta(days=1)  # a clean-up that has not ended by then has failed
_ID = re.compile("[0-9A-Za-z-]{1,64}")  # safe as a part of an object key


class TrashBatch(BaseModel):
    """The files moved by one clean-up, or by one scan of the sources."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: ImageType
    at: AwareDatetime
    report: int
    """The newest report that lists the files as unused; 0 if they were moved because their source is gone."""
    files: int
    """Number of files moved; of files to move until the clean-up has ended."""
    bytes: int
    done: bool = True
    """Whether the clean-up has ended; until then nothing can be restored."""


class Restored(NamedTuple):
    """The result of restoring a batch."""

    files: int
    """Number of files restored."""
    kept: int
    """Number of files left in the trash because a newer file has their name."""


async def list_batches(store: ObjectStore) -> list[TrashBatch]:
    """Return the batches in the trash, newest first."""
    found = [
        batch
        async for page in store.list(keys.trash_manifests())
        for stored in page
        if (batch := await _read(store, stored.key))
    ]
    return sorted(found, key=lambda batch: batch.id, reverse=True)


async def begin_batch(store: ObjectStore, batch: TrashBatch) -> None:
    """Write the manifest of a batch; call it before the first file is moved."""
    data = batch.model_dump_json().encode()
    await store.put(keys.trash_manifest(batch.id), data, content_type="application/json")


async def discard_batch(store: ObjectStore, batch_id: str) -> None:
    """Delete the manifest of a batch that has no files."""
    await store.delete([keys.trash_manifest(batch_id)])


async def finish_batch(store: ObjectStore, batch_id: str) -> TrashBatch:
    """Record that a clean-up has ended, and how many files it has moved; raises NotFound if it has not begun."""
    batch = await get_batch(store, batch_id)
    files = size = 0
    async for page in store.list(keys.trash_files(batch.id)):
        files += len(page)
        size += sum(stored.size for stored in page)
    finished = batch.model_copy(update={"files": files, "bytes": size, "done": True})
    await begin_batch(store, finished)
    return finished


async def move_to_trash(
    store: ObjectStore, batch_id: str, paths: Sequence[str], *, unchanged: Callable[[int, StoredObject], bool]
) -> None:
    """Move the files at *paths* of the target tree to the trash.

    *unchanged* is called with the position of a path and its object, and returns whether the file may be moved. Files
    that do not exist, or that are replaced meanwhile, are skipped.
    """

    async def move(number: int, path: str) -> None:
        target, trash_key = keys.target(path), keys.trash_files(batch_id) + path
        before = await store.head(target)
        if before is None or not unchanged(number, before) or not await store.copy(target, trash_key):
            return
        after = await store.head(target)
        if after is None:
            return
        is_same = (after.etag, after.modified) == (before.etag, before.modified)
        if is_same and await store.delete_unchanged(before):
            return
        # Kept if the file is gone: an attempt before, which has failed, may have deleted it just now.
        if await store.head(target) is not None:
            await store.delete([trash_key])

    await bounded(partial(move, number, path) for number, path in enumerate(paths))


async def get_batch(store: ObjectStore, batch_id: str) -> TrashBatch:
    """Return a batch; raises NotFound if it does not exist."""
    batch = await _read(store, keys.trash_manifest(batch_id)) if _ID.fullmatch(batch_id) else None
    if batch is None:
        raise NotFound("There is no such trash batch.")
    return batch


async def restore(store: ObjectStore, batch_id: str) -> Restored:
    """Restore the files of a batch; running it again after an interruption restores the rest.

    Raises NotFound if the batch does not exist, CleanupRefused if its clean-up is still running.
    """
    batch = await get_batch(store, batch_id)
    if not batch.done and batch.at > await store.cutoff(_MAX_CLEANUP_TIME):
        raise CleanupRefused("The clean-up is still running; restore its files when it has ended.")
    prefix = keys.trash_files(batch_id)
    files = kept = 0
    async for page in store.list(prefix):
        back = await asyncio.gather(*(_restore_file(store, prefix, stored) for stored in page))
        await store.delete(stored.key for stored, restored in zip(page, back, strict=True) if restored)
        files += sum(back)
        kept += len(back) - sum(back)
    if not kept:
        await store.delete([keys.trash_manifest(batch_id)])
    return Restored(files, kept)


async def sweep(store: ObjectStore, *, days: float) -> int:
    """Delete the batches that are older than *days* permanently; returns the number of files."""
    oldest = await store.cutoff(timedelta(days=days))
    swept = 0
    for batch in await list_batches(store):
        if batch.at < oldest:
            swept += await _delete_files(store, keys.trash_files(batch.id))
            await store.delete([keys.trash_manifest(batch.id)])
    return swept


async def _delete_files(store: ObjectStore, prefix: str) -> int:
    """Delete the files of a batch permanently, and the variants that they have left; returns their number."""
    deleted = 0
    async for page in store.list(prefix):
        await delete_orphans(store, [stored.key.removeprefix(prefix) for stored in page])
        await store.delete(stored.key for stored in page)
        deleted += len(page)
    return deleted


async def _restore_file(store: ObjectStore, prefix: str, stored: StoredObject) -> bool:
    target = keys.target(stored.key.removeprefix(prefix))
    current = await store.head(target)
    if current is None:
        return await store.copy_new(stored.key, target)
    # Equal if it was restored before; otherwise the file is newer and is kept.
    return (current.size, current.etag) == (stored.size, stored.etag)


async def _read(store: ObjectStore, key: str) -> TrashBatch | None:
    loaded = await store.get(key)
    try:
        return TrashBatch.model_validate_json(bytes(loaded.data)) if loaded else None
    except ValidationError:
        return None  # not a manifest; it is left alone
