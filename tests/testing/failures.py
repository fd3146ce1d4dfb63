"""What tests of wrong credentials share: all of them come from one address, and from one Redis."""

from collections.abc import AsyncIterator

import pytest

from imageconverter import keys
from imageconverter.resources import Resources


async def forget(resources: Resources) -> None:
    """Forget that anybody presented wrong credentials."""
    async for key in resources.redis.scan_iter(keys.failures("*")):
        await resources.redis.delete(key)


@pytest.fixture
async def no_failures(resources: Resources) -> AsyncIterator[None]:
    """Nobody has presented wrong credentials, before and after the test."""
    await forget(resources)
    yield
    await forget(resources)
