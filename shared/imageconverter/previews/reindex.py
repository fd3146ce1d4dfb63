"""Rebuilding the index of previews from the object store, after Redis has lost its data.

It may run at any time, also twice at once: a group that the index has already is left alone, and one whose objects
are being deleted is not brought back. On the way it deletes what nothing can lead to any more.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
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

_AT_ONCE = 32
_MAX_FILE_BYTES = 16 * MEGABYTE
_GROUP_FILE = "/group.json"
_FOLDER_PARTS = 3  # previews/<hh>/<h>
# What is younger may be of a writer that has not switched the index yet.
_SETTLED = timedelta(hours=1)
_MEDIA_TYPES = {ending: kind.media_type for kind in OUTPUT_TYPES.values() for ending in kind.extensions}

Folder = dict[str, StoredObject]
"""All objects of one key, by object key."""


class GroupFile(BaseModel):
    """What `group.json` says."""

    key: str
    generation: str
    contexts: frozenset[str] = frozenset()
    created: FiniteFloat = 0


def extents(size: tuple[int, int]) -> dict[str, str]:
    """Return the metadata that a preview of *size* (pixels) is put with: neither its name nor a listing tells it."""
    return {"width": str(size[0]), "height": str(size[1])}


async def reindex(index: PreviewIndex, store: ObjectStore) -> int:
    """Bring every group of the store into the index that is not there; returns their number."""
    restored = 0
    batch: list[Folder] = []
    async for folder in _folders(store):
        batch.append(folder)
        if len(batch) == _AT_ONCE:
            restored += await _restore_all(index, store, batch)
            batch = []
    return restored + await _restore_all(index, store, batch)


async def _restore_all(index: PreviewIndex, store: ObjectStore, folders: list[Folder]) -> int:
    return sum(await gather_all(_restore(index, store, folder) for folder in folders))


async def _folders(store: ObjectStore) -> AsyncIterator[Folder]:
    """List the objects of one key after the other; a listing has them together."""
    folder: Folder = {}
    here = ""
    async for page in store.list(keys.PREVIEWS):
        for stored in page:
            there = "/".join(stored.key.split("/")[:_FOLDER_PARTS])
            if there != here and folder:
                yield folder
                folder = {}
            here = there
            folder[stored.key] = stored
    if folder:
        yield folder


async def _restore(index: PreviewIndex, store: ObjectStore, folder: Folder) -> bool:
    """Bring one group into the index; returns whether it was not there and is now."""
    name = next((key for key in folder if key.endswith(_GROUP_FILE)), None)
    if name is None:
        await _delete_settled(store, folder, kept=())
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
        await _delete_settled(store, folder, kept=live_prefixes(file.key, generation))
    return restored


async def _read_file(store: ObjectStore, name: str) -> GroupFile | None:
    """Read what a folder says of itself; None where that cannot be: whatever it is, it is left alone."""
    loaded = await store.get(name, max_bytes=_MAX_FILE_BYTES)
    if loaded is None:
        return None
    try:
        file = GroupFile.model_validate_json(bytes(loaded.data))
    except ValidationError:
        file = None
    if file is None or keys.preview_group(file.key) != name:
        _log.warning("previews that nobody understands", object=name)
        return None
    return file


async def _load_group(store: ObjectStore, folder: Folder, file: GroupFile) -> Group | None:
    """Put together what the store has of a group; None where it has no source."""
    generation = _whole_generation(folder, file)
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


def _whole_generation(folder: Folder, file: GroupFile) -> str | None:
    """Return the generation that the file names, or where that has no source, the last one that has.

    The file may be older than the objects: of two who write it at the same time either may be the last.
    """
    sources = {key.split("/")[_FOLDER_PARTS]: stored for key, stored in folder.items() if key.endswith("/source")}
    if file.generation in sources:
        return file.generation
    return max(sources, key=lambda generation: sources[generation].modified, default=None)


def _preview(stored: StoredObject) -> Preview | None:
    """Return what an object is; None where it was put without its extents, and has to be made again."""
    try:
        width, height = int(stored.metadata["width"]), int(stored.metadata["height"])
    except (KeyError, ValueError):
        return None
    return Preview(_MEDIA_TYPES[PurePosixPath(stored.key).suffix], stored.size, stored.etag, width, height)


async def _delete_settled(store: ObjectStore, folder: Folder, *, kept: tuple[str, ...]) -> None:
    before = datetime.now(UTC) - _SETTLED
    unwanted = [key for key, stored in folder.items() if not key.startswith(kept) and stored.modified < before]
    await store.delete(unwanted)
