"""Logins: a refresh token is good for one use, a login has an end, and a changed credential ends its tokens."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.app import create_app
from services.gateway.auth import sessions, tokens, watched_file
from services.gateway.auth.administrator import Administrator
from services.gateway.auth.api_keys import key_entry
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_failures")

LOGIN = "/admin/api/v1/login"
STATUS = "/images/convert/status"


@pytest.fixture
def keys_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keys file with the key of a reader; files are checked at each request."""
    monkeypatch.setattr(watched_file, "_CHECK_SECONDS", 0)
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("reader", "the reader's key", ["images.read"]))
    return file


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    """A file with the administrator's password."""
    file = tmp_path / "password"
    file.write_text("pässword\n")
    return file


@pytest.fixture
async def client(
    make_settings: MakeSettings, resources: Resources, keys_file: Path, password_file: Path
) -> AsyncIterator[Client]:
    """A gateway that reads keys and password from files."""
    gateway = GatewaySettings(
        api_key=API_KEY, admin_password_file=password_file, token_secret=TOKEN_SECRET, api_keys_file=keys_file
    )
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as running:
        yield running


async def login(client: Client, headers: dict[str, str] | None = None, **credentials: str) -> tuple[int, Any]:
    """Log in; returns status and body."""
    async with client.post(LOGIN, data=json.dumps(credentials), headers=headers or {}) as response:
        return response.status, await response.json()


async def status_with(client: Client, token: str) -> int:
    """Return the status of a request for `images.read` with *token*."""
    async with client.get(STATUS, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status


def replace(file: Path, text: str) -> None:
    """Replace *file* atomically, as editors do."""
    new = file.with_suffix(".new")
    new.write_text(text)
    os.replace(new, file)  # noqa: PTH105 - the same as Path.replace


async def test_a_refresh_token_that_was_copied_ends_the_login(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether the thief or the owner uses it first, the other's use ends it for both."""
    monkeypatch.setattr(sessions, "_GRACE_SECONDS", -1)
    _, first = await login(client, apiKey=API_KEY)
    status, second = await login(client, refreshToken=first["refreshToken"])
    assert status == 200

    assert (await login(client, refreshToken=first["refreshToken"]))[0] == 401
    assert (await login(client, refreshToken=second["refreshToken"]))[0] == 401
    assert (await login(client, apiKey=API_KEY))[0] == 200


async def test_two_tabs_may_refresh_at_the_same_time(client: Client) -> None:
    """Both get tokens that work, also for the next time."""
    _, first = await login(client, apiKey=API_KEY)
    replies = await asyncio.gather(*(login(client, refreshToken=first["refreshToken"]) for _ in range(2)))

    assert [status for status, _ in replies] == [200, 200]
    assert (await login(client, refreshToken=replies[1][1]["refreshToken"]))[0] == 200


async def test_a_login_has_an_end(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it is refreshed, no token of it is valid after that."""
    _, first = await login(client, apiKey=API_KEY)
    signer = tokens.TokenSigner(TOKEN_SECRET.encode())
    begun = signer.read(first["refreshToken"])
    _, renewed = await login(client, refreshToken=first["refreshToken"])
    again = signer.read(renewed["refreshToken"])
    assert begun is not None
    assert again is not None
    assert again.login_end == begun.login_end

    monkeypatch.setattr("time.time", lambda: begun.login_end + 1)
    assert (await login(client, refreshToken=renewed["refreshToken"]))[0] == 401


async def test_a_login_can_be_ended(client: Client) -> None:
    """Its refresh token is worth nothing then; the cookies are removed."""
    _, tokens_of_login = await login(client, apiKey=API_KEY)
    async with client.delete(LOGIN, json={"refreshToken": tokens_of_login["refreshToken"]}) as response:
        assert response.status == 200
        assert {cookie["max-age"] for cookie in response.cookies.values()} == {"0"}

    assert (await login(client, refreshToken=tokens_of_login["refreshToken"]))[0] == 401


async def test_a_changed_password_ends_its_tokens(client: Client, password_file: Path) -> None:
    """Without a restart; the new one is accepted."""
    _, before = await login(client, email="admin", password="pässword")
    assert await status_with(client, before["accessToken"]) == 200
    replace(password_file, "another password")

    assert await status_with(client, before["accessToken"]) == 401
    assert (await login(client, refreshToken=before["refreshToken"]))[0] == 401
    assert (await login(client, email="admin", password="pässword"))[0] == 401
    assert (await login(client, email="admin", password="another password"))[0] == 200


async def test_a_removed_key_is_rejected_without_a_restart(client: Client, keys_file: Path) -> None:
    """And so are the tokens that were issued for it; an added one works."""
    _, before = await login(client, apiKey="the reader's key")
    replace(keys_file, key_entry("other", "another key", ["images.read"]))

    assert await status_with(client, "the reader's key") == 401
    assert await status_with(client, before["accessToken"]) == 401
    assert await status_with(client, "another key") == 200


@pytest.mark.parametrize("broken", ["nonsense", None])
async def test_a_broken_keys_file_changes_nothing(client: Client, keys_file: Path, broken: str | None) -> None:
    """The keys that were read before still work, and those of a correct file again."""
    if broken is None:
        keys_file.unlink()
    else:
        replace(keys_file, broken)
    assert await status_with(client, "the reader's key") == 200

    replace(keys_file, key_entry("other", "another key", ["images.read"]))
    assert await status_with(client, "the reader's key") == 401


@pytest.mark.parametrize("text", ["", "\n", None])
def test_a_gateway_does_not_start_with_a_bad_password_file(tmp_path: Path, text: str | None) -> None:
    """The error has the name of the setting."""
    file = tmp_path / "password"
    if text is not None:
        file.write_text(text)

    with pytest.raises(SettingsError, match="IMAGECONVERTER_ADMIN_PASSWORD_FILE"):
        Administrator(GatewaySettings(api_key=API_KEY, admin_password_file=file))


FOREIGN: list[dict[str, str]] = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://shop.example"},
    {"Origin": "null"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_can_neither_log_in_nor_lock_out(client: Client, headers: dict[str, str]) -> None:
    """Its attempts do not count as those of the visitor's address."""
    for _ in range(30):
        assert (await login(client, headers, apiKey="a guess"))[0] == 401
    assert (await login(client, headers, apiKey=API_KEY))[0] == 401

    assert (await login(client, apiKey=API_KEY))[0] == 200


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_changes_nothing_by_the_cookie(client: Client, headers: dict[str, str]) -> None:
    """The gateway's own pages do, and a key in a header is enough for itself."""
    _, granted = await login(client, apiKey=API_KEY)
    cookies = {"accessToken": granted["accessToken"]}
    own = {"Sec-Fetch-Site": "same-origin", "Origin": f"http://{client.host}:{client.port}"}
    key = {"Authorization": f"Bearer {API_KEY}"}
    for sent, with_cookies, expected in (
        (headers, cookies, 401),
        (own, cookies, 200),
        ({"Origin": own["Origin"]}, cookies, 200),
        (headers | key, {}, 200),
    ):
        async with client.post("/images/convert/cancel", headers=sent, cookies=with_cookies) as response:
            assert (response.status == 401) is (expected == 401)
