"""Fixtures for all attacks: two sandbox processes for all files, and a real gateway."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from http import HTTPStatus

import pytest
from aiohttp import web

from imageconverter.resources import Resources, wait_for_bucket
from imageconverter.settings import GatewaySettings
from services.gateway.http import middleware
from services.gateway.main import run as run_gateway
from services.stack.ports import free_ports
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.hostile.wire import Wire
from tests.testing.login_failures import no_failures
from tests.worker.sandbox.test_hostile import attack

__all__ = ["attack", "no_failures"]


@pytest.fixture(autouse=True)
def no_internal_error(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No request may cause a 500, not even one whose client has disconnected."""
    errors = []
    error_response = middleware._error_response

    def watched(request: web.Request, error: Exception) -> web.Response:
        response = error_response(request, error)
        if response.status == 500:
            errors.append(f"{request.method} {request.path[:200]}: {error!r}")
        return response

    monkeypatch.setattr(middleware, "_error_response", watched)
    yield
    assert not errors


@pytest.fixture(scope="session")
async def wire(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Wire]:
    """A separate gateway with real sockets."""
    await wait_for_bucket(resources.store)
    (port,) = free_ports(1)
    settings = make_settings(
        gateway=GatewaySettings(
            api_key=API_KEY, admin_password="a-password-for-tests", token_secret=TOKEN_SECRET, port=port
        )
    )
    stopping = asyncio.Event()
    running = asyncio.create_task(run_gateway(settings, stopping))
    wire = Wire("127.0.0.1", port)
    async with asyncio.timeout(20):
        while not (running.done() or (await wire.is_open() and await _serves(wire))):
            await asyncio.sleep(0.05)
    try:
        yield wire
    finally:
        stopping.set()
        await running


async def _serves(wire: Wire) -> bool:
    """Whether the gateway has found out that its stack owns the bucket."""
    return (await wire.get("/imageconverter/getKeyCount")).status == HTTPStatus.OK
