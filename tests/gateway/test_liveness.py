"""The liveness port."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientConnectorError, ClientSession

from imageconverter.settings import GatewaySettings, RedisSettings
from services.gateway.main import run
from services.stack.ports import LOOPBACK, free_ports
from tests.conftest import API_KEY, MakeSettings, storage_settings
from tests.testing.roles import running


@pytest.fixture
async def ports(make_settings: MakeSettings, servers: dict[str, str]) -> AsyncIterator[tuple[int, int]]:
    """A gateway without Redis and store: its port and its liveness port."""
    port, liveness_port, unused = free_ports(3)
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, host=LOOPBACK, port=port, liveness_port=liveness_port),
        redis=RedisSettings(url=f"redis://{LOOPBACK}:{unused}"),
        storage=storage_settings(servers, endpoint=f"http://{LOOPBACK}:{unused}"),
    )
    async with running(settings, run):
        yield port, liveness_port


async def get(port: int, path: str) -> tuple[int, str]:
    """Get a path of the server on *port*, waiting for it to come up."""
    async with asyncio.timeout(10), ClientSession() as session:
        while True:
            try:
                async with session.get(f"http://{LOOPBACK}:{port}{path}") as response:
                    return response.status, await response.text()
            except ClientConnectorError:
                await asyncio.sleep(0.02)


@pytest.mark.slow
async def test_the_liveness_port_has_no_other_route(ports: tuple[int, int]) -> None:
    """Even if Redis and store are unavailable; the status page serves the readiness probe."""
    port, liveness_port = ports

    assert await get(liveness_port, "/health/liveness") == (200, '{"status": "live"}')
    assert (await get(liveness_port, "/metrics"))[0] == 404
    async with ClientSession() as session, session.get(f"http://{LOOPBACK}:{liveness_port}/") as response:
        assert response.headers["Server"] == "imageconverter"
    assert (await get(liveness_port, "/imageconverter"))[0] == 404
    assert (await get(port, "/imageconverter"))[0] == 200
    assert (await get(port, "/imageconverter/getKeyCount"))[0] == 503
