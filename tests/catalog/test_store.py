"""Catalogues in a real object store: replaced in one step."""

from pathlib import Path

import pytest

from imageconverter.catalog import CatalogueVersion, Entry, Workspace, current, fetch, publish, write_version
from imageconverter.catalog.store import catalogue_part, catalogue_prefix, current_catalogue
from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage import ObjectStore
from tests.catalog.test_version import ENTRIES, batches, kept


@pytest.fixture
async def store(resources: Resources) -> ObjectStore:
    """The tests' bucket, without catalogues of products."""
    async for page in resources.store.list(catalogue_prefix("product")):
        await resources.store.delete(stored.key for stored in page)
    return resources.store


async def written(folder: Path, entries: list[Entry]) -> CatalogueVersion:
    """Write a version into a new folder."""
    folder.mkdir()
    return await write_version(batches(entries), folder, Workspace(folder))


async def test_a_published_version_comes_back_whole(store: ObjectStore, tmp_path: Path) -> None:
    """Its record and its entries; before the first there is none."""
    assert await current(store, "product") is None
    version = await written(tmp_path / "new", ENTRIES)
    await publish(store, "product", version, tmp_path / "new")

    (tmp_path / "fetched").mkdir()
    found = await current(store, "product")
    assert found == version
    assert await fetch(store, "product", found, tmp_path / "fetched") == [tmp_path / "fetched/entries-00000.parquet"]
    assert kept(tmp_path / "fetched", found) == ENTRIES


async def test_a_newer_version_takes_the_place_and_the_older_stays(store: ObjectStore, tmp_path: Path) -> None:
    """A report that reads the older is not disturbed."""
    older = await written(tmp_path / "older", ENTRIES)
    newer = await written(tmp_path / "newer", ENTRIES[:1])
    await publish(store, "product", older, tmp_path / "older")
    await publish(store, "product", newer, tmp_path / "newer")

    assert await current(store, "product") == newer
    assert await current(store, "category") is None
    assert await fetch(store, "product", older, tmp_path) == [tmp_path / "entries-00000.parquet"]


async def test_a_version_that_is_not_there_whole_is_not_read(store: ObjectStore, tmp_path: Path) -> None:
    """Half a catalogue would make a report of lies."""
    version = await written(tmp_path / "new", ENTRIES)
    await publish(store, "product", version, tmp_path / "new")
    await store.delete([catalogue_part("product", version.version, 0)])

    with pytest.raises(StoreUnavailable, match="gone"):
        await fetch(store, "product", version, tmp_path)


async def test_a_broken_record_is_trouble_not_an_empty_catalogue(store: ObjectStore) -> None:
    """An empty one would call everything unused."""
    await store.put(current_catalogue("product"), b"{", content_type="application/json")

    with pytest.raises(StoreUnavailable, match="broken"):
        await current(store, "product")
