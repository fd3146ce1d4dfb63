"""What a gateway remembers of objects: until it changes them itself, or for some seconds."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore, StoredObject
from services.gateway.known_objects import KnownObjects
from tests.conftest import MakeSettings, storage_settings

Change = Callable[[ObjectStore, StoredObject], Awaitable[object]]


class Watched(ObjectStore):
    """The store of the tests, whose look-ups are counted, and can be held up or fail."""

    lookups = 0
    answered = 0
    error: Exception | None = None
    passing: asyncio.Event | None = None
    """Look-ups that the store has answered wait for it."""

    async def head(self, key: str) -> StoredObject | None:
        """Look an object up."""
        self.lookups += 1
        if self.error is not None:
            raise self.error
        found = await super().head(key)
        self.answered += 1
        if self.passing is not None:
            await self.passing.wait()
        return found


@pytest.fixture
def store(servers: dict[str, str]) -> Watched:
    """The store of a gateway."""
    return Watched(storage_settings(servers))


@pytest.fixture
async def key(resources: Resources) -> AsyncIterator[str]:
    """An object that another process has stored."""
    key = f"known {uuid4().hex}"
    await resources.store.put(key, b"1", content_type="text/plain")
    yield key
    await resources.store.delete([key, f"{key} other"])


async def test_an_object_is_looked_up_once_for_all(store: Watched, key: str) -> None:
    """Also for requests at the same time."""
    known = KnownObjects(store, seconds=60)
    found = await asyncio.gather(*(known.find(key) for _ in range(10)))
    found.append(await known.find(key))

    assert {each.size for each in found if each} == {1}
    assert (len(found), store.lookups) == (11, 1)


async def test_what_others_change_is_noticed_in_time(store: Watched, resources: Resources, key: str) -> None:
    """Not before."""
    lasting, short = KnownObjects(store, seconds=60), KnownObjects(store, seconds=0.2)
    for known in (lasting, short):
        await known.find(key)
    await resources.store.put(key, b"12", content_type="text/plain")

    async with asyncio.timeout(20):
        while (found := await short.find(key)) is not None and found.size == 1:
            await asyncio.sleep(0.02)
    assert found is not None
    assert found.size == 2
    before = await lasting.find(key)
    assert before is not None
    assert before.size == 1


async def _in_parts(store: ObjectStore, stored: StoredObject) -> None:
    async with store.put_in_parts(stored.key, content_type="text/plain") as parts:
        await parts.add(b"12")


async def _by_copy(store: ObjectStore, stored: StoredObject) -> None:
    other = f"{stored.key} other"
    await store.put(other, b"12", content_type="text/plain")
    await store.copy(other, stored.key)


async def _by_copy_of_the_same(store: ObjectStore, stored: StoredObject) -> None:
    other = f"{stored.key} other"
    await store.put(other, b"12", content_type="text/plain")
    copied = await store.head(other)
    assert copied is not None
    await store.copy_unchanged(copied, stored.key)


CHANGES: dict[str, Change] = {
    "put": lambda store, stored: store.put(stored.key, b"12", content_type="text/plain"),
    "put in parts": _in_parts,
    "replace": lambda store, stored: store.replace(stored.key, b"12", content_type="text/plain", before=stored),
    "copy": _by_copy,
    "copy unchanged": _by_copy_of_the_same,
    "metadata": lambda store, stored: store.replace_metadata(
        stored, content_type="text/plain", metadata={"made-of": "1"}
    ),
    "delete": lambda store, stored: store.delete([stored.key]),
    "delete unchanged": lambda store, stored: store.delete_unchanged(stored),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
async def test_what_the_gateway_changes_is_noticed_at_once(store: Watched, key: str, change: Change) -> None:
    """Whatever call changes it."""
    known = KnownObjects(store, seconds=60)
    before = await known.find(key)
    assert before is not None
    await change(store, before)
    after = await known.find(key)

    assert after is None or (after.size, after.metadata) != (before.size, before.metadata)


async def test_a_lookup_that_a_change_has_overtaken_is_not_remembered(store: Watched, key: str) -> None:
    """Who began it earlier may get it."""
    known, store.passing = KnownObjects(store, seconds=60), asyncio.Event()
    early = asyncio.create_task(known.find(key))
    async with asyncio.timeout(20):
        while not store.answered:
            await asyncio.sleep(0)
    await store.put(key, b"12", content_type="text/plain")
    late = asyncio.create_task(known.find(key))
    store.passing.set()
    found = await late
    await early

    assert found is not None
    assert found.size == 2
    assert await known.find(key) == found


async def test_what_is_missing_or_cannot_be_looked_up_is_not_remembered(store: Watched, key: str) -> None:
    """The next request finds it as soon as it is there."""
    known = KnownObjects(store, seconds=60)
    assert await known.find(f"{key} other") is None
    assert await known.find(f"{key} other") is None
    assert store.lookups == 2
    store.error = StoreUnavailable("It is down.")
    with pytest.raises(StoreUnavailable):
        await known.find(key)
    store.error = None

    assert await known.find(key) is not None


async def test_a_client_that_leaves_does_not_disturb_the_others(store: Watched, key: str) -> None:
    """Nor does the look-up begin again."""
    known, store.passing = KnownObjects(store, seconds=60), asyncio.Event()
    leaving, staying = (asyncio.create_task(known.find(key)) for _ in range(2))
    async with asyncio.timeout(20):
        while not store.answered:
            await asyncio.sleep(0)
    leaving.cancel()
    store.passing.set()

    assert await staying is not None
    assert store.lookups == 1


def test_a_gateway_that_is_gone_is_not_kept(make_settings: MakeSettings) -> None:
    """By its store, which may be used by others."""
    store = ObjectStore(make_settings().storage)
    KnownObjects(store, seconds=60)

    assert not store._calls.listeners
