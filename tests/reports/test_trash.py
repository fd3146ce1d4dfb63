"""The trash: what was thrown comes back, and goes for good in the end."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from imageconverter import keys
from imageconverter.errors import CleanupRefused, NotFound, StoreUnavailable
from imageconverter.reports import trash
from imageconverter.reports.trash import TrashBatch, begin_batch, list_batches, move_to_trash, restore
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.testing.shop import Shop

PATHS = ["a b/ä+c%20d#?.jpg", "keep/x.jpg", "keep/y.jpg"]


async def moved(shop: Shop, trash_id: str, *paths: str, days: float = 0) -> TrashBatch:
    """Put files into the store and throw them away, so many days ago."""
    await shop.has(*paths)
    made = TrashBatch(
        id=trash_id,
        kind="product",
        at=datetime.now(UTC) - timedelta(days=days),
        report=1,
        files=len(paths),
        bytes=7 * len(paths),
    )
    await begin_batch(shop.store, made)
    await move_to_trash(shop.store, trash_id, paths, unchanged=lambda *_: True)
    return made


async def test_what_was_thrown_comes_back_as_it_was(shop: Shop) -> None:
    """Bytes, type and what was stored with it; the trash is empty then."""
    await moved(shop, "one", *PATHS)
    assert await shop.files() == []

    assert await restore(shop.store, "one") == (3, 0)
    assert await shop.files() == PATHS
    for path in PATHS:
        back = await shop.store.open(keys.target(path))
        assert back is not None
        assert (back.content_type, back.stored.metadata) == ("image/jpeg", {"made-of": "0f"})
        assert b"".join([chunk async for chunk in back.chunks]) == b"content"
    assert await shop.files(keys.TRASH) == []
    with pytest.raises(NotFound):
        await restore(shop.store, "one")


async def test_a_name_that_was_taken_meanwhile_stays_in_the_trash(shop: Shop) -> None:
    """The newer image is the one that is shown; once it is gone, the older may come back."""
    await moved(shop, "one", "keep/x.jpg", "keep/y.jpg")
    await shop.has("keep/x.jpg", data=b"a newer image")

    assert await restore(shop.store, "one") == (1, 1)
    assert await shop.files() == ["keep/x.jpg", "keep/y.jpg"]
    assert await shop.files(keys.trash_files("one")) == ["keep/x.jpg"]
    newer = await shop.store.get(keys.target("keep/x.jpg"))
    assert newer is not None
    assert bytes(newer.data) == b"a newer image"

    await shop.store.delete([keys.target("keep/x.jpg")])
    assert await restore(shop.store, "one") == (1, 0)


@pytest.mark.parametrize("trash_id", ["two", "", "../one", "one/../one", "one/", ".", "on\u0435", "x" * 2000, "a\nb"])
async def test_there_is_no_such_trash(shop: Shop, trash_id: str) -> None:
    """Whatever a client calls it."""
    await moved(shop, "one", "keep/x.jpg")
    with pytest.raises(NotFound):
        await restore(shop.store, trash_id)
    assert await shop.files() == []


class Ending(ObjectStore):
    """A store that goes away before it deletes anything."""

    def __init__(self, real: ObjectStore) -> None:
        self.__dict__.update(real.__dict__)

    async def delete(self, keys: Iterable[str]) -> None:  # noqa: ARG002 - the verb's own
        """Never come to that."""
        raise StoreUnavailable("The object store is gone.")


async def test_a_restoration_that_ended_in_the_middle_goes_on(shop: Shop) -> None:
    """What is back already is not taken for a newer image."""
    await moved(shop, "one", *PATHS)
    with pytest.raises(StoreUnavailable):
        await restore(Ending(shop.store), "one")
    assert await shop.files() == PATHS

    assert await restore(shop.store, "one") == (3, 0)
    assert await shop.files() == PATHS
    assert await shop.files(keys.TRASH) == []


async def test_a_file_that_is_gone_is_passed_over(shop: Shop) -> None:
    """It was deleted concurrently."""
    await shop.has("keep/x.jpg")
    await move_to_trash(shop.store, "one", ["keep/gone.jpg", "keep/x.jpg"], unchanged=lambda *_: True)

    assert await shop.files(keys.trash_files("one")) == ["keep/x.jpg"]


async def test_more_files_than_a_page_come_back(shop: Shop) -> None:
    """While they are listed they become fewer."""
    paths = [f"keep/{number:04}.jpg" for number in range(1001)]
    await moved(shop, "one")
    prefix = keys.trash_files("one")
    await asyncio.gather(*(shop.store.put(prefix + path, b"1", content_type="image/jpeg") for path in paths))

    assert await restore(shop.store, "one") == (1001, 0)
    assert await shop.files() == paths


async def test_all_trash_is_listed_the_newest_first(shop: Shop) -> None:
    """Other objects are ignored."""
    older = await moved(shop, "20261121T000000-abc", "keep/x.jpg")
    newer = await moved(shop, "20261122T000000-abc", "keep/x.jpg")
    await shop.store.put(keys.trash_manifest("odd"), b"{", content_type="application/json")

    assert await list_batches(shop.store) == [newer, older]


async def test_trash_goes_for_good_after_its_days(shop: Shop) -> None:
    """All of its files, and none of a younger one."""
    await moved(shop, "old", "keep/x.jpg", "keep/y.jpg", days=30.1)
    young = await moved(shop, "young", "keep/x.jpg", days=29.9)

    assert await trash.sweep(shop.store, days=30) == 2
    assert await list_batches(shop.store) == [young]
    assert await shop.files(keys.TRASH) == ["files/young/keep/x.jpg", "manifests/young.json"]
    assert await trash.sweep(shop.store, days=30) == 0


async def test_variants_wait_for_their_output(shop: Shop) -> None:
    """They stay where they are while it is in the trash, and are deleted with it for good."""
    metadata = {"made-of": "0f", "variants": "avif=4"}
    for key in (keys.variant("avif", "keep/x.jpg"), keys.target("keep/x.jpg")):
        await shop.store.put(key, b"data", content_type="image/avif", metadata=metadata)
    for days, back in ((0.0, 1), (31.0, 0)):
        batch = TrashBatch(
            id="one", kind="product", at=datetime.now(UTC) - timedelta(days=days), report=1, files=1, bytes=4
        )
        await begin_batch(shop.store, batch)
        await move_to_trash(shop.store, "one", ["keep/x.jpg"], unchanged=lambda *_: True)
        await trash.sweep(shop.store, days=30)
        assert await shop.files(keys.VARIANTS) == (["avif/keep/x.jpg"] if back else [])
        if back:
            assert await restore(shop.store, "one") == (1, 0)


async def test_a_sweep_that_ended_in_the_middle_goes_on(shop: Shop) -> None:
    """The record goes last, or the files would be forgotten."""
    await moved(shop, "old", "keep/x.jpg", days=31)
    with pytest.raises(StoreUnavailable):
        await trash.sweep(Ending(shop.store), days=30)
    assert len(await list_batches(shop.store)) == 1
    assert await trash.sweep(shop.store, days=30) == 1
    assert await shop.files(keys.TRASH) == []


async def test_nothing_is_restored_while_the_clean_up_runs(shop: Shop) -> None:
    """What it takes afterwards would be in no trash; one that never ended is known by its age."""
    running = (await moved(shop, "one", *PATHS)).model_copy(update={"done": False})
    await begin_batch(shop.store, running)
    with pytest.raises(CleanupRefused, match="still running"):
        await restore(shop.store, "one")
    assert await shop.files() == []

    await begin_batch(shop.store, running.model_copy(update={"at": running.at - timedelta(days=2)}))
    assert await restore(shop.store, "one") == (3, 0)


class Racing(ObjectStore):
    """A store in which a worker stores another image just before, or just after, each call of one kind."""

    def __init__(self, store: ObjectStore, moment: str) -> None:
        """Race with the calls of *moment*."""
        self.__dict__.update(store.__dict__)
        self.moment = moment

    async def head(self, key: str) -> StoredObject | None:
        """Race after a look at a missing image."""
        found = await super().head(key)
        if found is None:
            await self._race("missing", key)
        return found

    async def copy(self, source: str, target: str) -> bool:
        """Race after a copy."""
        copied = await super().copy(source, target)
        await self._race("copied", source)
        return copied

    async def delete_unchanged(self, stored: StoredObject) -> bool:
        """Race before a deletion."""
        await self._race("deleting", stored.key)
        return await super().delete_unchanged(stored)

    async def _race(self, moment: str, key: str) -> None:
        if moment == self.moment:
            await self.put(key, b"a new image", content_type="image/jpeg")


@pytest.mark.parametrize("moment", ["copied", "deleting"])
async def test_a_file_that_is_made_anew_meanwhile_stays(shop: Shop, moment: str) -> None:
    """A worker has stored a new image, even at the last moment before the deletion."""
    await shop.has("keep/x.jpg")
    await move_to_trash(Racing(shop.store, moment), "one", ["keep/x.jpg"], unchanged=lambda *_: True)

    assert await shop.files() == ["keep/x.jpg"]
    assert await shop.files(keys.TRASH) == []
    assert await _content(shop, "keep/x.jpg") == b"a new image"


async def test_a_file_that_is_made_anew_meanwhile_is_not_overwritten(shop: Shop) -> None:
    """By the one that is restored, which stays in the trash."""
    await moved(shop, "one", "keep/x.jpg")

    assert await restore(Racing(shop.store, "missing"), "one") == (0, 1)
    assert await _content(shop, "keep/x.jpg") == b"a new image"
    assert await shop.files(keys.trash_files("one")) == ["keep/x.jpg"]


async def _content(shop: Shop, path: str) -> bytes:
    found = await shop.store.get(keys.target(path))
    assert found is not None
    return bytes(found.data)


async def test_a_file_that_another_attempt_deletes_meanwhile_stays_in_the_trash(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An attempt before has failed, but a request that it had sent was still carried out."""
    deletes = ObjectStore.delete_unchanged

    async def delete_twice(store: ObjectStore, stored: StoredObject) -> bool:
        await deletes(store, stored)
        return await deletes(store, stored)

    monkeypatch.setattr(ObjectStore, "delete_unchanged", delete_twice)
    await moved(shop, "one", *PATHS)
    assert await shop.files() == []
    assert await shop.files(keys.trash_files("one")) == PATHS
