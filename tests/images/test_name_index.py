"""The index of names, with the real store."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.images import name_index
from imageconverter.images.name_index import NameIndex
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore, StoredObject

NAMES = ("A/Stuhl rot.jpg", "A/stuhl-blau.jpg", "A/tisch.jpg", "b/STRASSE Ü.png", "b/stuhl", "z.jpg")


@pytest.fixture
async def directory(resources: Resources) -> str:
    """A directory with NAMES, and an upload beside it."""
    path = f"index {uuid4().hex[:8]}"
    for name in NAMES:
        await resources.store.put(f"source/{path}/{name}", b"x", content_type="image/png")
    await resources.store.put(f"source/upload/0123456789ab/{path}", b"x", content_type="image/png")
    return path


@pytest.fixture
async def index(resources: Resources) -> AsyncIterator[NameIndex]:
    """An index of the source tree."""
    made = NameIndex(resources.store, "source", max_bytes=1_000_000)
    yield made
    await made.close()


async def found(index: NameIndex, text: str, directory: str, *, size: int = 100) -> list[str]:
    """Return what all pages of a search have, without *directory*."""
    paths: list[str] = []
    cursor = ""
    while True:
        page, cursor = await index.search(text, directory, after=cursor, size=size)
        assert len(page) <= size
        paths += [stored.key.removeprefix(f"source/{directory}/") for stored in page]
        if not cursor:
            return paths


@pytest.mark.parametrize("size", [1, 100])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("stuhl", ["A/Stuhl rot.jpg", "A/stuhl-blau.jpg", "b/stuhl"]),
        ("STUHL-", ["A/stuhl-blau.jpg"]),
        ("straße ü", ["b/STRASSE Ü.png"]),
        ("U\u0308.png", ["b/STRASSE Ü.png"]),
        ("b/s", ["b/STRASSE Ü.png", "b/stuhl"]),
        ("nothing", []),
    ],
)
async def test_any_part_of_a_path_is_found(
    index: NameIndex, directory: str, text: str, expected: list[str], size: int
) -> None:
    """Without regard to case and Unicode form; in pages that go on where the one before ends."""
    assert await found(index, text, directory, size=size) == expected


async def test_only_what_is_below_the_directory_is_found(index: NameIndex, directory: str) -> None:
    """Anywhere without one, except in uploads."""
    assert await found(index, "stuhl", f"{directory}/b") == ["stuhl"]
    everywhere = await found(index, directory, "")
    assert everywhere == [f"source/{directory}/{name}" for name in NAMES]


async def test_what_was_deleted_is_not_found(index: NameIndex, resources: Resources, directory: str) -> None:
    """Although the index has it."""
    assert "z.jpg" in await found(index, "z.jpg", directory)
    await resources.store.delete([f"source/{directory}/z.jpg"])
    assert await found(index, "z.jpg", directory) == []


async def test_what_was_stored_is_found_after_a_while(
    index: NameIndex, resources: Resources, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the index has been built again, in the background."""
    monkeypatch.setattr(name_index, "_MIN_AGE_SECONDS", 0.0)
    monkeypatch.setattr(name_index, "_MAX_LISTING_SHARE", 1e9)
    assert await found(index, "new", directory) == []
    await resources.store.put(f"source/{directory}/new.jpg", b"x", content_type="image/png")
    async with asyncio.timeout(20):
        while await found(index, "new", directory) != ["new.jpg"]:
            await asyncio.sleep(0.01)


async def test_names_beyond_the_memory_are_found_too(resources: Resources, directory: str) -> None:
    """By listing them for each search."""
    small = NameIndex(resources.store, "source", max_bytes=0)
    assert await found(small, "stuhl", directory) == ["A/Stuhl rot.jpg", "A/stuhl-blau.jpg", "b/stuhl"]
    await small.close()


class Endless(ObjectStore):
    """A store that lists many pages."""

    def __init__(self, real: ObjectStore, directory: str, pages: int) -> None:
        self._real = real
        self._directory = directory
        self._pages = pages
        self.fails = False

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """Yield pages with the names of all real objects in the last one."""
        if self.fails:
            raise StoreUnavailable("The store is unavailable.")
        for number in range(self._pages):
            key = f"{prefix}{self._directory}/A/{number:05}.jpg"
            if key > after:
                yield [StoredObject(key, 1, "", datetime.now(UTC))]
            await asyncio.sleep(0)
        async for page in self._real.list(f"{prefix}{self._directory}/", after=after):
            yield page

    async def head(self, key: str) -> StoredObject | None:
        """Look up a real object."""
        return await self._real.head(key)


async def test_a_page_takes_no_longer_among_many_names(resources: Resources, directory: str) -> None:
    """It has a cursor instead, behind which the search goes on to the end."""
    index = NameIndex(Endless(resources.store, directory, 1000), "source", max_bytes=10_000_000)
    page, cursor = await index.search("tisch", directory, after="", size=10)
    assert (page, bool(cursor)) == ([], True)
    assert await found(index, "tisch", directory) == ["A/tisch.jpg"]
    await index.close()


async def test_an_outage_is_reported_and_forgotten(resources: Resources, directory: str) -> None:
    """The next search lists again."""
    store = Endless(resources.store, directory, 1)
    store.fails = True
    index = NameIndex(store, "source", max_bytes=10_000_000)
    with pytest.raises(StoreUnavailable):
        await found(index, "tisch", directory)
    store.fails = False
    assert await found(index, "tisch", directory) == ["A/tisch.jpg"]
    await index.close()
