"""The trash: what clean-ups have taken away, to be put back for some time."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from imageconverter import keys
from imageconverter.errors import CleanupRefused, NotFound
from imageconverter.images.formats import ImageType
from imageconverter.storage.store import ObjectStore, StoredObject
from imageconverter.storage.sweep import delete_below

_AT_ONCE: Final = 16
_MAX_ID_LENGTH: Final = timedelta(days=1)  # that a clean-up may take; one that is not done then has been given up
_ID = re.compile("[0-9A-Za-z-]{1,64}")  # nothing else is part of a key


class TrashBatch(BaseModel):
    """What one clean-up has taken away."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: ImageType
    at: AwareDatetime
    report: int
    """The report that called the files unused."""
    files: int
    """How many it has taken; until it is done, how many it is to take."""
    bytes: int
    done: bool = True
    """Whether the clean-up has ended; until then nothing is put back."""


class Restored(NamedTuple):
    """What became of files in the trash."""

    files: int
    """That are back where they were."""
    kept: int
    """That stay in the trash, because there is a file of that name again."""


async def list_batches(store: ObjectStore) -> list[TrashBatch]:
    """Return what is in the trash, the newest first."""
    found = [
        trash
        async for page in store.list(keys.trash_manifests())
        for stored in page
        if (trash := await _read(store, stored.key))
    ]
    return sorted(found, key=lambda trash: trash.id, reverse=True)


async def begin_batch(store: ObjectStore, trash: TrashBatch) -> None:
    """Note what is to be taken away, before the first file is."""
    data = trash.model_dump_json().encode()
    await store.put(keys.trash_manifest(trash.id), data, content_type="application/json")


async def finish_batch(store: ObjectStore, trash_id: str) -> TrashBatch:
    """Note that a clean-up has ended, and what it has taken away; raises NotFound where it has not begun."""
    trash = await get_batch(store, trash_id)
    files = size = 0
    async for page in store.list(keys.trash_files(trash.id)):
        files += len(page)
        size += sum(stored.size for stored in page)
    closed = trash.model_copy(update={"files": files, "bytes": size, "done": True})
    await begin_batch(store, closed)
    return closed


async def move_to_trash(
    store: ObjectStore, trash_id: str, paths: Sequence[str], *, unchanged: Callable[[int, StoredObject], bool]
) -> None:
    """Move the files at *paths* of the target tree to the trash, if *unchanged* says that they are still the same.

    One that is gone is passed over; one that is made anew meanwhile stays where it is.
    """
    slots = asyncio.Semaphore(_AT_ONCE)

    async def move(number: int, path: str) -> None:
        async with slots:
            target, trash_key = keys.target(path), keys.trash_files(trash_id) + path
            before = await store.head(target)
            if before is None or not unchanged(number, before) or not await store.copy(target, trash_key):
                return
            after = await store.head(target)
            if after is not None and (after.etag, after.modified) != (before.etag, before.modified):
                await store.delete([trash_key])
            elif after is not None:
                await store.delete([target])

    await asyncio.gather(*(move(number, path) for number, path in enumerate(paths)))


async def get_batch(store: ObjectStore, trash_id: str) -> TrashBatch:
    """Return what is known of a clean-up's files; raises NotFound where there is no such trash."""
    trash = await _read(store, keys.trash_manifest(trash_id)) if _ID.fullmatch(trash_id) else None
    if trash is None:
        raise NotFound("There is no such trash.")
    return trash


async def restore(store: ObjectStore, trash_id: str) -> Restored:
    """Put the files of a clean-up back; done again after an end in the middle, it goes on.

    Raises NotFound where there is no such trash, CleanupRefused where the clean-up is still at it.
    """
    trash = await get_batch(store, trash_id)
    if not trash.done and trash.at > datetime.now(UTC) - _MAX_ID_LENGTH:
        raise CleanupRefused("The clean-up is still running; restore what it takes when it has ended.")
    prefix = keys.trash_files(trash_id)
    files = kept = 0
    async for page in store.list(prefix):
        back = await asyncio.gather(*(_restore_file(store, prefix, stored) for stored in page))
        await store.delete(stored.key for stored, restored in zip(page, back, strict=True) if restored)
        files += sum(back)
        kept += len(back) - sum(back)
    if not kept:
        await store.delete([keys.trash_manifest(trash_id)])
    return Restored(files, kept)


async def sweep(store: ObjectStore, *, days: float) -> int:
    """Delete for good what was taken away more than *days* ago; returns the number of files."""
    oldest = datetime.now(UTC) - timedelta(days=days)
    swept = 0
    for trash in await list_batches(store):
        if trash.at < oldest:
            swept += await delete_below(store, keys.trash_files(trash.id))
            await store.delete([keys.trash_manifest(trash.id)])
    return swept


async def _restore_file(store: ObjectStore, prefix: str, trash_key: StoredObject) -> bool:
    target = keys.target(trash_key.key.removeprefix(prefix))
    there = await store.head(target)
    if there is None:
        return await store.copy(trash_key.key, target)
    # The same, where this was done before; else a newer image of that name, which is what the shop shows now.
    return (there.size, there.etag) == (trash_key.size, trash_key.etag)


async def _read(store: ObjectStore, key: str) -> TrashBatch | None:
    loaded = await store.get(key)
    try:
        return TrashBatch.model_validate_json(bytes(loaded.data)) if loaded else None
    except ValidationError:
        return None  # none of ours; it is not touched
