"""The cache of previews with real Redis, S3, worker and children."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import ImageConverterError, InvalidFileFormat, NotFound, PreviewsFull, QueueFull
from imageconverter.jobs import QueueName
from imageconverter.previews import parse
from imageconverter.previews.cache import PreviewCache
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import LoadedObject, ObjectStore
from services.worker.sandbox.pool import SandboxPool
from tests.testing import broken_files, drawings, image_files
from tests.testing.image_assertions import opened

SMALL = parse("auto:200x150")
LARGE = parse("auto:800x800")
PHOTO = image_files.jpeg((640, 480))

pytestmark = pytest.mark.usefixtures("worker", "index")


def cache_of(resources: Resources, **settings: Any) -> PreviewCache:
    """Return the cache of one more gateway."""
    return PreviewCache(resources.store, resources.previews, resources.queue, PreviewSettings(**settings))


@pytest.fixture
def cache(resources: Resources) -> PreviewCache:
    """Return a gateway's cache that looks everything up."""
    return cache_of(resources, hot_seconds=0)


@pytest.fixture
def key() -> str:
    """Return an unused key."""
    return uuid4().hex


async def objects(resources: Resources, key: str) -> set[str]:
    """Return the names of what is stored for *key*."""
    prefix = keys.preview_prefix(key)
    return {each.key.removeprefix(prefix) async for page in resources.store.list(prefix) for each in page}


async def test_a_source_becomes_a_preview_that_is_kept(cache: PreviewCache, key: str) -> None:
    """The second request finds it."""
    with pytest.raises(NotFound):
        await cache.get(key, SMALL)
    made = await cache.cache_and_get(key, SMALL, PHOTO)
    found = await cache.get(key, SMALL)

    assert opened(made.data).size == (200, 150)
    assert (made.media_type, made.from_cache, made.format) == ("image/jpeg", False, SMALL)
    assert (found.data, found.etag, found.from_cache) == (made.data, made.etag, True)


async def test_another_format_is_made_of_the_stored_source(cache: PreviewCache, key: str) -> None:
    """Without sending the image again."""
    await cache.cache_and_get(key, SMALL, PHOTO)
    large = await cache.get(key, LARGE)

    assert opened(large.data).size == (640, 480)
    assert (await cache.get(key, LARGE)).from_cache


async def test_the_target_format_that_matches_best_answers(cache: PreviewCache, key: str) -> None:
    """48 by 48 gets the smallest preview there is a format for."""
    made = await cache.cache_and_get(key, parse("auto:48x48~cover"), PHOTO)

    assert made.format == parse("auto:200x150~cover")
    assert opened(made.data).size == (200, 150)


async def test_in_exact_mode_just_what_was_asked_for_answers(resources: Resources, key: str) -> None:
    """Made on demand."""
    made = await cache_of(resources, matching="exact").cache_and_get(key, parse("auto:48x48~cover"), PHOTO)

    assert opened(made.data).size == (64, 48)


async def test_a_comment_is_written_into_previews(cache: PreviewCache, key: str) -> None:
    """As the original does."""
    made = await cache.cache_and_get(key, SMALL, PHOTO)

    assert opened(made.data).info["comment"] == b"OX_IC"


async def test_the_source_of_a_known_key_is_not_converted(cache: PreviewCache, key: str) -> None:
    """Cache-and-get only creates."""
    first = await cache.cache_and_get(key, SMALL, PHOTO)
    second = await cache.cache_and_get(key, SMALL, image_files.png((100, 100)))

    assert second.data == first.data


async def test_caching_replaces_all_previews_in_one_step(cache: PreviewCache, key: str) -> None:
    """A reader sees the old image or the new one, whole."""
    await cache.cache_and_get(key, SMALL, image_files.png(image=drawings.corners((400, 300))))
    seen: list[tuple[int, int]] = []
    done = asyncio.Event()

    async def read() -> None:
        while not done.is_set():
            seen.append(opened((await cache.get(key, LARGE)).data).size)

    reading = asyncio.create_task(read())
    await cache.cache(key, PHOTO)
    await asyncio.sleep(0.1)
    done.set()
    await reading

    assert set(seen) <= {(400, 300), (640, 480)}
    assert sorted(seen) == seen
    assert opened((await cache.get(key, SMALL)).data).format == "JPEG"


async def test_an_image_that_cannot_be_converted_replaces_nothing(
    cache: PreviewCache, resources: Resources, key: str
) -> None:
    """It is refused with a reason, and takes up no space."""
    first = await cache.cache_and_get(key, SMALL, PHOTO)
    before = await objects(resources, key)
    with pytest.raises(InvalidFileFormat, match="broken"):
        await cache.cache(key, broken_files.truncated(PHOTO, share=0.2))
    with pytest.raises(InvalidFileFormat, match="not of a supported"):
        await cache.cache_and_get(f"{key}-2", SMALL, b"no image")

    assert await objects(resources, key) == before
    assert await objects(resources, f"{key}-2") == set()
    assert (await cache.get(key, SMALL)).data == first.data


async def test_what_fifty_ask_for_is_made_once(
    resources: Resources, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the gateways of a whole fleet."""
    converted: list[int] = []
    convert = SandboxPool.convert_with_metadata

    async def count(pool: SandboxPool, *args: Any, **options: Any) -> Any:
        converted.append(1)
        return await convert(pool, *args, **options)

    monkeypatch.setattr(SandboxPool, "convert_with_metadata", count)
    caches = [cache_of(resources) for _ in range(5)]
    served = await asyncio.gather(*(caches[number % 5].cache_and_get(key, SMALL, PHOTO) for number in range(50)))

    assert len({each.data for each in served}) == 1
    assert len(converted) == 1


async def test_a_full_queue_is_said_at_once(resources: Resources, key: str) -> None:
    """Nothing is made, nothing waits."""
    for _ in range(3):
        await resources.queue.enqueue(QueueName.SCAN, "nothing", uuid4().hex, {})
    join = resources.queue.enqueue_or_join
    with pytest.MonkeyPatch.context() as patch:
        # a queue without workers
        patch.setattr(
            resources.queue,
            "enqueue_or_join",
            lambda _queue_name, *args, **options: join(QueueName.SCAN, *args, **options),
        )
        with pytest.raises(QueueFull):
            await cache_of(resources, instant_queue=3).cache_and_get(key, SMALL, PHOTO)
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    assert await objects(resources, key) == set()


async def test_nothing_is_added_to_previews_that_take_up_too_much_space(
    cache: PreviewCache, resources: Resources, key: str
) -> None:
    """A tenth above the limit; what there is is served. The reporter has not evicted yet."""
    served = await cache.cache_and_get(key, SMALL, PHOTO)
    before = await objects(resources, key)
    more = 23 * 1024**2 - (await resources.previews.totals()).bytes
    await resources.redis.incrby(keys.PREVIEW_BYTES, more)
    full, nearly_full = cache_of(resources, max_mb=20, hot_seconds=0), cache_of(resources, max_mb=22, hot_seconds=0)
    try:
        with pytest.raises(PreviewsFull):
            await full.cache(f"{key}-2", PHOTO)
        with pytest.raises(PreviewsFull):
            await full.get(key, LARGE)
        assert (await full.get(key, SMALL)).data == served.data
        assert await objects(resources, key) == before
        assert await objects(resources, f"{key}-2") == set()
        await nearly_full.get(key, LARGE)
    finally:
        await resources.redis.decrby(keys.PREVIEW_BYTES, more)


async def test_the_other_formats_are_made_afterwards_where_that_is_set(resources: Resources, key: str) -> None:
    """In the background."""
    # The worker of these tests takes what the job says: the gateway's setting decides.
    cache = cache_of(resources, pre_convert=True, hot_seconds=0)
    await cache.cache_and_get(key, SMALL, PHOTO)
    async with asyncio.timeout(20):
        while (group := await resources.previews.find(key)) is None or len(group.previews) < 5:
            await asyncio.sleep(0.05)

    assert set(group.previews) == {each.documented for each in cache.target_formats}


async def test_metadata_is_kept_beside_the_previews(cache: PreviewCache, key: str) -> None:
    """Of the source."""
    await cache.cache_and_get(key, SMALL, image_files.jpeg((640, 480), orientation=6))
    metadata = await cache.metadata(key)

    assert metadata["Header"]["Header Format Name"]["value"] == "jpeg"
    assert metadata["Exif"]["Orientation"]["value"] == 6
    with pytest.raises(NotFound):
        await cache.metadata(uuid4().hex)


async def test_a_cleared_key_is_gone_with_all_of_its_objects(
    cache: PreviewCache, resources: Resources, key: str
) -> None:
    """And can be made anew."""
    await cache.cache_and_get(key, SMALL, PHOTO)
    assert await cache.clear_key(key)
    assert not await cache.clear_key(key)

    assert await objects(resources, key) == set()
    with pytest.raises(NotFound):
        await cache.get(key, SMALL)
    assert not (await cache.cache_and_get(key, SMALL, PHOTO)).from_cache


async def test_a_context_is_cleared_by_itself(cache: PreviewCache) -> None:
    """The others stay; a key that two contexts have asked for goes with either."""
    one, other, both = (uuid4().hex for _ in range(3))
    first, second = uuid4().hex[:8], uuid4().hex[:8]
    await cache.cache_and_get(one, SMALL, PHOTO, context=first)
    await cache.cache_and_get(other, SMALL, PHOTO, context=second)
    await cache.cache_and_get(both, SMALL, PHOTO, context=first)
    await cache.get(both, SMALL, context=second)

    assert await cache.count(first) == await cache.count(second) == 2
    assert {name async for batch in cache.keys(first) for name in batch} == {one, both}
    assert await cache.clear(context=first) == 2
    assert await cache.count(second) == 1
    assert (await cache.get(other, SMALL)).data


async def test_the_store_knows_the_contexts_too(cache: PreviewCache, resources: Resources, key: str) -> None:
    """So that the index can be rebuilt from it."""
    await cache.cache_and_get(key, SMALL, PHOTO, context="1")
    await cache.get(key, SMALL, context="2")
    loaded = await resources.store.get(keys.preview_group(key))

    assert loaded is not None
    assert b'"1"' in bytes(loaded.data)
    assert b'"2"' in bytes(loaded.data)


async def test_clearing_while_converting_never_leaves_half_a_group(cache: PreviewCache, resources: Resources) -> None:
    """It is there whole, or a clear error is raised."""
    for _ in range(6):
        key = uuid4().hex
        making = asyncio.create_task(cache.cache_and_get(key, SMALL, PHOTO))
        while not making.done():
            await cache.clear_key(key)
        error = making.exception()
        assert error is None or isinstance(error, ImageConverterError)
        group = await resources.previews.find(key)
        if group is not None:
            assert (await cache.get(key, SMALL)).data


async def test_an_entry_without_its_object_is_forgotten(cache: PreviewCache, resources: Resources, key: str) -> None:
    """The next request makes it again."""
    await cache.cache_and_get(key, SMALL, PHOTO)
    async for page in resources.store.list(keys.preview_prefix(key)):
        await resources.store.delete(each.key for each in page)

    another = cache_of(resources, hot_seconds=0)
    with pytest.raises(NotFound):
        await another.get(key, SMALL)
    assert not (await another.cache_and_get(key, SMALL, PHOTO)).from_cache


async def test_one_wrong_answer_of_the_store_costs_nothing(
    cache: PreviewCache, resources: Resources, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it says that a preview, or the source, does not exist, both are still there afterwards."""
    made = await cache.cache_and_get(key, SMALL, PHOTO)
    before = await objects(resources, key)
    get, wrong_answers = ObjectStore.get, 0

    async def get_wrongly(store: ObjectStore, name: str, **options: Any) -> LoadedObject | None:
        nonlocal wrong_answers
        if wrong_answers < 1 and name.startswith(keys.preview_prefix(key)):
            wrong_answers += 1
            return None
        return await get(store, name, **options)

    monkeypatch.setattr(ObjectStore, "get", get_wrongly)
    assert (await cache.get(key, SMALL)).data == made.data
    wrong_answers = 0
    with pytest.raises(NotFound):
        await cache.get(key, LARGE)
    assert opened((await cache.get(key, LARGE)).data).size == (640, 480)

    assert await objects(resources, key) >= before


async def test_a_hot_preview_is_served_without_asking_anybody(resources: Resources, key: str) -> None:
    """For a moment; then it is looked up, and not fetched again."""
    cache = cache_of(resources, hot_seconds=60)
    await cache.cache_and_get(key, SMALL, PHOTO)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resources.previews, "find", None)
        assert (await cache.get(key, SMALL)).data
    await cache.clear_key(key)
    with pytest.raises(NotFound):
        await cache.get(key, SMALL)
