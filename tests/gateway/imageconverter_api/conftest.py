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
from tests.testing.fake_preview_cache import StandIn
from tests.testing.preview_requests import PASSWORD, Client


@pytest.fixture
def cache() -> StandIn:
    """The stand-in for the workers."""
    return StandIn()


@pytest.fixture
def settings() -> dict[str, Any]:
    """Preview settings, which a test can change before it requests the client."""
    return {}


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, cache: StandIn, settings: dict[str, Any]
) -> AsyncIterator[Client]:
    """A gateway with a limit of one MiB and a body timeout of one second."""
    gateway = GatewaySettings(
        api_key=API_KEY, admin_password=PASSWORD, token_secret=TOKEN_SECRET, max_upload_mb=1, body_seconds=1
    )
    app = create_app(make_settings(gateway=gateway, previews=PreviewSettings(**settings)), resources)
    app[state.PREVIEWS] = cache
    async with TestClient(TestServer(app)) as opened:
        yield opened
