"""The limit of requests for each key and each address."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from tests.conftest import ADMIN, API_KEY, MakeSettings

Client = TestClient[Any, Any]


@pytest.fixture
async def limited(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway that accepts one request a minute, after the first ten."""
    gateway = GatewaySettings(api_key=API_KEY, requests_per_minute=1, trusted_proxies=1)
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        yield client


async def statuses(client: Client, count: int, path: str = "/content/none.png", **headers: str) -> list[int]:
    """Send *count* requests; return their statuses."""
    found = []
    for _ in range(count):
        async with client.get(path, headers=headers) as response:
            found.append(response.status)
            if response.status == 429:
                assert int(response.headers["Retry-After"]) >= 60
    return found


async def test_a_client_that_sends_too_much_is_asked_to_wait(limited: Client) -> None:
    """Other addresses, keys and the health checks are not affected."""
    assert await statuses(limited, 12) == [404] * 10 + [429] * 2
    assert await statuses(limited, 1, **{"X-Forwarded-For": "192.0.2.1"}) == [404]
    assert await statuses(limited, 1, **ADMIN) == [404]
    assert await statuses(limited, 2, "/health/live") == [200] * 2


async def test_a_wrong_key_is_no_way_around(limited: Client) -> None:
    """It counts for the address, whatever it is."""
    found = [await statuses(limited, 1, Authorization=f"Bearer guess-{number}") for number in range(11)]

    assert found == [[404]] * 10 + [[429]]


async def test_a_key_has_a_limit_of_its_own(limited: Client) -> None:
    """From whatever address."""
    found = [
        await statuses(limited, 1, **ADMIN, **{"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(1, 12)
    ]

    assert found == [[404]] * 10 + [[429]]


async def test_both_apis_report_it_in_their_own_form(limited: Client) -> None:
    """With the status 429."""
    await statuses(limited, 10)
    async with limited.get("/images/convert/status") as response:
        assert (response.status, (await response.json())["error"]) == (429, "Too Many Requests")
    async with limited.get("/imageconverter/getKeyCount") as response:
        assert (response.status, (await response.json())["code"]) == (429, 4290)
