"""Rebuilding the index of previews from the object store after Redis has lost its data.

It may run at any time, also concurrently: groups in the index are left alone, and groups whose objects are being
deleted are not restored. Objects that can no longer be referenced are deleted.
"""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import PurePosixPath

import structlog
from pydantic import BaseModel, FiniteFloat, ValidationError

from imageconverter import keys
from imageconverter.engine import OUTPUT_TYPES
from imageconverter.gather import gather_all
from imageconverter.previews.index import Group, Preview, PreviewIndex, live_prefixes
from imageconverter.settings import MEGABYTE
from imageconverter.storage.store import ObjectStore, StoredObject

_log = structlog.get_logger(__name__)

_BATCH = 32
_MAX_FILE_BYTES = 16 * MEGABYTE
_GROUP_FILE = "/group.json"
_FOLDER_PARTS = 3  # previews/<hh>/<h>
# Younger objects may be of a writer that has not published its generation yet.
_MIN_AGE = timedelta(hours=1)
_MEDIA_TYPES = {ending: kind.media_type for kind in OUTPUT_TYPES.values() for ending in kind.extensions}

Folder = dict[str, StoredObject]
"""All objects of one key, by object key."""


class GroupFile(BaseModel):
    """The contents of `group.json`."""

    key: str
    generation: str
    contexts: frozenset[str] = frozenset()
    created: FiniteFloat = 0


def extents(size: tuple[int, int]) -> dict[str, str]:
    """Return the object metadata of a preview of *size* (pixels), which neither its name nor a listing contains."""
    return {"width": str(size[0]), "height": str(size[1])}


async def reindex(index: PreviewIndex, store: ObjectStore) -> int:
    """Restore every group of the store that is not in the index; returns their number."""
    restored = 0
    batch: list[Folder] = []
    async for folder in _folders(store):
        batch.append(folder)
        if len(batch) == _BATCH:
            restored += await _restore_all(index, store, batch)
            batch = []
    return restored + await _restore_all(index, store, batch)


async def _restore_all(index: PreviewIndex, store: ObjectStore, folders: list[Folder]) -> int:
    before = await store.cutoff(_MIN_AGE)
    return sum(await gather_all(_restore(index, store, folder, before) for folder in folders))


async def _folders(store: ObjectStore) -> AsyncIterator[Folder]:
    """Yield the objects of each key; they are adjacent in a listing."""
    folder: Folder = {}
    prefix = ""
    async for page in store.list(keys.PREVIEWS):
        for stored in page:
            current = "/".join(stored.key.split("/")[:_FOLDER_PARTS])
            if current != prefix and folder:
                yield folder
                folder = {}
            prefix = current
            folder[stored.key] = stored
    if folder:
        yield folder


async def _restore(index: PreviewIndex, store: ObjectStore, folder: Folder, before: datetime) -> bool:
    """Restore one group if it is not in the index; returns whether it was restored."""
    name = next((key for key in folder if key.endswith(_GROUP_FILE)), None)
    if name is None:
        await _delete_old(store, folder, before, kept=())
        return False
    file = await _read_file(store, name)
    if file is None:
        return False
    generation, pending_write = await index.in_use(file.key)
    restored = False
    if generation is None and (group := await _load_group(store, folder, file)) is not None:
        generation = group.generation
        restored = await index.restore(group)
        # It may have been removed, and its objects deleted, since they were listed.
        if restored and await store.head(name) is None:
            await index.remove(file.key)
            restored = False
    if not pending_write:
        await _delete_old(store, folder, before, kept=live_prefixes(file.key, generation))
    return restored


async def _read_file(store: ObjectStore, name: str) -> GroupFile | None:
    """Read the `group.json` of a folder; None if it cannot be parsed: then the folder is left alone."""
    loaded = await store.get(name, max_bytes=_MAX_FILE_BYTES)
    if loaded is None:
        return None
    try:
        file = GroupFile.model_validate_json(bytes(loaded.data))
    except ValidationError:
        file = None
    if file is None or keys.preview_group(file.key) != name:
        _log.warning("invalid group file", object=name)
        return None
    return file


async def _load_group(store: ObjectStore, folder: Folder, file: GroupFile) -> Group | None:
    """Return the group in a folder; None if there is no source."""
    generation = _complete_generation(folder, file)
    if generation is None:
        return None
    prefix = keys.preview_generation(file.key, generation)
    names = [key for key in folder if key.startswith(prefix) and PurePosixPath(key).suffix in _MEDIA_TYPES]
    found = zip(names, await gather_all(store.head(name) for name in names), strict=True)
    previews = {
        keys.preview_format(PurePosixPath(name).stem): preview
        for name, stored in found
        if stored is not None and (preview := _preview(stored)) is not None
    }
    size = folder[keys.preview_source(file.key, generation)].size + sum(each.size for each in previews.values())
    return Group(file.key, generation, file.created, file.contexts, size, previews)


def _complete_generation(folder: Folder, file: GroupFile) -> str | None:
    """Return the generation in the file, or if that has no source, the newest one that has.

    The file may be older than the objects, because concurrent writers may finish in any order.
    """
    sources = {key.split("/")[_FOLDER_PARTS]: stored for key, stored in folder.items() if key.endswith("/source")}
    if file.generation in sources:
        return file.generation
    return max(sources, key=lambda generation: sources[generation].modified, default=None)


def _preview(stored: StoredObject) -> Preview | None:
    """Return the preview of an object; None if it has no extents: then it has to be made again."""
    try:
        width, height = int(stored.metadata["width"]), int(stored.metadata["height"])
    except (KeyError, ValueError):
        return None
    return Preview(_MEDIA_TYPES[PurePosixPath(stored.key).suffix], stored.size, stored.etag, width, height)


async def _delete_old(store: ObjectStore, folder: Folder, before: datetime, *, kept: tuple[str, ...]) -> None:
    unwanted = [key for key, stored in folder.items() if not key.startswith(kept) and stored.modified < before]
    await store.delete(unwanted)
