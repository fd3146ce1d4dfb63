"""Variants that no output names are deleted, and no others, whatever happens meanwhile."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from imageconverter import keys
from imageconverter.engine.target import VariantType
from imageconverter.errors import StoreUnavailable
from imageconverter.images.variants import VARIANT_TYPES
from imageconverter.reports import orphaned_variants, trash
from imageconverter.reports.orphaned_variants import sweep
from imageconverter.reports.trash import TrashBatch, begin_batch, finish_batch, move_to_trash, restore
from imageconverter.storage.store import LoadedObject, ObjectStore, StoredObject

NOW: Final = timedelta(minutes=-1)
"""Everything that is there is older."""


@pytest.fixture(autouse=True)
def all_are_suspects(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that were stored together with their output, as all here are."""
    monkeypatch.setattr(orphaned_variants, "_STORED_TOGETHER", timedelta(seconds=-1))


async def put_output(store: ObjectStore, path: str, variants: str, made_of: str = "0f") -> None:
    """Store an output that names *variants*."""
    metadata = {"made-of": made_of, "variants": variants}
    await store.put(keys.target(path), b"output", content_type="image/jpeg", metadata=metadata)


async def put_variant(store: ObjectStore, path: str, kind: VariantType = "webp", made_of: str = "0f") -> None:
    """Store a variant."""
    metadata = {"made-of": made_of}
    await store.put(keys.variant(kind, path), b"variant", content_type=f"image/{kind}", metadata=metadata)


async def variants(store: ObjectStore) -> list[str]:
    """Return the paths of all variants, with their types."""
    return [stored.key.removeprefix(keys.VARIANTS) async for page in store.list(keys.VARIANTS) for stored in page]


@pytest.mark.parametrize("at_once", [1, 1000])
async def test_only_what_no_output_names_is_deleted(
    store: ObjectStore, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of a deleted output, of another fingerprint, and of a type that the output does not name."""
    monkeypatch.setattr(orphaned_variants, "_AT_ONCE", at_once)
    for path in ("a b/ä+c%20d#?.jpg", "d/kept.jpg"):
        await put_output(store, path, "avif=7 webp=7")
        for kind in VARIANT_TYPES:
            await put_variant(store, path, kind)
    await put_variant(store, "d/deleted.jpg")
    await put_output(store, "d/replaced.jpg", "webp=7", made_of="1e")
    await put_variant(store, "d/replaced.jpg")
    await put_output(store, "d/unnamed.jpg", "avif=7 webp=0")
    for kind in VARIANT_TYPES:
        await put_variant(store, "d/unnamed.jpg", kind)

    assert await sweep(store, older_than=NOW) == 3
    assert await variants(store) == [
        "avif/a b/ä+c%20d#?.jpg",
        "avif/d/kept.jpg",
        "avif/d/unnamed.jpg",
        "webp/a b/ä+c%20d#?.jpg",
        "webp/d/kept.jpg",
    ]
    assert await sweep(store, older_than=NOW) == 0


async def test_a_young_variant_stays(store: ObjectStore) -> None:
    """A worker stores it before its output."""
    await put_variant(store, "d/a.jpg")

    assert await sweep(store) == 0
    assert await variants(store) == ["webp/d/a.jpg"]


async def test_those_stored_with_their_outputs_are_not_looked_up(
    store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A listing shows that they are fine; a sweep of a million takes no million requests."""
    monkeypatch.setattr(orphaned_variants, "_STORED_TOGETHER", timedelta(minutes=10))
    for number in range(20):
        await put_variant(store, f"d/{number}.jpg")
        await put_output(store, f"d/{number}.jpg", "webp=7")

    async def fail(_self: ObjectStore, key: str) -> StoredObject:
        raise AssertionError(key)

    before = await store.cutoff(NOW)
    monkeypatch.setattr(ObjectStore, "head", fail)
    monkeypatch.setattr(ObjectStore, "cutoff", lambda *_: _returned(before))

    assert await sweep(store, older_than=NOW) == 0


async def _returned(value: datetime) -> datetime:
    return value


async def test_a_sweep_ends_when_it_has_deleted_enough(store: ObjectStore) -> None:
    """The next one goes on."""
    for number in range(7):
        await put_variant(store, f"d/{number}.jpg", "avif" if number % 2 else "webp")

    assert [await sweep(store, older_than=NOW, most=3) for _ in range(4)] == [3, 3, 1, 0]
    assert await variants(store) == []


async def test_variants_of_files_in_the_trash_stay(store: ObjectStore) -> None:
    """Until the files are deleted permanently; restored ones have their variants again."""
    path = "d/a.jpg"
    batch = TrashBatch(id="one", kind="product", at=datetime.now(UTC), report=1, files=1, bytes=6)
    await put_output(store, path, "webp=7")
    await put_variant(store, path)
    await begin_batch(store, batch)
    await move_to_trash(store, "one", [path], unchanged=lambda *_: True)
    assert await sweep(store, older_than=NOW) == 0

    await finish_batch(store, "one")
    assert await restore(store, "one") == (1, 0)
    assert await sweep(store, older_than=NOW) == 0
    assert await variants(store) == ["webp/d/a.jpg"]


async def test_the_trash_is_listed_once_for_all(store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever number of batches it has: each scan of the sources may have made one."""
    for number in range(12):
        path, name = f"d/{number}.jpg", f"batch-{number}"
        batch = TrashBatch(id=name, kind="product", at=datetime.now(UTC), report=0, files=1, bytes=6)
        await begin_batch(store, batch)
        await store.put(keys.trash_files(name) + path, b"output", content_type="image/jpeg")
        for kind in VARIANT_TYPES:
            await put_variant(store, path, kind)
    await put_variant(store, "d/orphan.jpg")
    calls: list[str] = []

    class Watched(Faulty):
        async def head(self, key: str) -> StoredObject | None:
            calls.append(key)
            return await super().head(key)

        async def get(self, key: str, *, max_bytes: int | None = None) -> LoadedObject | None:
            calls.append(key)
            return await super().get(key, max_bytes=max_bytes)

        def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
            calls.append(prefix)
            return super().list(prefix, after=after)

    before = await store.cutoff(NOW)
    monkeypatch.setattr(ObjectStore, "cutoff", lambda *_: _returned(before))

    assert await sweep(Watched(store), older_than=NOW) == 1
    assert len(await variants(store)) == 12 * len(VARIANT_TYPES)
    assert [each for each in calls if each.startswith(keys.TRASH)] == [keys.all_trash_files()]


@pytest.mark.parametrize("at", [1, 2])
async def test_what_is_moved_to_the_trash_meanwhile_stays(store: ObjectStore, at: int) -> None:
    """Before the first look at its output, or between that and the second one."""
    path, looks = "d/a.jpg", 0
    await put_output(store, path, "webp=7")
    await put_variant(store, path)
    await begin_batch(store, TrashBatch(id="one", kind="product", at=datetime.now(UTC), report=1, files=1, bytes=6))

    async def move(key: str) -> None:
        nonlocal looks
        looks += key == keys.target(path)
        if looks == at:
            await move_to_trash(store, "one", [path], unchanged=lambda *_: True)

    assert await sweep(Faulty(store, move), older_than=NOW) == 0
    assert looks >= at
    assert await store.head(keys.target(path)) is None
    assert await variants(store) == ["webp/d/a.jpg"]


class Faulty(ObjectStore):
    """A store to which something happens before each look-up, or whose listings lack what is there."""

    def __init__(self, real: ObjectStore, meanwhile: Callable[[str], Awaitable[None]] | None = None) -> None:
        self.__dict__.update(real.__dict__)
        self._meanwhile = meanwhile

    async def head(self, key: str) -> StoredObject | None:
        """Let something happen, and look up."""
        if self._meanwhile is not None:
            await self._meanwhile(key)
        return await super().head(key)

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List no outputs."""
        async for page in super().list(prefix, after=after):
            yield [] if prefix == keys.TARGET else page


async def test_a_listing_that_lacks_outputs_deletes_nothing(store: ObjectStore) -> None:
    """Some stores forget what they hold for a while."""
    await put_output(store, "d/a.jpg", "webp=7")
    await put_variant(store, "d/a.jpg")

    assert await sweep(Faulty(store), older_than=NOW) == 0


@pytest.mark.parametrize("at", [1, 2, 3])
async def test_what_is_converted_meanwhile_stays(store: ObjectStore, at: int) -> None:
    """The variant is stored again, then its output, between any two look-ups."""
    await put_variant(store, "d/a.jpg", made_of="1e")
    before = await store.head(keys.variant("webp", "d/a.jpg"))
    assert before is not None
    heads: list[str] = []

    async def convert(key: str) -> None:
        heads.append(key)
        if len(heads) == at:
            data = b"another variant"
            name, metadata = keys.variant("webp", "d/a.jpg"), {"made-of": "0f"}
            await store.put(name, data, content_type="image/webp", metadata=metadata)
            await put_output(store, "d/a.jpg", "webp=15")

    assert await sweep(Faulty(store, convert), older_than=NOW) == 0
    assert len(heads) >= at
    assert await variants(store) == ["webp/d/a.jpg"]


@pytest.mark.parametrize("at", range(1, 3))
async def test_what_is_restored_meanwhile_stays(store: ObjectStore, at: int) -> None:
    """From the trash, between any two look-ups."""
    path, heads = "d/a.jpg", 0
    await put_output(store, path, "webp=7")
    await put_variant(store, path)
    await begin_batch(store, TrashBatch(id="one", kind="product", at=datetime.now(UTC), report=1, files=1, bytes=6))
    await move_to_trash(store, "one", [path], unchanged=lambda *_: True)
    await finish_batch(store, "one")

    async def come_back(_key: str) -> None:
        nonlocal heads
        heads += 1
        if heads == at:
            await trash.restore(store, "one")

    assert await sweep(Faulty(store, come_back), older_than=NOW) == 0
    assert await variants(store) == ["webp/d/a.jpg"]


class Ending(ObjectStore):
    """A store that goes away after some deletions."""

    def __init__(self, real: ObjectStore, left: int) -> None:
        self.__dict__.update(real.__dict__)
        self._left = left

    async def delete_unchanged(self, stored: StoredObject) -> bool:
        """Delete, or be gone."""
        self._left -= 1
        if self._left < 0:
            raise StoreUnavailable("The object store is gone.")
        return await super().delete_unchanged(stored)


async def test_a_sweep_that_was_interrupted_goes_on_the_next_time(store: ObjectStore) -> None:
    """Nothing has to be remembered for that."""
    await put_output(store, "d/kept.jpg", "webp=7")
    for name in ("0", "1", "2", "kept"):
        await put_variant(store, f"d/{name}.jpg")
    with pytest.raises(StoreUnavailable):
        await sweep(Ending(store, 1), older_than=NOW)

    await sweep(store, older_than=NOW)
    assert await variants(store) == ["webp/d/kept.jpg"]
