"""`POST login` and `GET login/checkToken/{otok}`."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from aiohttp.test_utils import TestClient, TestServer, make_mocked_request
from pydantic import ValidationError

from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.app import create_app
from services.gateway.auth import tokens
from services.gateway.auth.api_keys import KeyRing, key_entry
from services.gateway.auth.login import is_https
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_failures")

LOGIN = "/admin/api/v1/login"
STATUS = "/images/convert/status"


@pytest.fixture
async def client(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway with an admin, a password, and a key that may read images."""
    file = tmp_path / "keys.toml"
    file.write_text(key_entry("reader", "the reader's key", ["images.read"]))
    gateway = GatewaySettings(
        api_key=API_KEY,
        admin_user="boss@shop.example",
        admin_password="pässword",
        token_secret=TOKEN_SECRET,
        api_keys_file=file,
    )
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as running:
        yield running


async def post(client: Client, body: Any, path: str = LOGIN) -> tuple[int, Any]:
    """Log in; returns status and body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    async with client.post(path, data=data) as response:
        return response.status, await response.json()


async def status_with(client: Client, token: str) -> int:
    """Return the status of a request for `images.read` with *token*."""
    async with client.get(STATUS, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status


@pytest.mark.parametrize(
    "credentials",
    [{"apiKey": API_KEY}, {"apiKey": "the reader's key"}, {"email": "boss@shop.example", "password": "pässword"}],
)
async def test_valid_credentials_are_exchanged_for_tokens(client: Client, credentials: dict[str, str]) -> None:
    """The access token has the permissions of the credentials; the refresh token only returns new tokens."""
    status, response = await post(client, credentials)
    again, renewed = await post(client, {"refreshToken": response["refreshToken"]})

    assert (status, again) == (200, 200)
    assert set(response) == set(renewed) == {"accessToken", "refreshToken"}
    assert await status_with(client, response["accessToken"]) == 200
    assert await status_with(client, renewed["accessToken"]) == 200
    assert await status_with(client, response["refreshToken"]) == 401


async def test_a_token_has_the_permissions_of_its_key(client: Client) -> None:
    """And no more."""
    _, response = await post(client, {"apiKey": "the reader's key"})
    headers = {"Authorization": f"Bearer {response['accessToken']}"}
    async with client.post("/images/convert/cancel", headers=headers) as refused:
        assert refused.status == 401


async def test_tokens_are_accepted_as_cookies(client: Client) -> None:
    """They are HttpOnly and SameSite."""
    async with client.post(f"{LOGIN}?setCookie", data=json.dumps({"apiKey": API_KEY})) as response:
        cookies = response.cookies
    async with client.get(STATUS, cookies={"accessToken": cookies["accessToken"].value}) as opened:
        assert opened.status == 200
    assert set(cookies) == {"accessToken", "refreshToken"}
    assert all(cookie["httponly"] and cookie["samesite"] == "Strict" for cookie in cookies.values())


@pytest.mark.parametrize(
    ("forwarded", "proxies", "secure"),
    [
        ("https", 1, True),
        ("HTTPS", 2, True),
        ("https, http", 2, True),
        ("http", 1, False),
        ("http, https", 2, False),
        ("", 1, False),
        ("https", 0, False),
    ],
)
def test_https_is_detected_behind_trusted_proxies(forwarded: str, proxies: int, secure: bool) -> None:  # noqa: FBT001
    """Only if proxies are configured; the first entry is that of the client's connection."""
    headers = {"X-Forwarded-Proto": forwarded} if forwarded else {}

    assert is_https(make_mocked_request("POST", LOGIN, headers=headers), proxies) is secure


@pytest.mark.parametrize("proxies", [0, 1])
async def test_cookies_are_secure_behind_a_trusted_https_proxy(
    make_settings: MakeSettings, resources: Resources, proxies: int
) -> None:
    """Only if a proxy is configured."""
    settings = make_settings(
        gateway=GatewaySettings(api_key=API_KEY, token_secret=TOKEN_SECRET, trusted_proxies=proxies)
    )
    async with (
        TestClient(TestServer(create_app(settings, resources))) as client,
        client.post(
            f"{LOGIN}?setCookie", json={"apiKey": API_KEY}, headers={"X-Forwarded-Proto": "https"}
        ) as response,
    ):
        assert {bool(cookie["secure"]) for cookie in response.cookies.values()} == {proxies > 0}


@pytest.mark.parametrize(
    "credentials",
    [
        {"apiKey": ""},
        {"apiKey": "wrong"},
        {"email": "boss@shop.example", "password": "password"},
        {"email": "other", "password": "pässword"},
        {"email": "", "password": ""},
        {"refreshToken": "nonsense"},
        {"refreshToken": ""},
        {"refreshToken": "é.ü"},
    ],
)
async def test_invalid_credentials_are_unauthorized(client: Client, credentials: dict[str, str]) -> None:
    """With 401, without a type."""
    status, response = await post(client, credentials)

    assert (status, "type" in response) == (401, False)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", ""),
        ({}, "missing"),
        ({"email": "a"}, "missing"),
        ({"apiKey": 1}, "invalidFormat"),
        ({"apiKey": API_KEY, "extra": 1}, "unknownDataField"),
    ],
)
async def test_an_invalid_login_body_is_rejected(client: Client, body: Any, code: str) -> None:
    """The response has the type of the error."""
    status, response = await post(client, body)

    assert (status, response.get("type", "")) == (400, code)


async def test_a_token_can_be_checked(client: Client) -> None:
    """The response has its owner, or why it is not valid."""
    _, response = await post(client, {"apiKey": API_KEY})
    checks = {
        response["accessToken"]: (200, ""),
        response["refreshToken"]: (404, ""),
        response["accessToken"][:-2] + "xx": (404, ""),
        "nonsense": (400, "invalidValue"),
        "a.b": (400, "invalidValue"),
        "ä.ö": (400, "invalidValue"),
        "x" * 2000 + ".y": (400, "invalidValue"),
    }
    for token, (status, code) in checks.items():
        async with client.get(f"{LOGIN}/checkToken/{token}") as checked:
            found = await checked.json()
        assert (checked.status, found.get("type", "")) == (status, code)
        assert ("id" in found) == (status == 200)


async def test_a_token_expires(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is rejected after half an hour."""
    monkeypatch.setitem(tokens.LIFETIME_SECONDS, "access", -1)
    _, response = await post(client, {"apiKey": API_KEY})

    assert await status_with(client, response["accessToken"]) == 401


async def test_a_token_with_another_signature_is_rejected(client: Client) -> None:
    """A token signed with another secret."""
    _, response = await post(client, {"apiKey": API_KEY})
    token = tokens.TokenSigner(TOKEN_SECRET.encode()).read(response["accessToken"])
    assert token is not None
    forged = tokens.TokenSigner(b"a guess of thirty-two characters").issue(token)

    assert await status_with(client, forged) == 401


async def test_an_unsigned_token_is_rejected(client: Client) -> None:
    """The gateway ignores the algorithm that the token declares."""
    claims = {"iss": "imageconverter", "sub": "user:boss@shop.example", "use": "access", "exp": 2**40}
    unsigned = jwt.encode(claims, None, algorithm="none")

    assert await status_with(client, unsigned) == 401


def test_an_admin_password_requires_a_token_secret() -> None:
    """Without it the gateway does not start; the error has the name of the missing variable."""
    with pytest.raises(SettingsError, match="IMAGECONVERTER_TOKEN_SECRET"):
        KeyRing(GatewaySettings(api_key=API_KEY, admin_password="pässword"))


def test_a_short_token_secret_is_rejected() -> None:
    """It could be guessed from a token."""
    with pytest.raises(ValidationError, match="32 bytes"):
        GatewaySettings(api_key=API_KEY, token_secret="short")


async def test_without_a_secret_the_login_is_disabled(make_settings: MakeSettings, resources: Resources) -> None:
    """API keys still work."""
    app = create_app(make_settings(gateway=GatewaySettings(api_key=API_KEY)), resources)
    async with TestClient(TestServer(app)) as client:
        status, response = await post(client, {"apiKey": API_KEY})
        assert (status, await status_with(client, API_KEY)) == (404, 200)

    assert "IMAGECONVERTER_TOKEN_SECRET" in response["reason"]
