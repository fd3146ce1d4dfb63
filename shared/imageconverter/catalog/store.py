"""Catalogs in the object store: immutable parts, and a record of the current version."""

from datetime import timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from imageconverter import keys
from imageconverter.catalog.pending_imports import list_pending
from imageconverter.catalog.version import CatalogVersion, part_name
from imageconverter.errors import StoreUnavailable
from imageconverter.images.image_formats import ImageType
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import LoadedObject, ObjectStore

_PARQUET = "application/vnd.apache.parquet"
_CLOCK_RESOLUTION: Final = timedelta(seconds=1)
_MIN_AGE: Final = timedelta(days=1)  # younger objects may be of a version that is being written


async def publish(store: ObjectStore, kind: ImageType, version: CatalogVersion, folder: Path) -> CatalogVersion:
    """Upload the *version* in *folder*, then make it the current one in one step; returns the current version.

    A current version that was received later stays current. Older versions remain until they are swept, because a
    report may be reading them. Raises StoreUnavailable; then the current version is unchanged.
    """
    for name in map(part_name, range(version.parts)):
        data = (folder / name).read_bytes()
        await store.put(keys.catalog_part(kind, version.version, name), data, content_type=_PARQUET)
    now, record = await store.now() + _CLOCK_RESOLUTION, version.model_dump_json().encode()
    while True:
        loaded = await store.get(keys.current_catalog(kind))
        before = None if loaded is None else _parse(loaded)
        # A time in the future is that of a wrong clock, by which earlier releases have ordered catalogs.
        if before is not None and now >= before.received_at > version.received_at:
            return before
        stored = None if loaded is None else loaded.stored
        if await store.replace(keys.current_catalog(kind), record, content_type="application/json", before=stored):
            return version  # else another reporter was faster: look again


async def current(store: ObjectStore, kind: ImageType) -> CatalogVersion | None:
    """Return the current version, None before the first; raises StoreUnavailable, also if the record is broken."""
    loaded = await store.get(keys.current_catalog(kind))
    return None if loaded is None else _parse(loaded)


def _parse(loaded: LoadedObject) -> CatalogVersion:
    try:
        return CatalogVersion.model_validate_json(bytes(loaded.data))
    except ValidationError as error:
        raise StoreUnavailable("The record of the catalog is broken.") from error


async def fetch(store: ObjectStore, kind: ImageType, version: CatalogVersion, folder: Path) -> list[Path]:
    """Download the parts of *version* to *folder* and return their paths; raises StoreUnavailable."""
    parts = []
    for name in map(part_name, range(version.parts)):
        opened = await store.open(keys.catalog_part(kind, version.version, name))
        if opened is None:
            raise StoreUnavailable("A part of the catalog is missing.")
        with (folder / name).open("wb") as file:
            async for chunk in opened.chunks:
                file.write(chunk)
        parts.append(folder / name)
    return parts


async def sweep(store: ObjectStore, kind: ImageType, *, age: timedelta = _MIN_AGE) -> int:
    """Delete the objects older than *age*, except the current version and pending imports; returns their number.

    Reading an older version fails from then on, and has to start over with the current one.
    """
    version = await current(store, kind)
    # Pending imports are kept, because there may be no reporter for days.
    pending = [keys.pending_catalog(kind, each.id) for each in await list_pending(store) if each.kind == kind]
    current_parts = keys.catalog_part(kind, version.version if version else "none", "")
    kept = (keys.current_catalog(kind), current_parts, *pending)
    return await delete_below(store, keys.catalog(kind), before=await store.cutoff(age), kept=kept)
