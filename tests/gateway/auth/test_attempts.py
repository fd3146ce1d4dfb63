"""The rate limit for invalid credentials."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request

from imageconverter import keys
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import GatewaySettings, RedisSettings
from services.gateway.app import create_app
from services.gateway.auth.attempts import WINDOW_SECONDS, client_address
from services.stack.ports import free_ports
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_failures")

LOGIN = "/admin/api/v1/login"
GUARDED = "/imageconverter/getKeys"
MAX_FAILURES = 5
PASSWORD = "a-password-for-tests"


@pytest.fixture
async def clients(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[tuple[Client, Client]]:
    """Two gateways of one stack; the second one is behind a proxy."""
    first, second = (
        GatewaySettings(
            api_key=API_KEY,
            admin_password=PASSWORD,
            token_secret=TOKEN_SECRET,
            login_failures=MAX_FAILURES,
            trusted_proxies=proxies,
        )
        for proxies in (0, 1)
    )
    async with (
        TestClient(TestServer(create_app(make_settings(gateway=first), resources))) as one,
        TestClient(TestServer(create_app(make_settings(gateway=second), resources))) as other,
    ):
        yield one, other


async def login(client: Client, password: str = PASSWORD, **headers: str) -> tuple[int, str]:
    """Log in; returns the status and the Retry-After header in seconds."""
    credentials = {"email": "admin", "password": password}
    async with client.post(LOGIN, json=credentials, headers=headers) as response:
        return response.status, response.headers.get("Retry-After", "")


async def list_keys(client: Client, password: str = PASSWORD) -> tuple[int, str]:
    """Call an operation that needs the password; returns the same."""
    header = f"Basic {b64encode(f'admin:{password}'.encode()).decode()}"
    async with client.get(GUARDED, headers={"Authorization": header}) as response:
        return response.status, response.headers.get("Retry-After", "")


async def test_too_many_invalid_credentials_block_valid_ones(clients: tuple[Client, Client]) -> None:
    """At the login and with Basic authentication together; requests with a key are not affected."""
    client, _ = clients
    for attempt in range(MAX_FAILURES):
        assert await (login if attempt % 2 else list_keys)(client, "wrong") == (401, "")
    for status, seconds in (await login(client), await list_keys(client), await login(client, "wrong")):
        assert status == 429
        assert 0 < int(seconds) <= WINDOW_SECONDS
    async with client.get("/images/convert/status", headers={"Authorization": f"Bearer {API_KEY}"}) as response:
        assert response.status == 200
    async with client.get(GUARDED) as response:
        assert response.status == 401


async def test_valid_credentials_work_again_after_the_window(
    clients: tuple[Client, Client], resources: Resources
) -> None:
    """The window is not extended by further attempts."""
    client, _ = clients
    for _ in range(3 * MAX_FAILURES):
        await login(client, "wrong")
    key = keys.failures("127.0.0.1")
    assert 0 < await resources.redis.pttl(key) <= WINDOW_SECONDS * 1000
    await resources.redis.pexpire(key, 1)
    async with asyncio.timeout(20):
        while await resources.redis.exists(key):
            await asyncio.sleep(0.01)
    assert await login(client) == (200, "")


async def test_block_ends_in_time_although_the_clock_of_redis_was_set_back(
    clients: tuple[Client, Client], resources: Resources
) -> None:
    """Its end would be 40 days ahead."""
    key = keys.failures("127.0.0.1")
    await resources.redis.set(key, MAX_FAILURES, px=40 * 24 * 3_600_000)

    status, retry_after = await login(clients[0])

    assert status == 429
    assert int(retry_after) <= WINDOW_SECONDS
    assert 0 < await resources.redis.pttl(key) <= WINDOW_SECONDS * 1000


async def test_valid_credentials_are_not_counted(clients: tuple[Client, Client]) -> None:
    """They neither use up the limit nor reset the count of failures."""
    client, _ = clients
    assert {await login(client) for _ in range(3 * MAX_FAILURES)} == {(200, "")}
    for _ in range(MAX_FAILURES):
        assert (await login(client))[0] == 200
        assert (await login(client, "wrong"))[0] == 401
    assert (await login(client))[0] == 429


async def test_concurrent_attempts_do_not_exceed_the_limit(clients: tuple[Client, Client]) -> None:
    """Of fifty concurrent guesses at two gateways, as many are checked as of sequential ones."""
    first, second = clients
    responses = await asyncio.gather(*(login((first, second)[n % 2], f"wrong {n}") for n in range(50)))

    assert sorted(status for status, _ in responses) == [401] * MAX_FAILURES + [429] * (50 - MAX_FAILURES)


async def test_clients_behind_a_trusted_proxy_are_distinguished(clients: tuple[Client, Client]) -> None:
    """A forged header does not help, and other clients of the proxy are not blocked."""
    direct, behind = clients
    for number in range(MAX_FAILURES):
        await login(direct, "wrong", **{"X-Forwarded-For": f"10.0.0.{number}"})
    assert (await login(direct, **{"X-Forwarded-For": "10.9.9.9"}))[0] == 429

    for number in range(MAX_FAILURES):
        await login(behind, "wrong", **{"X-Forwarded-For": f"10.0.0.{number}, 192.0.2.1"})
    assert (await login(behind, **{"X-Forwarded-For": "10.9.9.9, 192.0.2.1"}))[0] == 429
    assert (await login(behind, **{"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}))[0] == 200


@pytest.mark.parametrize(
    ("proxies", "header", "address"),
    [
        (0, None, "127.0.0.1"),
        (0, "192.0.2.1", "127.0.0.1"),
        (1, None, "127.0.0.1"),
        (1, "192.0.2.1", "192.0.2.1"),
        (1, "10.0.0.1, 192.0.2.1", "192.0.2.1"),
        (2, "10.0.0.1, 192.0.2.1 , 10.0.0.2", "192.0.2.1"),
        (2, "192.0.2.1", "127.0.0.1"),
        (1, "nonsense", "127.0.0.1"),
        (1, "fe80::1%" + "x" * 100, "127.0.0.1"),
        (1, "*", "127.0.0.1"),
        (1, "::ffff:192.0.2.1", "192.0.2.1"),
        (1, "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        (1, "2001:db8:1:2:ffff::9", "2001:db8:1:2::"),
    ],
)
def test_the_client_address_is_taken_from_trusted_proxies(proxies: int, header: str | None, address: str) -> None:
    """The entry of the outermost trusted proxy; for IPv6 the network."""
    headers = {} if header is None else {"X-Forwarded-For": header}
    request = make_mocked_request("GET", "/", headers=headers).clone(remote="127.0.0.1")

    assert client_address(request, proxies) == address


@pytest.mark.slow
async def test_without_redis_all_credentials_are_unavailable(make_settings: MakeSettings) -> None:
    """Valid and invalid credentials both get 503."""
    (unused,) = free_ports(1)
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, admin_password=PASSWORD, token_secret=TOKEN_SECRET),
        redis=RedisSettings(url=f"redis://127.0.0.1:{unused}", timeout_seconds=0.2),
    )
    async with (
        open_resources(settings, retry_timeout=1) as unavailable,
        TestClient(TestServer(create_app(settings, unavailable))) as client,
    ):
        for ask in (login, list_keys):
            for password in (PASSWORD, "wrong"):
                assert (await ask(client, password))[0] == 503
