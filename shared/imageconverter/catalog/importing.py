"""Taking over a whole catalogue: read and checked, written, and in one step at the end the one that counts."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from imageconverter.catalog.database import Workspace, work_folder
from imageconverter.catalog.entries import Notation, read_entries
from imageconverter.catalog.store import publish
from imageconverter.catalog.version import CatalogueVersion
from imageconverter.catalog.writing import write_version
from imageconverter.images.formats import ImageType
from imageconverter.storage.store import ObjectStore


async def import_catalogue(
    store: ObjectStore,
    kind: ImageType,
    chunks: AsyncIterator[bytes],
    notation: Notation,
    workspace: Workspace,
    *,
    came: datetime | None = None,
) -> CatalogueVersion:
    """Make the catalogue that *chunks* hold the one that counts; whatever goes wrong, the one before still does.

    It *came* at that time (None: now): one that came later goes on counting. Returns the one that counts.
    Raises BrokenLine, DatabaseFailed, StoreUnavailable, and whatever *chunks* raises.
    """
    with work_folder(workspace) as folder:
        version = await write_version(
            read_entries(chunks, notation), folder, workspace, came=came or datetime.now(UTC)
        )
        return await publish(store, kind, version, folder)
