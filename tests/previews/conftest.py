"""What the tests of previews have in common."""

import pytest

from imageconverter import keys
from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources


@pytest.fixture
async def index(resources: Resources) -> PreviewIndex:
    """An index on the real Redis with nothing in it."""
    found = [name async for name in resources.redis.scan_iter("ic:preview*", count=1000)]
    if found:
        await resources.redis.delete(*found)
    return PreviewIndex(resources.redis, retry_timeout=20)


@pytest.fixture
async def no_previews(resources: Resources) -> None:
    """A store without any object of a preview."""
    async for page in resources.store.list(keys.PREVIEWS):
        await resources.store.delete(stored.key for stored in page)
