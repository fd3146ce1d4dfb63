"""Previews that were made a moment ago, with real Redis, S3, worker and children."""

import asyncio
from uuid import uuid4

import pytest

from imageconverter.previews import parse
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.index import Group, PreviewIndex
from imageconverter.resources import Resources
from imageconverter.settings import PreviewSettings
from tests.testing import image_files
from tests.testing.image_assertions import opened

SMALL = parse("auto:200x150")
LARGE = parse("auto:800x800")
PHOTO = image_files.jpeg((640, 480))

pytestmark = pytest.mark.usefixtures("worker")


class CountedIndex(PreviewIndex):
    """Counts the look-ups of one gateway."""

    finds = 0

    async def find(self, key: str, *, context: str = "") -> Group | None:
        """Count and find."""
        self.finds += 1
        return await super().find(key, context=context)


def gateway(resources: Resources) -> tuple[PreviewCache, CountedIndex]:
    """Return the cache of one more gateway, and its index."""
    index = CountedIndex(resources.redis, retry_timeout=5)
    return PreviewCache(resources.store, index, resources.queue, PreviewSettings(hot_seconds=0)), index


async def test_what_was_just_made_is_not_looked_up(resources: Resources) -> None:
    """The outcome of the job shows it; another format is looked up, once, before it is made."""
    cache, index = gateway(resources)
    key = uuid4().hex
    made = await cache.cache_and_get(key, SMALL, PHOTO, context="one")
    assert index.finds == 1
    large = await cache.get(key, LARGE)
    assert index.finds == 2

    assert (opened(made.data).size, opened(large.data).size) == ((200, 150), (640, 480))
    assert not made.from_cache
    assert (await cache.get(key, SMALL)).etag == made.etag


async def test_each_context_is_recorded_that_has_waited_for_the_same_job(resources: Resources) -> None:
    """Also those that did not start it."""
    contexts, key = [uuid4().hex[:8] for _ in range(6)], uuid4().hex
    caches = [gateway(resources)[0] for _ in contexts]
    served = await asyncio.gather(
        *(cache.cache_and_get(key, SMALL, PHOTO, context=each) for cache, each in zip(caches, contexts, strict=True))
    )
    group = await resources.previews.find(key)

    assert len({each.data for each in served}) == 1
    assert group is not None
    assert group.contexts == set(contexts)
