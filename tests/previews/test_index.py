"""The index of previews: exact counters, whatever is added, replaced, removed and doubled at the same time."""

import asyncio
import random
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import QueueUnavailable
from imageconverter.previews import PreviewFormat, parse
from imageconverter.previews.index import Group, Preview, PreviewIndex
from imageconverter.resources import Resources
from tests.previews.test_preview_format import FORMATS

A, B = "a" * 32, "b" * 32
SMALL, LARGE = "auto:200x150~cover@75", "auto:1920x1080~contain@75"


def key_of(number: int) -> str:
    """Return a key as the middleware makes them."""
    return sha256(b"%d" % number).hexdigest()


def preview(size: int) -> Preview:
    """Return a preview of *size* bytes."""
    return Preview("image/jpeg", size, f'"{size:032x}"', 200, 150)


async def put(index: PreviewIndex, key: str, *, context: str = "", source: int = 100, **sizes: int) -> None:
    """Make a group of generation A, or add to it, with previews of *sizes* by the names `small` and `large`."""
    names = {"small": SMALL, "large": LARGE}
    previews = {names[name]: preview(size) for name, size in sizes.items()}
    await index.publish_generation(key, A, context=context, source_bytes=source, previews=previews)


async def assert_exact(index: PreviewIndex, redis: Redis) -> None:
    """All counters are those of the groups, which are counted one by one; nothing else is left in Redis."""
    groups: dict[str, Group] = {}
    async for batch in index.keys():
        for key in batch:
            group = await index.find(key)
            assert group is not None
            groups[key] = group
    contexts = {context for group in groups.values() for context in group.contexts}
    totals = await index.totals()

    assert await index.count() == totals.keys == len(groups)
    assert totals.bytes == sum(group.bytes for group in groups.values())
    assert {name.decode() for name in await redis.smembers(keys.PREVIEW_CONTEXTS)} == contexts  # type: ignore[misc]
    for context in contexts:
        members = {key for key, group in groups.items() if context in group.contexts}
        assert {key async for batch in index.keys(context) for key in batch} == members
        assert await index.count(context) == len(members)
    known = {keys.preview(keys.preview_id(key)) for key in groups} | {
        name.encode()
        for name in (
            keys.PREVIEW_IDS,
            keys.PREVIEW_CONTEXTS,
            keys.PREVIEW_BYTES,
            keys.PREVIEW_PENDING_WRITES,
            keys.PREVIEW_PENDING_DELETES,
            *map(keys.preview_context, contexts),
        )
    }
    assert {name async for name in redis.scan_iter("ic:preview*", count=1000)} <= known


async def test_a_group_is_found_as_it_was_made(index: PreviewIndex) -> None:
    """With all its fields; an unknown key is not found in any context."""
    await put(index, key_of(1), context="17", small=10, large=20)
    found = await index.find(key_of(1))

    assert found is not None
    assert found.created > 1_700_000_000
    assert found == Group(
        key_of(1),
        A,
        found.created,
        frozenset({"17"}),
        130,
        {SMALL: preview(10), LARGE: preview(20)},
        context_added=False,
    )
    assert await index.find(key_of(2), context="17") is None
    assert await index.count("17") == 1


@pytest.mark.parametrize("key", ["a", "x.-_", "A" * 64, "0" * 63, "0" * 65, "0" * 64, "k" * 256, key_of(3)])
async def test_keys_of_any_form_are_kept_apart(index: PreviewIndex, key: str) -> None:
    """A hash takes half of its letters in Redis; what is no hash, or one in capitals, is taken as it is."""
    await put(index, key, context="17", small=1)
    await put(index, f"{key[:-1]}~", context="17", small=1)
    ((*listed,),) = [batch async for batch in index.keys("")]
    removed = await index.remove(key)

    assert sorted(listed) == sorted([key, f"{key[:-1]}~"])
    assert removed is not None
    assert removed.key == key
    assert [batch async for batch in index.keys("17")] == [[f"{key[:-1]}~"]]


@given(FORMATS)
def test_a_format_is_read_back_from_its_objects_name(format_: PreviewFormat) -> None:
    """The index is rebuilt from names."""
    name = keys.preview_object("a key", A, format_.documented, ".jpg").rpartition("/")[2]

    assert parse(keys.preview_format(name.removesuffix(".jpg"))) == format_


async def test_a_look_up_brings_its_context_in_once(index: PreviewIndex) -> None:
    """The first look-up reports it, so that it is written to the store."""
    await put(index, key_of(1), context="17")
    looks = [await index.find(key_of(1), context=context) for context in ("17", "18", "18", "")]

    assert [look.context_added for look in looks if look] == [False, True, False, False]
    assert [look.contexts for look in looks if look] == [{"17"}, {"17", "18"}, {"17", "18"}, {"17", "18"}]
    assert [await index.count(context) for context in ("", "17", "18", "19")] == [1, 1, 1, 0]


async def test_a_look_up_is_one_round_trip(index: PreviewIndex, resources: Resources) -> None:
    """Whatever it does."""
    await put(index, key_of(1), context="17", small=1)

    async def commands() -> int:
        return int((await resources.redis.info("commandstats"))["cmdstat_evalsha"]["calls"])

    async def processed() -> int:
        return int((await resources.redis.info("stats"))["total_reads_processed"])

    await processed()
    before = await commands(), await processed()
    await index.find(key_of(1), context="18")
    after = await commands(), await processed()

    assert after[0] - before[0] == 1
    assert after[1] - before[1] == 3  # the look-up, and two commands of the measuring itself


async def test_the_same_generation_again_adds_its_previews(index: PreviewIndex, resources: Resources) -> None:
    """A preview that is made once more counts once, with its new size; the source is not counted again."""
    await put(index, key_of(1), small=10)
    first = await index.find(key_of(1))
    assert (
        await index.publish_generation(key_of(1), A, context="", source_bytes=100, previews={SMALL: preview(7)})
        is None
    )
    assert await index.add(key_of(1), A, {LARGE: preview(20), SMALL: preview(8)})
    second = await index.find(key_of(1))

    assert first is not None
    assert second is not None
    assert second.created == first.created
    assert second.previews == {SMALL: preview(8), LARGE: preview(20)}
    assert (await index.totals())[:2] == (1, 128)
    assert await index.pending_deletes(10) == []
    await assert_exact(index, resources.redis)


async def test_another_generation_replaces_all_but_the_contexts(index: PreviewIndex, resources: Resources) -> None:
    """In one step; the replaced one is returned and becomes a pending delete."""
    await put(index, key_of(1), context="17", small=10, large=20)
    replaced = await index.publish_generation(
        key_of(1), B, context="18", source_bytes=5, previews={SMALL: preview(1)}
    )
    found = await index.find(key_of(1))

    assert replaced == A
    assert found is not None
    assert (found.generation, found.bytes, found.previews) == (B, 6, {SMALL: preview(1)})
    assert found.contexts == {"17", "18"}
    assert [each.key for each in await index.pending_deletes(10)] == [key_of(1)]
    await assert_exact(index, resources.redis)


async def test_previews_of_a_generation_that_is_gone_are_refused(index: PreviewIndex, resources: Resources) -> None:
    """And change nothing."""
    await put(index, key_of(1), small=10)

    assert not await index.add(key_of(1), B, {LARGE: preview(20)})
    assert not await index.add(key_of(2), A, {LARGE: preview(20)})
    await index.remove(key_of(1))
    assert not await index.add(key_of(1), A, {LARGE: preview(20)})
    assert (await index.totals())[:2] == (0, 0)
    await assert_exact(index, resources.redis)


async def test_a_removed_group_leaves_every_context(index: PreviewIndex, resources: Resources) -> None:
    """Contexts that nothing is left of are gone from Redis; removing once more finds nothing."""
    await put(index, key_of(1), context="17", small=10)
    await put(index, key_of(2), context="17")
    await index.find(key_of(1), context="18")
    removed = await index.remove(key_of(1))

    assert removed is not None
    assert removed.contexts == {"17", "18"}
    assert removed.bytes == 110
    assert await index.remove(key_of(1)) is None
    assert [await index.count(context) for context in ("", "17", "18")] == [1, 1, 0]
    assert not await resources.redis.exists(keys.preview_context("18"))
    await assert_exact(index, resources.redis)


async def test_counters_are_exact_whatever_happens_at_the_same_time(
    index: PreviewIndex, resources: Resources
) -> None:
    """Two thousand random changes of thirty keys, forty at a time, from several connections."""
    chance = random.Random(7)  # noqa: S311 - what happens, not what is secret
    choices = {"switch": 5, "add": 5, "find": 5, "remove": 2, "evict": 1, "restore": 2, "expect": 1}

    async def one() -> None:
        key, context = key_of(chance.randrange(30)), chance.choice(["", "1", "2", "3"])
        generation = chance.choice([A, B])
        previews = {chance.choice([SMALL, LARGE]): preview(chance.randrange(1, 10**6))}
        size = chance.randrange(1, 10**7)
        match chance.choices(list(choices), list(choices.values()))[0]:
            case "switch":
                await index.publish_generation(key, generation, context=context, source_bytes=size, previews=previews)
            case "add":
                await index.add(key, generation, previews)
            case "find":
                await index.find(key, context=context)
            case "remove":
                await index.remove(key)
            case "evict":
                await index.evict(3, idle=None, max_keys=15, max_bytes=None)
            case "restore":
                total = size + sum(each.size for each in previews.values())
                await index.restore(Group(key, generation, 1.0, frozenset({"1", "2"}), total, previews))
            case "expect":
                await index.mark_pending_write(key)

    for _ in range(50):
        await asyncio.gather(*(one() for _ in range(40)))

    assert await index.count() > 0
    await assert_exact(index, resources.redis)


async def test_the_keys_of_a_large_index_are_listed_in_batches(index: PreviewIndex) -> None:
    """Each of them, while others come and go and all are being looked up."""
    await asyncio.gather(*(put(index, key_of(n), context="17") for n in range(3000)))
    seen: list[str] = []
    context_seen: list[str] = []
    sizes = []
    async for batch in index.keys():
        seen += batch
        sizes.append(len(batch))
        await asyncio.gather(*(index.find(key_of(n)) for n in range(0, 3000, 50)))
        await put(index, key_of(10_000 + len(seen)), context="17")
    async for batch in index.keys("17"):
        context_seen += batch

    assert {key_of(n) for n in range(3000)} <= set(seen)
    assert {key_of(n) for n in range(3000)} <= set(context_seen)
    assert len(sizes) >= 3
    assert max(sizes) < 1500


async def test_a_look_up_makes_a_group_recently_used(index: PreviewIndex, resources: Resources) -> None:
    """Adding a preview does not: that happens in the background."""
    for number in range(5):
        await put(index, key_of(number))
        await resources.redis.zincrby(keys.PREVIEW_IDS, 60_000 * (number - 5) - 2000, keys.preview_id(key_of(number)))
    await index.find(key_of(0))
    await index.add(key_of(1), A, {SMALL: preview(1)})

    assert ((await index.totals()).idle or 0) // 60 == 4
    assert await index.evict(2, idle=None, max_keys=0, max_bytes=None) == [key_of(1), key_of(2)]


async def test_groups_are_evicted_for_as_long_as_there_is_a_reason(index: PreviewIndex, resources: Resources) -> None:
    """Age, number and bytes, the coldest first, and no more at a time than is asked for."""
    for number in range(10):
        await put(index, key_of(number), source=100)
        await resources.redis.zincrby(keys.PREVIEW_IDS, -60_000 * (10 - number), keys.preview_id(key_of(number)))

    async def evict(count: int = 100, **reasons: Any) -> list[str]:
        return await index.evict(count, **{"idle": None, "max_keys": None, "max_bytes": None, **reasons})

    assert await evict() == []
    assert await evict(idle=550) == [key_of(0)]
    assert await evict(max_keys=7) == [key_of(1), key_of(2)]
    assert await evict(max_bytes=699) == [key_of(3)]
    assert await evict(2, max_keys=0) == [key_of(4), key_of(5)]
    assert await evict(max_keys=4, max_bytes=400, idle=550) == []
    await assert_exact(index, resources.redis)


async def test_evictions_at_the_same_time_take_no_key_too_many(index: PreviewIndex) -> None:
    """Ten reporters evict at once down to the same number."""
    await asyncio.gather(*(put(index, key_of(n)) for n in range(300)))
    gone = await asyncio.gather(*(index.evict(100, idle=None, max_keys=200, max_bytes=None) for _ in range(10)))

    assert await index.count() == 200
    assert len({key for batch in gone for key in batch}) == sum(map(len, gone)) == 100


async def test_a_group_is_restored_only_where_there_is_none(index: PreviewIndex, resources: Resources) -> None:
    """Not over one that is there, nor while the objects of one that was removed are being deleted."""
    old = Group(key_of(1), A, 1234.5, frozenset({"17", "18"}), 130, {SMALL: preview(10), LARGE: preview(20)})

    assert await index.restore(old)
    assert await index.find(key_of(1)) == old
    assert not await index.restore(replace(old, generation=B))
    assert await index.find(key_of(1)) == old
    await index.publish_generation(key_of(1), B, context="", source_bytes=5, previews={})
    assert not await index.restore(old)
    assert (found := await index.find(key_of(1))) is not None
    assert found.generation == B

    await index.remove(key_of(1))
    assert not await index.restore(old)
    (pending_deletes,) = await index.pending_deletes(10)
    await index.confirm_deleted(pending_deletes)
    assert await index.restore(old)
    await assert_exact(index, resources.redis)


async def test_what_arrives_is_not_given_away_as_leaving(index: PreviewIndex, resources: Resources) -> None:
    """Unless its writer is dead; and one that is removed again meanwhile stays noted."""
    await put(index, key_of(1))
    await index.remove(key_of(1))
    await index.mark_pending_write(key_of(1))
    assert await index.pending_deletes(10) == []
    assert await index.in_use(key_of(1)) == (None, True)

    await put(index, key_of(1))
    (pending_deletes,) = await index.pending_deletes(10)
    assert await index.in_use(key_of(1)) == (A, False)
    await resources.redis.zincrby(
        keys.PREVIEW_PENDING_DELETES, 1, keys.preview_id(key_of(1))
    )  # removed once more, later
    await index.confirm_deleted(pending_deletes)
    assert [each.key for each in await index.pending_deletes(10)] == [key_of(1)]

    await index.mark_pending_write(key_of(2))
    await resources.redis.zincrby(keys.PREVIEW_PENDING_WRITES, -3_601_000, keys.preview_id(key_of(2)))
    assert {each.key for each in await index.pending_deletes(10)} == {key_of(1), key_of(2)}


async def test_ten_thousand_keys_stay_small_and_quick(index: PreviewIndex, resources: Resources) -> None:
    """At most 600 bytes a key, and no look at it costs more commands than with one key."""
    redis = resources.redis
    for start in range(0, 10_000, 100):
        await asyncio.gather(
            *(put(index, key_of(n), context="17", source=1_234_567, small=23_456) for n in range(start, start + 100))
        )
    group, *sets = [
        await redis.memory_usage(key, samples=0) or 0
        for key in (keys.preview(keys.preview_id(key_of(1))), keys.PREVIEW_IDS, keys.preview_context("17"))
    ]

    assert group + sum(sets) / 10_000 <= 600
    assert await index.count("17") == await index.count() == 10_000
    assert (await index.totals()).bytes == 10_000 * 1_258_023

    await redis.config_resetstat()
    await index.find(key_of(5000), context="18")
    await index.count("17")
    await index.totals()
    await index.evict(1, idle=None, max_keys=9_999, max_bytes=None)
    stats = dict(await redis.info("commandstats"))
    assert not {"cmdstat_keys", "cmdstat_scan", "cmdstat_smembers"} & set(stats)
    assert sum(each["calls"] for each in stats.values()) < 40


async def test_an_unavailable_redis_raises_queue_unavailable() -> None:
    """By every method, and in time."""
    nowhere = Redis(host="127.0.0.1", port=9, socket_connect_timeout=0.2)
    index = PreviewIndex(nowhere, retry_timeout=0.5)

    for call in (
        index.find("a"),
        index.mark_pending_write("a"),
        put(index, "a"),
        index.add("a", A, {}),
        index.remove("a"),
        index.count(),
        anext(index.keys()),
        index.totals(),
        index.in_use("a"),
        index.pending_deletes(1),
    ):
        with pytest.raises(QueueUnavailable):
            await call
    await nowhere.aclose()
