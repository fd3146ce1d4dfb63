"""Evicting previews: the coldest first, from the index before the store, and nothing is left behind."""

import asyncio
from collections.abc import Iterable
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.previews.eviction import evict, sweep
from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import ObjectStore
from services.reporter.periodic_tasks import periodic_tasks
from tests.conftest import MakeSettings
from tests.testing.stored_previews import generation_of, make_group, objects_of

pytestmark = pytest.mark.usefixtures("no_previews")


async def made(resources: Resources, index: PreviewIndex, names: Iterable[str], **options: Any) -> list[str]:
    """Make groups under *names*; each was accessed a minute after the one before, the last one a minute ago."""
    listed = list(names)
    await asyncio.gather(*(make_group(resources, index, name, **options) for name in listed))
    for position, name in enumerate(listed):
        minutes = len(listed) - position
        await resources.redis.zincrby(keys.PREVIEW_IDS, -60_000 * minutes - 1000, keys.preview_id(name))
    return listed


def limits(**changes: int) -> PreviewSettings:
    """Return settings that keep everything but for the *changes*."""
    return PreviewSettings.model_validate({"max_keys": 10**6, "max_mb": -1, "max_idle_minutes": -1, **changes})


async def remaining(index: PreviewIndex) -> set[str]:
    """Return all keys of the index."""
    return {key async for batch in index.keys("") for key in batch}


async def test_what_is_within_all_limits_stays(resources: Resources, index: PreviewIndex) -> None:
    """Nothing is evicted, not even from an empty index."""
    assert await evict(index, resources.store, PreviewSettings()) == 0
    await made(resources, index, "ab")

    assert await evict(index, resources.store, limits(max_keys=2)) == 0
    assert len(await objects_of(resources, "a")) == 5


async def test_idle_keys_are_evicted(resources: Resources, index: PreviewIndex) -> None:
    """By its last access; index and store agree afterwards."""
    await made(resources, index, "abcd", context="17")
    await index.find("a")
    evicted = await evict(index, resources.store, limits(max_idle_minutes=2))

    assert evicted == 2
    assert await remaining(index) == {"a", "d"}
    assert [len(await objects_of(resources, key)) for key in "abcd"] == [5, 0, 0, 5]
    assert await index.count("17") == 2
    assert await index.pending_deletes(10) == []


@pytest.mark.parametrize("days", [40, -40])
async def test_a_step_of_the_clock_of_redis_evicts_nothing(
    resources: Resources, index: PreviewIndex, days: int
) -> None:
    """Nor what is being written; what is idle is evicted in its time all the same."""
    await made(resources, index, "ab")
    await index.mark_pending_write("c")
    redis: Any = resources.redis
    await redis.hincrby(keys.CLOCK, "seen", -days * 24 * 3_600_000)
    stayed = await evict(index, resources.store, limits(max_idle_minutes=60)) == 0
    pending = await index.in_use("c")
    evicted = await evict(index, resources.store, limits(max_idle_minutes=1))

    assert stayed
    assert pending.pending_write
    assert evicted == 2


async def test_too_many_keys_go_down_to_nine_tenths(resources: Resources, index: PreviewIndex) -> None:
    """The coldest ones; once below the limit, nothing goes."""
    names = await made(resources, index, (f"key-{n:02}" for n in range(21)))
    twenty = limits(max_keys=20)

    assert await evict(index, resources.store, twenty) == 3
    assert await remaining(index) == set(names[3:])
    assert [len(await objects_of(resources, key)) for key in names] == [0] * 3 + [5] * 18
    assert await evict(index, resources.store, twenty) == 0


async def test_too_many_bytes_go_down_to_nine_tenths(resources: Resources, index: PreviewIndex) -> None:
    """The coldest first, however small; the size is that of sources and previews."""
    names = await made(resources, index, "abcdefghijk", source=b"x" * 99_000)

    assert await evict(index, resources.store, limits(max_mb=1)) == 2  # 1,089,000 bytes; 943,718 are nine tenths
    assert await remaining(index) == set(names[2:])
    assert (await index.totals()).bytes <= 943_718


async def test_a_store_that_is_away_leaves_nothing_behind(
    resources: Resources, index: PreviewIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its objects go when it is back, though the index has forgotten the keys."""
    await made(resources, index, "abc")
    begun = ended = 0

    async def away(_self: ObjectStore, _keys: Iterable[str]) -> None:
        nonlocal begun, ended
        begun += 1
        await asyncio.sleep(0.05 * begun)
        ended += 1
        raise StoreUnavailable("away")

    monkeypatch.setattr(ObjectStore, "delete", away)
    with pytest.raises(StoreUnavailable):
        await evict(index, resources.store, limits(max_keys=1))
    monkeypatch.undo()
    assert begun == ended == 3  # none goes on when the store is back
    assert await remaining(index) == set()  # down to nine tenths of one
    assert len(await objects_of(resources, "a")) == 5

    assert await evict(index, resources.store, limits()) == 0
    assert [len(await objects_of(resources, key)) for key in "abc"] == [0, 0, 0]


async def test_what_was_removed_or_replaced_by_others_is_swept(resources: Resources, index: PreviewIndex) -> None:
    """Also after the process that removed them was killed; the current generation is kept."""
    await made(resources, index, "ab")
    await make_group(resources, index, "b", b"another source")
    await index.remove("a")

    assert await sweep(index, resources.store) == 5 + 4
    assert await objects_of(resources, "a") == set()
    left = await objects_of(resources, "b")
    assert "group.json" in left
    assert {name.partition("/")[0] for name in left - {"group.json"}} == {generation_of(b"another source")}
    assert await sweep(index, resources.store) == 0


async def test_what_was_made_again_meanwhile_stays(resources: Resources, index: PreviewIndex) -> None:
    """Removed and made again of the same source before the sweep comes."""
    await made(resources, index, "a")
    await index.remove("a")
    await make_group(resources, index, "a")

    assert await sweep(index, resources.store) == 0
    assert len(await objects_of(resources, "a")) == 5


async def test_what_is_being_put_is_not_swept(resources: Resources, index: PreviewIndex) -> None:
    """A writer has marked a removed key as being written; its objects exist when it publishes them."""
    await made(resources, index, "a")
    await index.remove("a")
    await index.mark_pending_write("a")

    assert await sweep(index, resources.store) == 0
    assert len(await objects_of(resources, "a")) == 5


async def test_a_writer_that_begins_during_the_sweep_is_left_alone(
    resources: Resources, index: PreviewIndex, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It marks the key after the sweep has listed its objects."""
    await made(resources, index, "a")
    await index.remove("a")
    in_use = PreviewIndex.in_use

    async def just_then(self: PreviewIndex, key: str) -> Any:
        await index.mark_pending_write(key)
        return await in_use(self, key)

    monkeypatch.setattr(PreviewIndex, "in_use", just_then)
    assert await sweep(index, resources.store) == 0
    assert len(await objects_of(resources, "a")) == 5


async def test_what_a_dead_writer_has_put_is_swept(resources: Resources, index: PreviewIndex) -> None:
    """It marked the key an hour ago and never published a generation."""
    await index.mark_pending_write("a")
    await resources.store.put(keys.preview_source("a", generation_of(b"x")), b"x", content_type="image/png")
    assert await sweep(index, resources.store) == 0
    await resources.redis.zincrby(keys.PREVIEW_PENDING_WRITES, -3_601_000, keys.preview_id("a"))

    assert await sweep(index, resources.store) == 1
    assert await objects_of(resources, "a") == set()
    assert not await resources.redis.exists(keys.PREVIEW_PENDING_WRITES, keys.PREVIEW_PENDING_DELETES)


async def test_evictions_at_the_same_time_agree(resources: Resources, index: PreviewIndex) -> None:
    """Three reporters, while keys are looked up and made: each key counts once, and index and store agree."""
    names = await made(resources, index, (f"key-{n:02}" for n in range(30)))
    twenty = limits(max_keys=20)

    async def traffic() -> int:
        await asyncio.gather(*(index.find(name) for name in names[::3]))
        await make_group(resources, index, "new")
        return 0

    evicted = await asyncio.gather(*(evict(index, resources.store, twenty) for _ in range(3)), traffic())
    await sweep(index, resources.store)
    left = await remaining(index)

    assert 12 <= sum(evicted) <= 13  # down to eighteen, before the new key or after
    assert len(left) == 31 - sum(evicted)
    for name in (*names, "new"):
        assert len(await objects_of(resources, name)) == (5 if name in left else 0)


async def test_the_reporter_evicts(make_settings: MakeSettings, resources: Resources, index: PreviewIndex) -> None:
    """It is one of its recurring tasks, in the span of the settings and with their limits."""
    await made(resources, index, "ab")
    settings = make_settings(previews=limits(max_keys=1, cleanup_seconds=7))
    (task,) = (task for task in periodic_tasks(settings, resources) if task.name == "evict-previews")

    assert task.seconds == 7
    assert await task.work() == 2
