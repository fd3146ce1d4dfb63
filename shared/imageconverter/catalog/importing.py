"""Importing a catalog: read, check and write it, then make it the current one in one step."""

from collections.abc import AsyncIterator, Collection
from datetime import datetime

from imageconverter.catalog.database import Workspace, work_folder
from imageconverter.catalog.entries import Notation, read_entries
from imageconverter.catalog.store import publish
from imageconverter.catalog.version import CatalogVersion
from imageconverter.catalog.writing import write_version
from imageconverter.images.image_formats import ImageType
from imageconverter.storage.store import ObjectStore


async def import_catalog(
    store: ObjectStore,
    kind: ImageType,
    chunks: AsyncIterator[bytes],
    notation: Notation,
    workspace: Workspace,
    *,
    received_at: datetime | None = None,
    subshops: Collection[str] = (),
) -> CatalogVersion:
    """Make the catalog in *chunks* the current one and return the current one; after an error it is unchanged.

    *subshops* has the ids that its entries may name.
    A catalog received later than *received_at* (default: now) stays the current one. Raises BrokenLine,
    DatabaseFailed, StoreUnavailable, and whatever *chunks* raises.
    """
    with work_folder(workspace) as folder:
        version = await write_version(
            read_entries(chunks, notation, subshops), folder, workspace, received_at=received_at or await store.now()
        )
        return await publish(store, kind, version, folder)
