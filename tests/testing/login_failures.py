"""Fixtures for tests of wrong credentials, which share one client address and one Redis."""

from collections.abc import AsyncIterator

import pytest

from imageconverter import keys
from imageconverter.resources import Resources


async def forget(resources: Resources) -> None:
    """Delete the counters of wrong credentials."""
    async for key in resources.redis.scan_iter(keys.failures("*")):
        await resources.redis.delete(key)


@pytest.fixture
async def no_failures(resources: Resources) -> AsyncIterator[None]:
    """Delete the counters of wrong credentials before and after the test."""
    await forget(resources)
    yield
    await forget(resources)
