"""Taking over a catalog: all of it counts from one moment on, or the one before still does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from imageconverter import keys
from imageconverter.catalog import CatalogVersion, Notation, current, fetch
from imageconverter.catalog import writing as module
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.importing import import_catalog
from imageconverter.catalog.pending_imports import discard, read_parts, receive
from imageconverter.errors import BrokenLine, DatabaseFailed, NotFound, StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore
from tests.catalog.test_writing import kept

GOOD = b'{"id":"1","active":true,"images":["a.jpg","b.jpg"]}\n{"id":"2","active":false,"images":["c.jpg"]}\n'


@pytest.fixture
async def store(resources: Resources) -> ObjectStore:
    """The tests' bucket, without catalogs of products."""
    async for page in resources.store.list(keys.catalog("product")):
        await resources.store.delete(stored.key for stored in page)
    return resources.store


async def sent(*chunks: bytes) -> AsyncIterator[bytes]:
    """Send some chunks."""
    for chunk in chunks:
        yield chunk


async def take(
    store: ObjectStore, folder: Path, *chunks: bytes, notation: Notation = "ndjson", memory_mb: int = 64
) -> CatalogVersion:
    """Take over a catalog of products."""
    workspace = Workspace(folder, memory_mb=memory_mb, disk_mb=memory_mb - 1, threads=1)
    return await import_catalog(store, "product", sent(*chunks), notation, workspace)


async def test_a_catalog_counts_once_all_of_it_is_there(store: ObjectStore, tmp_path: Path) -> None:
    """In either notation; nothing is left in the folder."""
    version = await take(store, tmp_path, GOOD[:30], GOOD[30:])
    assert (version.entries, version.images) == (2, 2)
    assert await current(store, "product") == version
    assert list(tmp_path.iterdir()) == []

    again = await take(store, tmp_path, b"id,active,images\n1,true,a.jpg|b.jpg\n2,0,c.jpg\n", notation="csv")
    assert await current(store, "product") == again
    await fetch(store, "product", again, tmp_path)
    assert [(entry.id, entry.images) for entry in kept(tmp_path, again)] == [
        ("1", ("a.jpg", "b.jpg")),
        ("2", ("c.jpg",)),
    ]


async def test_what_was_received_can_be_taken_over_and_discarded(store: ObjectStore, tmp_path: Path) -> None:
    """Discarding it does not touch what was made of it."""
    pending = await receive(store, "product", sent(GOOD), "ndjson")
    version = await import_catalog(store, "product", read_parts(store, pending), "ndjson", Workspace(tmp_path))
    await discard(store, pending)

    assert await current(store, "product") == version
    assert len(await fetch(store, "product", version, tmp_path)) == 1
    with pytest.raises(NotFound):
        await import_catalog(store, "product", read_parts(store, pending), "ndjson", Workspace(tmp_path))
    assert await current(store, "product") == version


@pytest.mark.parametrize(
    "broken",
    [
        b'{"id":"3"',
        b'{"id":"3","active":true,"images":["a/b.jpg"]}',
        b'{"id":"1","active":true,"images":[]}',
        b'{"id":"\xff","active":true,"images":[]}',
        b"x" * 10_000_000,
    ],
)
async def test_a_broken_line_leaves_the_catalog_that_counted(
    store: ObjectStore, tmp_path: Path, broken: bytes
) -> None:
    """The error names the line."""
    before = await take(store, tmp_path, GOOD)
    with pytest.raises(BrokenLine, match="Line 3"):
        await take(store, tmp_path, GOOD, broken)

    assert await current(store, "product") == before
    assert list(tmp_path.iterdir()) == []


async def test_a_catalog_that_breaks_off_leaves_the_one_that_counted(store: ObjectStore, tmp_path: Path) -> None:
    """Though what has come of it were a good catalog by itself."""
    before = await take(store, tmp_path, GOOD)

    async def breaking_off() -> AsyncIterator[bytes]:
        yield GOOD
        raise StoreUnavailable("The object store did not answer in time.")

    with pytest.raises(StoreUnavailable):
        await import_catalog(store, "product", breaking_off(), "ndjson", Workspace(tmp_path))
    assert await current(store, "product") == before
    assert list(tmp_path.iterdir()) == []


class Failing(ObjectStore):
    """A store that takes so many objects and no more."""

    def __init__(self, real: ObjectStore, *, puts: int) -> None:
        self.__dict__.update(real.__dict__)
        self._left = puts

    async def put(self, key, data, **options):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201 - as it is
        """Put while there is something left."""
        if key != keys.WRITE_CHECK:
            self._take()
        return await super().put(key, data, **options)

    async def replace(self, key, data, **options):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201
        """Replace while there is something left."""
        self._take()
        return await super().replace(key, data, **options)

    def _take(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise StoreUnavailable("The object store is full.")


@pytest.mark.parametrize("puts", [0, 1, 2, 3])
async def test_a_store_that_fails_leaves_the_catalog_that_counted(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, puts: int
) -> None:
    """At any of the parts, and at the record that switches."""
    before = await take(store, tmp_path, GOOD)
    monkeypatch.setattr(module, "_PART_BYTES", 1)
    blocks = [
        b"".join(b'{"id":"%0250d","active":true,"images":[]}\n' % n for n in range(m, m + 1000)) for m in (0, 1000)
    ]
    with pytest.raises(StoreUnavailable):
        await take(Failing(store, puts=puts), tmp_path, *blocks)
    assert await current(store, "product") == before
    assert list(tmp_path.iterdir()) == []

    after = await take(Failing(store, puts=4), tmp_path, *blocks)
    assert after.parts == 3
    assert await current(store, "product") == after


async def test_too_little_room_leaves_the_catalog_that_counted(store: ObjectStore, tmp_path: Path) -> None:
    """Memory or disk."""
    before = await take(store, tmp_path, GOOD)
    many = b"".join(b'{"id":"%0250d","active":true,"images":[]}\n' % n for n in range(20_000))
    with pytest.raises(DatabaseFailed):
        await take(store, tmp_path, many, memory_mb=1)
    assert await current(store, "product") == before


async def test_a_canceled_import_leaves_the_current_catalog(store: ObjectStore, tmp_path: Path) -> None:
    """The reporter is stopped while it reads lines."""
    before = await take(store, tmp_path, GOOD)
    reached = asyncio.Event()

    async def hanging() -> AsyncIterator[bytes]:
        yield GOOD
        reached.set()
        await asyncio.Event().wait()

    taking = asyncio.ensure_future(import_catalog(store, "product", hanging(), "ndjson", Workspace(tmp_path)))
    await asyncio.wait_for(reached.wait(), 20)
    taking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await taking
    assert await current(store, "product") == before
    assert list(tmp_path.iterdir()) == []
