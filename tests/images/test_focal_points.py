"""Focal points of sources, in a real store: nothing that is done to a source loses or misplaces them."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.images import directories, focal_points, source_restore, source_trash, sources
from imageconverter.images.focal_points import find_points, read_points, set_point
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore, StoredObject

CROP = Target(max_width=10, max_height=10, fit="crop")
POINT, OTHER = (0.25, 0.75), (1.0, 0.0)


class Sources:
    """A directory of sources."""

    def __init__(self, store: ObjectStore) -> None:
        self.store, self.directory = store, f"focal {uuid4().hex}"

    async def put(self, name: str, data: bytes = b"a") -> StoredObject:
        """Store a source; returns it."""
        await self.store.put(keys.source(self.path(name)), data, content_type="image/png")
        return await sources.existing(self.store, self.path(name))

    def path(self, name: str) -> str:
        """Return the path of a source."""
        return f"{self.directory}/{name}"

    async def point(self, name: str) -> tuple[float, float] | None:
        """Return the focal point of a source as it is."""
        stored = await sources.existing(self.store, self.path(name))
        point = (await read_points(self.store, self.path(name))).get(stored.etag)
        assert (await find_points(self.store, [stored], [CROP])).get(stored.key) == point
        return point


@pytest.fixture
async def there(resources: Resources) -> AsyncIterator[Sources]:
    """Sources that no other test uses."""
    there = Sources(resources.store)
    yield there
    for prefix in (keys.SOURCE, keys.FOCAL_POINTS):
        async for page in resources.store.list(f"{prefix}{there.directory}/"):
            await resources.store.delete([each.key for each in page])


async def test_a_point_is_set_replaced_and_removed(there: Sources) -> None:
    """And the object goes with the last one."""
    stored = await there.put("a.png")

    assert await there.point("a.png") is None
    assert await set_point(there.store, stored, POINT)
    assert await there.point("a.png") == POINT
    assert not await set_point(there.store, stored, POINT)
    assert await set_point(there.store, stored, OTHER)
    assert await there.point("a.png") == OTHER
    assert await set_point(there.store, stored, None)
    assert not await set_point(there.store, stored, None)
    assert await there.store.head(keys.focal_points(there.path("a.png"))) is None


async def test_a_source_that_is_replaced_has_none(there: Sources) -> None:
    """Also if another program replaces it; the same image again has its point again."""
    await set_point(there.store, await there.put("a.png", b"1"), POINT)
    second = await there.put("a.png", b"2")
    assert await there.point("a.png") is None

    await set_point(there.store, second, OTHER)
    await there.put("a.png", b"1")
    assert await there.point("a.png") == POINT
    await there.put("a.png", b"2")
    assert await there.point("a.png") == OTHER


async def test_points_of_the_last_images_only_are_kept(there: Sources) -> None:
    """So an object stays small."""
    for number in range(12):
        await set_point(there.store, await there.put("a.png", b"%d" % number), POINT)

    assert len(await read_points(there.store, there.path("a.png"))) == 8
    assert await there.point("a.png") == POINT


async def test_a_copy_has_the_point_too_and_a_moved_source_keeps_it(there: Sources) -> None:
    """Whatever was at the destination before."""
    await set_point(there.store, await there.put("a.png", b"1"), POINT)
    await set_point(there.store, await there.put("c.png", b"3"), OTHER)
    await sources.copy(there.store, there.path("a.png"), there.path("b/b.png"), overwrite=False)
    await sources.move(there.store, there.path("a.png"), there.path("c.png"), overwrite=True)

    assert await there.point("b/b.png") == POINT
    assert await there.point("c.png") == POINT


async def test_a_source_that_is_restored_has_its_point_again(there: Sources) -> None:
    """Also if another one had its name and a point of its own meanwhile."""
    await set_point(there.store, await there.put("a.png", b"1"), POINT)
    item = await sources.delete(there.store, there.path("a.png"))
    await set_point(there.store, await there.put("a.png", b"2"), OTHER)
    restored = await source_restore.restore(there.store, [item], overwrite=True)

    assert restored.files == 1
    assert await there.point("a.png") == POINT


async def test_a_source_that_is_deleted_permanently_leaves_none(there: Sources) -> None:
    """Nothing refers to it any more."""
    await set_point(there.store, await there.put("a.png"), POINT)
    await sources.delete(there.store, there.path("a.png"), permanently=True)
    await there.put("a.png")

    assert await there.point("a.png") is None


async def test_what_is_set_at_once_is_not_lost(there: Sources) -> None:
    """Each writes on condition of what it has read: here the points of two images, one of which was replaced."""
    first, second = await there.put("a.png", b"1"), await there.put("a.png", b"2")
    await asyncio.gather(set_point(there.store, first, POINT), set_point(there.store, second, OTHER))

    assert await there.point("a.png") == OTHER
    await there.put("a.png", b"1")
    assert await there.point("a.png") == POINT


async def test_points_of_many_sources_are_found(there: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    """Among those of others, by one listing or, if there are more than fit on its page, one by one."""
    stored = [await there.put(name) for name in ("a.png", "b/a.png", "b-1.png", "c.png")]
    for each in (*stored[:3], await there.put("d.png")):
        await set_point(there.store, each, POINT)
    expected = {each.key: POINT for each in stored[:3]}
    plain = Target(max_width=10, max_height=10)

    assert await find_points(there.store, stored, [plain, CROP]) == expected
    monkeypatch.setattr(focal_points, "PAGE_SIZE", 2)
    assert await find_points(there.store, stored, [plain, CROP]) == expected
    assert await find_points(there.store, stored, [plain]) == {}
    assert await find_points(there.store, [], [CROP]) == {}


@pytest.mark.parametrize("data", [b"", b"[]", b'{"x": [2, 0]}', b'{"x": "y"}', b"\xff"])
async def test_what_is_unreadable_is_none_and_can_be_replaced(there: Sources, data: bytes) -> None:
    """Another program may have stored it."""
    stored = await there.put("a.png")
    await there.store.put(keys.focal_points(there.path("a.png")), data, content_type="application/json")

    assert await there.point("a.png") is None
    assert await set_point(there.store, stored, POINT)
    assert await there.point("a.png") == POINT


async def test_the_trash_of_a_directory_keeps_them(there: Sources) -> None:
    """Whose sources are moved together."""
    stored = await there.put("b/a.png")
    await set_point(there.store, stored, POINT)
    deletion = source_trash.new_deletion()
    await source_trash.move_all(there.store, deletion, [stored])
    assert not await directories.exists(there.store, "source", there.path("b"))
    await source_restore.restore(there.store, [deletion], overwrite=False)

    assert await there.point("b/a.png") == POINT


async def test_a_directory_that_is_deleted_permanently_leaves_none(there: Sources) -> None:
    """Below it; those of other directories stay."""
    for name in ("b/a.png", "b/c/a.png", "b-1/a.png"):
        await set_point(there.store, await there.put(name), POINT)
    await directories.remove(there.store, "source", there.path("b"))
    prefix = keys.focal_points(f"{there.directory}/")
    left = [each.key.removeprefix(prefix) async for page in there.store.list(prefix) for each in page]

    assert left == ["b-1/a.png"]


async def test_a_directory_in_the_trash_keeps_them(there: Sources) -> None:
    """Because it may be restored."""
    await set_point(there.store, await there.put("b/a.png"), POINT)
    deletion = source_trash.new_deletion()
    move = partial(source_trash.move_all, there.store, deletion)
    await directories.remove(there.store, "source", there.path("b"), delete=move)
    await source_restore.restore(there.store, [deletion], overwrite=False)

    assert await there.point("b/a.png") == POINT
