"""Previews of objects that are in the store already: these are not stored a second time."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.errors import InvalidFileFormat, NotFound
from imageconverter.previews import ExactFormat
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.index import PreviewIndex
from imageconverter.previews.job import PreviewJob
from imageconverter.previews.reindex import reindex
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings
from imageconverter.storage.store import ObjectStore, StoredObject
from services.worker.preview_executor import PreviewExecutor
from tests.testing import image_files
from tests.testing.image_assertions import opened

PHOTO = image_files.jpeg((640, 480))
SMALL, LARGE = (ExactFormat(Target(max_width=side, max_height=side, animation=False)) for side in (40, 80))

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
def cache(resources: Resources) -> PreviewCache:
    """The previews of a gateway that keeps none in its memory."""
    settings = PreviewSettings(hot_seconds=0, convert_seconds=60)
    return PreviewCache(resources.store, resources.previews, resources.queue, settings)


@pytest.fixture
async def key(cache: PreviewCache) -> AsyncIterator[str]:
    """The key of a group that is not there yet."""
    key = uuid4().hex
    yield key
    await cache.clear_key(key)


@pytest.fixture
async def source(resources: Resources) -> AsyncIterator[StoredObject]:
    """A source."""
    name = keys.source(f"{uuid4().hex}.jpg")
    await put(resources.store, name, PHOTO)
    stored = await resources.store.head(name)
    assert stored is not None
    yield stored
    await resources.store.delete([name])


async def put(store: ObjectStore, key: str, data: bytes) -> None:
    """Store a source."""
    await store.put(key, data, content_type="image/jpeg")


async def folder(resources: Resources, key: str) -> dict[str, int]:
    """Return the names and sizes of the objects of a group, without its previews."""
    found = [stored async for page in resources.store.list(keys.preview_prefix(key)) for stored in page]
    return {each.key.rpartition("/")[2]: each.size for each in found if not each.key.endswith(".jpg")}


async def test_the_source_is_not_stored_a_second_time(
    resources: Resources, cache: PreviewCache, key: str, source: StoredObject
) -> None:
    """Nor counted among the bytes of the previews."""
    small = await cache.get(key, SMALL, source=source)
    large = await cache.get(key, LARGE, source=source)
    group = await resources.previews.find(key)

    assert (opened(small.data).size, opened(large.data).size) == ((40, 30), (80, 60))
    assert (await folder(resources, key))["source"] == 0
    assert group is not None
    assert group.bytes == len(small.data) + len(large.data)
    assert (await cache.get(key, SMALL, source=source)).etag == small.etag


async def test_another_source_is_not_converted_under_this_name(
    resources: Resources, cache: PreviewCache, key: str, source: StoredObject
) -> None:
    """It was replaced, or deleted, since it was looked up."""
    await put(resources.store, source.key, image_files.jpeg((480, 640)))
    with pytest.raises(NotFound):
        await cache.get(key, SMALL, source=source)
    await resources.store.delete([source.key])
    with pytest.raises(NotFound):
        await cache.get(key, SMALL, source=source)


async def test_a_worker_reads_a_source_once_for_several_sizes(
    resources: Resources, cache: PreviewCache, key: str, source: StoredObject
) -> None:
    """Another one in its place does not change them: they belong to that which was looked up."""
    await cache.get(key, SMALL, source=source)
    await put(resources.store, source.key, image_files.jpeg((480, 640)))

    assert opened((await cache.get(key, LARGE, source=source)).data).size == (80, 60)


async def test_nothing_is_left_of_what_is_no_image(
    resources: Resources, cache: PreviewCache, key: str, source: StoredObject
) -> None:
    """Neither in the index nor in the store."""
    await put(resources.store, source.key, b"no image")
    replaced = await resources.store.head(source.key)
    with pytest.raises(InvalidFileFormat):
        await cache.get(key, SMALL, source=replaced)

    assert await resources.previews.find(key) is None
    assert await folder(resources, key) == {}


async def test_previews_are_found_again_when_redis_has_lost_its_data(
    resources: Resources, cache: PreviewCache, key: str, source: StoredObject
) -> None:
    """Without converting their source."""
    small = await cache.get(key, SMALL, source=source)
    group = await resources.previews.find(key)
    assert group is not None
    await _lose(resources.previews, key)
    await reindex(resources.previews, resources.store)
    restored = await resources.previews.find(key)

    assert restored is not None
    assert (restored.previews, restored.bytes) == (group.previews, group.bytes)
    assert (await cache.get(key, SMALL, source=source)).etag == small.etag


async def _lose(index: PreviewIndex, key: str) -> None:
    """Remove a group, whose objects are not to be deleted."""
    await index.remove(key)
    (pending,) = [each for each in await index.pending_deletes(1000) if each.key == key]
    await index.confirm_deleted(pending)


async def test_a_worker_of_an_earlier_release_reports_that_the_source_is_gone(
    cache: PreviewCache, key: str, source: StoredObject, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks where the group would have it; the gateway then stores it there."""

    async def look_in_group(self: PreviewExecutor, job: PreviewJob, _of: object) -> object:
        return await self.store.get(keys.preview_source(job.key, job.generation))

    monkeypatch.setattr(PreviewExecutor, "_source", look_in_group)
    with pytest.raises(NotFound):
        await cache.get(key, SMALL, source=source)

    assert opened((await cache.cache_and_get(key, SMALL, PHOTO)).data).size == (40, 30)
