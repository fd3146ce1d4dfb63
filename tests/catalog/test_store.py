"""Catalogs in a real object store: replaced in one step."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from imageconverter import keys
from imageconverter.catalog import CatalogVersion, Entry, current, fetch, publish, sweep
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.version import part_name
from imageconverter.catalog.writing import write_version
from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage.store import LoadedObject, ObjectStore
from tests.catalog.test_writing import ENTRIES, batches, kept


@pytest.fixture
async def store(resources: Resources) -> AsyncIterator[ObjectStore]:
    """The tests' bucket, before and afterwards without catalogs of products."""

    async def empty() -> None:
        async for page in resources.store.list(keys.catalog("product")):
            await resources.store.delete(stored.key for stored in page)

    await empty()
    yield resources.store
    await empty()


async def written(folder: Path, entries: list[Entry]) -> CatalogVersion:
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


async def test_a_later_version_is_never_replaced_by_an_earlier_one(store: ObjectStore, tmp_path: Path) -> None:
    """Although the reporter of the earlier one looks before the later is published, and writes after that."""
    earlier = await written(tmp_path / "earlier", ENTRIES)
    earlier = earlier.model_copy(update={"received_at": earlier.received_at - timedelta(minutes=1)})
    later = (await written(tmp_path / "later", ENTRIES[:1])).model_copy(
        update={"received_at": earlier.received_at + timedelta(seconds=1)}
    )

    class Slow(ObjectStore):
        """A store that another reporter uses between a look at the record and its replacement."""

        def __init__(self) -> None:
            self.__dict__.update(store.__dict__)
            self.interrupted = False

        async def get(self, key: str, *, max_bytes: int | None = None) -> LoadedObject | None:
            """Look, and let the other one publish."""
            found = await super().get(key, max_bytes=max_bytes)
            if not self.interrupted:
                self.interrupted = True
                await publish(store, "product", later, tmp_path / "later")
            return found

    assert await publish(Slow(), "product", earlier, tmp_path / "earlier") == later
    assert await current(store, "product") == later


async def test_a_record_of_a_clock_that_was_ahead_is_replaced(store: ObjectStore, tmp_path: Path) -> None:
    """Earlier releases have ordered catalogs by the clocks of gateways."""
    ahead = (await written(tmp_path / "ahead", ENTRIES)).model_copy(
        update={"received_at": datetime.now(UTC) + timedelta(days=40)}
    )
    await publish(store, "product", ahead, tmp_path / "ahead")
    newer = await written(tmp_path / "newer", ENTRIES[:1])

    assert await publish(store, "product", newer, tmp_path / "newer") == newer


async def test_a_version_that_is_not_there_whole_is_not_read(store: ObjectStore, tmp_path: Path) -> None:
    """Half a catalog would make a report of lies."""
    version = await written(tmp_path / "new", ENTRIES)
    await publish(store, "product", version, tmp_path / "new")
    await store.delete([keys.catalog_part("product", version.version, part_name(0))])

    with pytest.raises(StoreUnavailable, match="missing"):
        await fetch(store, "product", version, tmp_path)


async def test_what_does_not_count_any_more_is_swept_when_it_is_old(store: ObjectStore, tmp_path: Path) -> None:
    """The version that counts stays whatever its age; what is young may be a version in the making."""
    older = await written(tmp_path / "older", ENTRIES)
    newer = await written(tmp_path / "newer", ENTRIES)
    await publish(store, "product", older, tmp_path / "older")
    await publish(store, "product", newer, tmp_path / "newer")
    await store.put(keys.pending_catalog("product", "0a1b") + "000000", b"{", content_type="text/plain")

    assert await sweep(store, "product") == 0
    assert await sweep(store, "category", age=timedelta(seconds=-1)) == 0
    assert await sweep(store, "product", age=timedelta(seconds=-1)) == 2
    assert await fetch(store, "product", newer, tmp_path) == [tmp_path / "entries-00000.parquet"]
    assert await current(store, "product") == newer
    with pytest.raises(StoreUnavailable, match="missing"):
        await fetch(store, "product", older, tmp_path)


async def test_a_broken_record_is_an_error_and_not_an_empty_catalog(store: ObjectStore) -> None:
    """An empty one would call everything unused."""
    await store.put(keys.current_catalog("product"), b"{", content_type="application/json")

    with pytest.raises(StoreUnavailable, match="broken"):
        await current(store, "product")
