"""Keys and permissions."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, make_mocked_request

from imageconverter.errors import Unauthorized
from imageconverter.settings import GatewaySettings, SettingsError
from services.gateway.auth.api_keys import Grant, KeyRing, key_entry, read_keys
from tests.conftest import API_KEY

GUARDED = [
    ("GET", "/url/products?formatNodeId=content.imageFormat.normal"),
    ("POST", "/upload"),
    ("POST", "/upload/convert"),
]
BASES = ["/admin/api/v1/images", "/images"]


def keys_file(folder: Path, *permissions: str, key: str = "reader") -> Path:
    """Write a keys file with one key."""
    file = folder / "keys.toml"
    file.write_text(key_entry("test", key, permissions))
    return file


def request(**headers: str) -> web.Request:
    """Make a request with *headers*."""
    return make_mocked_request("GET", "/", headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.parametrize("base", BASES)
@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {API_KEY}"},
        {"Authorization": API_KEY},
        {"Authorization": f"Bearer {API_KEY}x"},
        {"Authorization": "Bearer ünïcode"},
        {"X-Authorization": "Bearer wrong"},
    ],
)
async def test_a_request_without_a_valid_key_is_rejected(
    gateway: TestClient[Any, Any], base: str, method: str, path: str, headers: dict[str, str]
) -> None:
    """With 401 and an error body without a type, before the request body is read."""
    async with gateway.request(method, base + path, headers=headers, data=b"not JSON") as response:
        body = await response.json()

    assert response.status == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert body["error"] == "Unauthorized"
    assert "type" not in body


@pytest.mark.parametrize("header", ["Authorization", "X-Authorization"])
async def test_a_key_is_accepted_in_either_header(gateway: TestClient[Any, Any], header: str) -> None:
    """Older clients of the shop send X-Authorization."""
    path = "/images/url/products?formatNodeId=content.imageFormat.normal"
    async with gateway.get(path, headers={header: f"bearer {API_KEY}"}) as response:
        assert response.status == 200


def test_a_key_of_the_file_has_its_own_permissions(tmp_path: Path) -> None:
    """And no others."""
    file = keys_file(tmp_path, "products.read", "images.publish.products")
    ring = KeyRing(GatewaySettings(api_key="the admin's", api_keys_file=file))
    grant = ring.grant(request(Authorization="Bearer reader"))

    assert grant.may("products.read")
    assert not grant.may("categories.read")
    assert not grant.may("images.publish")
    assert grant.may("images.publish", ["product"])
    assert not grant.may("images.publish", ["category"])
    assert not grant.may("images.publish", ["product", "category"])
    assert ring.grant(request(Authorization="Bearer the admin's")).may("images.delete", ["app"])


def test_a_permission_without_a_type_covers_all_types() -> None:
    """Permission to publish images includes publishing products."""
    grant = Grant("test", frozenset({"images.publish"}))

    assert grant.may("images.publish", ["product", "category", "app"])


def test_a_missing_permission_is_unauthorized() -> None:
    """The API has no 403."""
    with pytest.raises(Unauthorized):
        Grant("test", frozenset({"images.read"})).require("images.publish")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda text: text.replace("products.read", "products.write"), "permissions"),
        (lambda text: text.replace("sha256", "key"), "sha256"),
        (lambda text: text.replace('name = "test"', ""), "name"),
        (lambda text: text + "nonsense", "nonsense|Expected|expected"),
    ],
)
def test_an_error_in_the_keys_file_is_reported(tmp_path: Path, change: Callable[[str], str], word: str) -> None:
    """The message has the variable, the file and the position."""
    file = keys_file(tmp_path, "products.read")
    file.write_text(change(file.read_text()))

    with pytest.raises(SettingsError, match=rf"IMAGECONVERTER_API_KEYS_FILE: .*keys\.toml: .*({word})"):
        read_keys(file)


def test_a_gateway_without_a_key_does_not_start(tmp_path: Path) -> None:
    """No default key may open it."""
    (tmp_path / "keys.toml").write_text("")

    with pytest.raises(SettingsError, match="IMAGECONVERTER_API_KEY"):
        KeyRing(GatewaySettings())
    with pytest.raises(SettingsError, match="IMAGECONVERTER_API_KEY"):
        KeyRing(GatewaySettings(api_keys_file=tmp_path / "keys.toml"))


def test_the_keys_file_contains_only_hashes(tmp_path: Path) -> None:
    """A key cannot be recovered from its hash."""
    text = keys_file(tmp_path, "admin", key="hunter2").read_text()

    assert "hunter2" not in text
    assert hashlib.sha256(b"hunter2").hexdigest() in text
