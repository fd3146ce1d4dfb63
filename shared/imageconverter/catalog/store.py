"""Catalogues in the object store: parts that never change, and a pointer to the version that counts.

::

    catalog/<type>/<version>/entries-<n>.parquet   the entries of a version
    catalog/<type>/current.json                    the version that counts: a CatalogueVersion
"""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from imageconverter.catalog.version import CatalogueVersion, part_name
from imageconverter.errors import StoreUnavailable
from imageconverter.formats import PictureType
from imageconverter.storage import ObjectStore

CATALOGUES: Final = "catalog/"

_PARQUET = "application/vnd.apache.parquet"


def catalogue_prefix(kind: PictureType) -> str:
    """Prefix of all objects of a type's catalogues."""
    return f"{CATALOGUES}{kind}/"


def catalogue_part(kind: PictureType, version: str, number: int) -> str:
    """Object key of the *number*-th part of a version."""
    return f"{catalogue_prefix(kind)}{version}/{part_name(number)}"


def current_catalogue(kind: PictureType) -> str:
    """Object key of the pointer to the version that counts."""
    return f"{catalogue_prefix(kind)}current.json"


async def publish(store: ObjectStore, kind: PictureType, version: CatalogueVersion, folder: Path) -> None:
    """Make the *version* that was written to *folder* the one that counts, in one step at the end.

    Raises StoreUnavailable; then the one before still counts. Older versions stay: a report may be reading them.
    """
    for number in range(version.parts):
        data = (folder / part_name(number)).read_bytes()
        await store.put(catalogue_part(kind, version.version, number), data, content_type=_PARQUET)
    pointer = version.model_dump_json().encode()
    await store.put(current_catalogue(kind), pointer, content_type="application/json")


async def current(store: ObjectStore, kind: PictureType) -> CatalogueVersion | None:
    """Return the version that counts, None before the first; raises StoreUnavailable, also where it is broken."""
    loaded = await store.get(current_catalogue(kind))
    if loaded is None:
        return None
    try:
        return CatalogueVersion.model_validate_json(bytes(loaded.data))
    except ValidationError as error:
        raise StoreUnavailable("The record of the catalogue is broken.") from error


async def fetch(store: ObjectStore, kind: PictureType, version: CatalogueVersion, folder: Path) -> list[Path]:
    """Copy the parts of *version* to *folder* and return them; raises StoreUnavailable where one is not to be had."""
    parts = []
    for number in range(version.parts):
        opened = await store.open(catalogue_part(kind, version.version, number))
        if opened is None:
            raise StoreUnavailable("A part of the catalogue is gone.")
        part = folder / part_name(number)
        with part.open("wb") as file:
            async for chunk in opened.chunks:
                file.write(chunk)
        parts.append(part)
    return parts
