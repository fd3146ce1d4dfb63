"""Source images by their paths: deleting, moving and copying them."""

import asyncio
import re
from typing import Final

from imageconverter import keys
from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images import directories, source_trash
from imageconverter.images.directories import MARKER, is_file
from imageconverter.images.focal_points import carry_point
from imageconverter.images.incoming import WHOLE_BYTES
from imageconverter.images.names import directory_path
from imageconverter.images.source_facts import delete_facts
from imageconverter.storage.store import ObjectStore, StoredObject

_STAGED: Final = re.compile(rf"{keys.UPLOADS}/[0-9a-f]{{12}}(/[^/]+)?")


def source_path(path: str, *, field: str = "path") -> str:
    """Return the *path* of a source in normal form.

    Raises InvalidValue if it is unsafe, or reserved: below the uploads, `upload/<12 hex>/<name>` only is a source.
    """
    checked = directory_path(path, field=field)
    segments = checked.split("/")
    if MARKER in segments or (segments[0] == keys.UPLOADS and not _STAGED.fullmatch(checked)):
        raise InvalidValue("That name is reserved.", field=field)
    return checked


async def delete(store: ObjectStore, path: str, *, permanently: bool = False) -> str:
    """Delete the source at *path*; its directory stays. Returns its item in the trash.

    "" if it was deleted *permanently*, as staged uploads always are. Raises NotFound, and InvalidValue if it changes
    meanwhile.
    """
    stored = await existing(store, path)
    item = ""
    if permanently or path.partition("/")[0] == keys.UPLOADS:
        await store.delete([stored.key, keys.focal_points(path)])
    elif not (item := await source_trash.move_to_trash(store, stored)):
        raise InvalidValue("The source has changed meanwhile.", field="path")
    await delete_facts(store, [path])
    await _keep_directory(store, path)
    return item


async def copy(store: ObjectStore, source: str, target: str, *, overwrite: bool) -> StoredObject:
    """Copy a source with its metadata; returns the source. Raises NotFound, and InvalidValue if *target* exists.

    Without *overwrite*, one that another client stores at *target* at the same moment is kept, unless it is large.
    """
    stored = await existing(store, source)
    await check_free(store, target, field="to", overwrite=overwrite)
    await place(store, stored, target, overwrite=overwrite)
    await carry_point(store, stored, target)
    return stored


async def place(store: ObjectStore, stored: StoredObject, target: str, *, overwrite: bool) -> None:
    """Copy an object to the path *target* of a source, where `check_free` has found no other; raises InvalidValue."""
    if overwrite or stored.size > WHOLE_BYTES:
        copied = await store.copy(stored.key, keys.source(target))
    else:
        copied = await store.copy_new(stored.key, keys.source(target))
    if not copied:
        raise InvalidValue("The source or the destination has changed meanwhile.", field="to")


async def move(store: ObjectStore, source: str, target: str, *, overwrite: bool) -> None:
    """Move a source; raises what `copy` raises. One that was replaced meanwhile stays where it is as well."""
    if source == target:
        raise InvalidValue("The source and the destination are the same.", field="to")
    stored = await copy(store, source, target, overwrite=overwrite)
    await store.delete_unchanged(stored)
    await delete_facts(store, [source])
    await _keep_directory(store, source)


async def check_free(store: ObjectStore, path: str, *, field: str = "path", overwrite: bool) -> None:
    """Raise InvalidValue if there is a directory at *path*, a file above it, or, without *overwrite*, at it.

    Some stores would replace the one by the other, others keep both, which no directory tree can show.
    """
    *parents, _ = directories.ancestry(path)
    is_directory, found = await asyncio.gather(
        directories.exists(store, "source", path),
        asyncio.gather(*(store.head(keys.source(parent)) for parent in parents)),
    )
    for stored in found:
        if stored is not None and is_file(stored):
            raise InvalidValue(f"There is a file at {stored.key.removeprefix(keys.SOURCE)}.", field=field)
    if is_directory:
        raise InvalidValue("There is a directory of that name.", field=field)
    if not overwrite and await store.head(keys.source(path)) is not None:
        raise InvalidValue("There is a file of that name.", field=field)


async def existing(store: ObjectStore, path: str) -> StoredObject:
    """Return the source at *path*; raises NotFound."""
    stored = await store.head(keys.source(path))
    if stored is None or not is_file(stored):
        raise NotFound("There is no such source.")
    return stored


async def _keep_directory(store: ObjectStore, path: str) -> None:
    parent = path.rpartition("/")[0]
    is_upload = parent.partition("/")[0] == keys.UPLOADS
    if parent and not is_upload and not await directories.exists(store, "source", parent):
        await directories.create(store, "source", parent)
