"""Catalogs in the object store: immutable parts, and a record of the current version."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from imageconverter import keys
from imageconverter.catalog.pending_imports import list_pending
from imageconverter.catalog.version import CatalogVersion, part_name
from imageconverter.errors import StoreUnavailable
from imageconverter.images.image_formats import ImageType
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore

_PARQUET = "application/vnd.apache.parquet"
_MIN_AGE: Final = timedelta(days=1)  # younger objects may be of a version that is being written


async def publish(store: ObjectStore, kind: ImageType, version: CatalogVersion, folder: Path) -> CatalogVersion:
    """Upload the *version* in *folder*, then make it the current one in one step; returns the current version.

    A current version that was received later stays current. Older versions remain until they are swept, because a
    report may be reading them. Raises StoreUnavailable; then the current version is unchanged.
    """
    for name in map(part_name, range(version.parts)):
        data = (folder / name).read_bytes()
        await store.put(keys.catalog_part(kind, version.version, name), data, content_type=_PARQUET)
    before = await current(store, kind)
    if before is not None and before.received_at > version.received_at:
        return before
    record = version.model_dump_json().encode()
    await store.put(keys.current_catalog(kind), record, content_type="application/json")
    return version


async def current(store: ObjectStore, kind: ImageType) -> CatalogVersion | None:
    """Return the current version, None before the first; raises StoreUnavailable, also if the record is broken."""
    loaded = await store.get(keys.current_catalog(kind))
    if loaded is None:
        return None
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
    return await delete_below(store, keys.catalog(kind), before=datetime.now(UTC) - age, kept=kept)
