"""The shop's stack."""

from collections.abc import AsyncIterator

import pytest

from imageconverter.resources import Resources
from imageconverter.settings import Settings
from tests.conftest import MakeSettings
from tests.testing import shop_client
from tests.testing.shop_client import Shop


@pytest.fixture(scope="package")
def shop_settings(make_settings: MakeSettings, servers: dict[str, str]) -> Settings:
    """Settings of a separate stack; every earlier report is old enough for a clean-up."""
    return shop_client.shop_settings(make_settings, servers)


@pytest.fixture(scope="package")
async def stack(shop_settings: Settings) -> AsyncIterator[Resources]:
    """Run a reporter and a worker."""
    async with shop_client.running_stack(shop_settings) as resources:
        yield resources


@pytest.fixture
async def shop(shop_settings: Settings, stack: Resources) -> AsyncIterator[Shop]:
    """A shop without images and catalogs."""
    async with shop_client.empty_shop(shop_settings, stack) as shop:
        yield shop
