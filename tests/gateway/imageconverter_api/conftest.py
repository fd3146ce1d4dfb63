"""A gateway over the stand-in, with a password."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings, PreviewSettings
from services.gateway import state
from services.gateway.app import create_app
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.testing.preview_requests import PASSWORD, Client
from tests.testing.stand_in_worker import StandIn


@pytest.fixture
def cache() -> StandIn:
    """The stand-in for the workers."""
    return StandIn()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Settings of previews that a test may change before it has a client."""
    return {}


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, cache: StandIn, settings: dict[str, Any]
) -> AsyncIterator[Client]:
    """A gateway that takes up to a MiB and waits a second for a body."""
    gateway = GatewaySettings(
        api_key=API_KEY, admin_password=PASSWORD, token_secret=TOKEN_SECRET, max_upload_mb=1, body_seconds=1
    )
    app = create_app(make_settings(gateway=gateway, previews=PreviewSettings(**settings)), resources)
    app[state.PREVIEWS] = cache
    async with TestClient(TestServer(app)) as opened:
        yield opened
