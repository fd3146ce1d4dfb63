"""A proxy for tests in which the network fails."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import pytest

from tests.testing.faults import FaultProxy, fault_proxy


@pytest.fixture
async def proxy(servers: dict[str, str]) -> AsyncIterator[FaultProxy]:
    """A proxy before the S3 server."""
    port = urlsplit(servers["IMAGECONVERTER_S3_ENDPOINT"]).port
    assert port is not None
    async with fault_proxy(port) as running:
        yield running
