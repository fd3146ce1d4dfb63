"""Catalogs in the object store: parts that never change, and a record of the version that counts."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from imageconverter import keys
from imageconverter.catalog.pending_imports import list_pending
from imageconverter.catalog.version import CatalogVersion, part_name
from imageconverter.errors import StoreUnavailable
from imageconverter.images.formats import ImageType
from imageconverter.storage.store import ObjectStore
from imageconverter.storage.sweep import delete_below

_PARQUET = "application/vnd.apache.parquet"
_KEPT: Final = timedelta(days=1)  # a version that is being written is younger


async def publish(store: ObjectStore, kind: ImageType, version: CatalogVersion, folder: Path) -> CatalogVersion:
    """Make the *version* that was written to *folder* the one that counts, in one step at the end.

    Where one counts that came later, it goes on counting. Returns the one that counts. Older versions stay until they
    are swept: a report may be reading them. Raises StoreUnavailable; then the one before still counts.
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
    """Return the version that counts, None before the first; raises StoreUnavailable, also where it is broken."""
    loaded = await store.get(keys.current_catalog(kind))
    if loaded is None:
        return None
    try:
        return CatalogVersion.model_validate_json(bytes(loaded.data))
    except ValidationError as error:
        raise StoreUnavailable("The record of the catalog is broken.") from error


async def fetch(store: ObjectStore, kind: ImageType, version: CatalogVersion, folder: Path) -> list[Path]:
    """Copy the parts of *version* to *folder* and return them; raises StoreUnavailable where one is not to be had."""
    parts = []
    for name in map(part_name, range(version.parts)):
        opened = await store.open(keys.catalog_part(kind, version.version, name))
        if opened is None:
            raise StoreUnavailable("A part of the catalog is gone.")
        with (folder / name).open("wb") as file:
            async for chunk in opened.chunks:
                file.write(chunk)
        parts.append(folder / name)
    return parts


async def sweep(store: ObjectStore, kind: ImageType, *, age: timedelta = _KEPT) -> int:
    """Delete what is of that *age* and of no version that counts; returns the number of objects.

    Whoever reads a version meanwhile that does not count any more fails whole, and begins again with the next.
    """
    version = await current(store, kind)
    # What was received whole is waited for: its reporter may be away for days.
    arrived = [keys.pending_catalog(kind, each.id) for each in await list_pending(store) if each.kind == kind]
    counts = keys.catalog_part(kind, version.version if version else "none", "")
    kept = (keys.current_catalog(kind), counts, *arrived)
    return await delete_below(store, keys.catalog(kind), before=datetime.now(UTC) - age, kept=kept)
