"""The audit log: a line for each request that changes something or has wrong credentials, and for no other."""

import io
import json
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.reports import commands
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.gateway.routes import IMAGECONVERTER, IMAGECONVERTER_BASE, IMAGES, LOGIN, PLAIN
from tests.conftest import API_KEY, TOKEN_SECRET, MakeSettings
from tests.testing import image_files
from tests.testing.audit_lines import RENDERERS, AuditLines, audit_to

Client = TestClient[Any, Any]
Headers = dict[str, str] | None

pytestmark = pytest.mark.usefixtures("no_failures")

PASSWORD = "a-password-for-tests"
SHOP_KEY = "the key of the shop"
MAX_FAILURES = 5
LOGIN_PATH = "/admin/api/v1/login"
KEY = {"Authorization": f"Bearer {API_KEY}"}
SHOP = {"Authorization": f"Bearer {SHOP_KEY}"}
BASIC = {"Authorization": f"Basic {b64encode(f'admin:{PASSWORD}'.encode()).decode()}"}

TABLE = [
    *((each, "/images" + each.path) for each in IMAGES),
    *((each, each.path) for each in (*LOGIN, *PLAIN)),
    *((each, IMAGECONVERTER_BASE + each.path) for each in IMAGECONVERTER),
]
CHANGING = [
    (method, path, route.requires.basic_auth)
    for route, path in TABLE
    for method in route.methods
    if route.changes_something
]
ONLY_READING = [path for route, path in TABLE if route.only_reads]  # with POST
READING = [(path, route.requires.basic_auth) for route, path in TABLE if set(route.methods) == {"GET"}]


@pytest.fixture
async def client(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway behind a proxy, with a key for the shop."""
    keys_file = tmp_path / "keys.toml"
    keys_file.write_text(key_entry("shop", SHOP_KEY, ["images.delete"]))
    settings = GatewaySettings(
        api_key=API_KEY,
        api_keys_file=keys_file,
        admin_password=PASSWORD,
        token_secret=TOKEN_SECRET,
        login_failures=MAX_FAILURES,
        trusted_proxies=1,
    )
    async with TestClient(TestServer(create_app(make_settings(gateway=settings), resources))) as running:
        yield running


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> AuditLines:
    """The lines that are written."""
    return audit_to(RENDERERS["json"], monkeypatch)


async def send(client: Client, method: str, path: str, data: bytes = b"[", headers: Headers = None) -> int:
    """Send a request, whose body is broken unless *data* is passed; returns the status."""
    async with client.request(method, path, data=data, headers=headers) as response:
        await response.read()
        return response.status


def example(path: str) -> str:
    """Return a path of the route *path* of which nothing exists."""
    return re.sub(r"\{\w+(:.*?)?\}", "unknown", path)


@pytest.mark.parametrize(("method", "path", "basic"), CHANGING)
async def test_each_route_that_changes_something_is_audited(
    client: Client, lines: AuditLines, method: str, path: str, *, basic: bool
) -> None:
    """Once, also with a slash at the end, with who, where from, what and the outcome."""
    for slash in "", "/":
        if slash and path.endswith("{requestFormat}"):
            continue
        target = f"{example(path)}{slash}?context=audited"
        status = await send(client, method, target, headers=BASIC if basic else KEY)
        (line,) = lines.take()

        assert line["event"] == "audit"
        assert line["operation"] == f"{method} {path.replace(':.+', '')}"
        assert line["status"] == status
        assert line["address"] == "127.0.0.1"
        assert line["context"] == "audited"
        assert {line[name] for name in re.findall(r"\{(\w+)\}", path)} <= {"unknown"}


@pytest.mark.parametrize(("path", "basic"), READING)
async def test_reading_is_not_audited(client: Client, lines: AuditLines, path: str, *, basic: bool) -> None:
    """Neither with GET nor with HEAD."""
    for method in "GET", "HEAD":
        await send(client, method, example(path).replace("unknown", "products"), b"", headers=BASIC if basic else KEY)

    assert lines.take() == []


@pytest.mark.parametrize("path", ONLY_READING)
async def test_reading_with_post_is_not_audited(client: Client, lines: AuditLines, path: str) -> None:
    """The body says what is wanted."""
    await send(client, "POST", f"/images{path}", b'{"toml": ""}', headers={"Authorization": f"Bearer {API_KEY}"})

    assert lines.take() == []


@pytest.mark.usefixtures("worker")
async def test_a_preview_that_exists_is_only_read(client: Client, lines: AuditLines) -> None:
    """Of two requests for it, the first one has stored it."""
    path = f"/imageconverter/cacheAndGetImage/{uuid4().hex}/auto:200x150"
    for _ in range(2):
        form = FormData()
        form.add_field("sourceImage", image_files.png(), filename="a.png", content_type="image/png")
        async with client.post(path, data=form) as response:
            assert response.status == 200

    assert [line["status"] for line in lines.take()] == [200]


@pytest.mark.parametrize(("dry", "count"), [("true", 0), ("false", 1)])
async def test_a_clean_up_that_only_lists_files_is_not_audited(
    client: Client, lines: AuditLines, monkeypatch: pytest.MonkeyPatch, dry: str, count: int
) -> None:
    """One that moves them is."""

    async def run_command(*_: object, **__: object) -> None:
        """Take longer than the client waits."""

    monkeypatch.setattr(commands, "run_command", run_command)
    path = f"/images/report/products/unused?dryRun={dry}"
    assert await send(client, "DELETE", path, b"{}", headers=SHOP) == 202

    assert [line["dryRun"] for line in lines.take()] == [dry] * count


async def test_the_actor_is_the_key_or_the_user(client: Client, lines: AuditLines) -> None:
    """By the name of the key, also if a token was issued for it; of public requests there is none."""
    async with client.post(LOGIN_PATH, json={"apiKey": SHOP_KEY}) as response:
        tokens = await response.json()
    token = {"Authorization": f"Bearer {tokens['accessToken']}"}
    await send(client, "DELETE", "/images/upload/products/a.jpg", b"{}", headers=SHOP)
    await send(client, "DELETE", "/images/upload/products/a.jpg", b"{}", headers=token)
    await send(client, "DELETE", LOGIN_PATH, json.dumps({"refreshToken": tokens["refreshToken"]}).encode())
    await send(client, "POST", LOGIN_PATH, json.dumps({"email": "admin", "password": PASSWORD}).encode())
    await send(client, "DELETE", "/imageconverter/clearImagesByKey/unknown", headers=BASIC)
    await send(client, "POST", "/images/convert/cancel", headers=KEY)
    await send(client, "POST", "/imageconverter/cacheImage/a")

    found = [(line["actor"], line["status"]) for line in lines.take()]
    assert found == [
        ("key shop", 200),
        ("key shop", 404),
        ("key shop", 404),
        ("key shop", 200),
        ("user admin", 200),
        ("user admin", 404),
        ("key admin", 400),
        ("none", 400),
    ]


async def test_the_address_is_that_behind_trusted_proxies(client: Client, lines: AuditLines) -> None:
    """What a client forges does not count."""
    await send(client, "POST", "/images/convert/cancel", headers={**KEY, "X-Forwarded-For": "10.0.0.1, 192.0.2.1"})

    assert [line["address"] for line in lines.take()] == ["192.0.2.1"]


async def test_what_was_changed_is_named(client: Client, lines: AuditLines) -> None:
    """Directories, the number of names, runs."""
    await send(client, "POST", "/images/directories/source", b'{"path": "audited", "name": "new"}', headers=KEY)
    await send(client, "DELETE", "/images/directories/source", b'{"path": "audited"}', headers=KEY)
    await send(
        client, "DELETE", "/images/upload/products", b'{"fileName": ["audited a.jpg", "audited b.jpg"]}', headers=SHOP
    )
    created, deleted, images = lines.take()

    assert (created["typeId"], created["path"], created["status"]) == ("source", "audited/new", 200)
    assert (deleted["typeId"], deleted["path"], deleted["status"]) == ("source", "audited", 200)
    assert (images["typeId"], images["names"], images["status"]) == ("products", 2, 404)


async def test_a_form_that_is_rejected_names_what_it_has_replaced(client: Client, lines: AuditLines) -> None:
    """The sources before the one that is not an image are stored."""
    form = FormData()
    for name, data in (("a.png", image_files.png()), ("b.png", b"text")):
        form.add_field("file", io.BytesIO(data), filename=name)
    async with client.post("/images/sources?directory=audited", data=form, headers=KEY) as response:
        assert response.status == 400
    (line,) = lines.take()

    assert (line["directory"], line["images"], line["status"]) == ("audited", 1, 400)


async def test_wrong_credentials_are_audited_until_there_are_too_many(client: Client, lines: AuditLines) -> None:
    """At the login, in headers and of reading requests; the last line says so. Other addresses are not affected."""
    wrong = json.dumps({"email": "admin", "password": "wrong"}).encode()
    for _ in range(2 * MAX_FAILURES):
        await send(client, "POST", LOGIN_PATH, wrong)
        await send(client, "GET", "/images/convert/status", b"", {"Authorization": "Bearer wrong"})
    found = lines.take()
    await send(client, "GET", "/images/convert/status", b"", {"X-Forwarded-For": "192.0.2.9"})
    await send(client, "POST", "/images/convert/cancel", headers=KEY)
    other, valid = lines.take()

    assert len(found) == MAX_FAILURES
    assert [line.get("further_omitted", False) for line in found] == [False] * (MAX_FAILURES - 1) + [True]
    assert {(line["operation"], line["status"], line["actor"]) for line in found} == {
        (f"POST {LOGIN_PATH}", 401, "none"),
        ("GET /images/convert/status", 401, "none"),
    }
    assert (other["address"], other["status"]) == ("192.0.2.9", 401)
    assert (valid["actor"], valid["status"]) == ("key admin", 400)


async def test_a_missing_permission_is_audited(client: Client, lines: AuditLines) -> None:
    """With the name of the key; also for a page of the console."""
    for path in ("/images/jobs/dead", "/console/health"):
        assert await send(client, "GET", path, b"", headers=SHOP) == 401

        assert [(line["actor"], line["status"]) for line in lines.take()] == [("key shop", 401)]


async def test_a_wrong_key_for_a_page_is_audited(client: Client, lines: AuditLines) -> None:
    """But not a visitor who is led to the login."""
    assert await send(client, "GET", "/console/health", b"", headers={"Authorization": "Bearer wrong"}) == 401
    await send(client, "GET", "/console/health", b"", headers={"X-Forwarded-For": "192.0.2.7"})

    assert [(line["actor"], line["status"]) for line in lines.take()] == [("none", 401)]


HOSTILE = [
    "a\nevent=audit actor=key\u00a0shop.jpg",
    'a\r\n"event": "audit".jpg',
    "\x1b[31mred.jpg",
    "a\u2028b\u202ec\u0085d\x00.jpg",
    "n" * 5000 + ".jpg",
]


@pytest.mark.parametrize("renderer", RENDERERS)
@pytest.mark.parametrize("name", HOSTILE)
async def test_names_cannot_forge_a_line(
    client: Client, monkeypatch: pytest.MonkeyPatch, name: str, renderer: str
) -> None:
    """In a path, a query and a body; each request is one short line that can be printed."""
    written = audit_to(RENDERERS[renderer], monkeypatch)
    await send(client, "DELETE", f"/images/upload/products/{quote(name, safe='')}", b"{}", headers=KEY)
    await send(client, "POST", f"/images/upload?directory={quote(name, safe='')}", b"{}", headers=KEY)
    await send(client, "DELETE", "/images/directories/source", json.dumps({"path": name}).encode(), headers=KEY)
    text = written.text()

    assert text.count("\n") == 3
    for line in text.removesuffix("\n").split("\n"):
        assert line.isprintable()
        assert len(line) < 600


async def test_credentials_are_not_in_the_audit_log(client: Client, lines: AuditLines) -> None:
    """Not even if they are sent in the place of names."""
    async with client.post(LOGIN_PATH, json={"email": "admin", "password": PASSWORD}) as response:
        tokens = await response.json()
    for token in tokens.values():
        await send(client, "DELETE", f"/images/upload/products/{token}", b"{}", {"Authorization": f"Bearer {token}"})
        await send(client, "DELETE", LOGIN_PATH, json.dumps({"refreshToken": token}).encode())
    await send(client, "DELETE", "/imageconverter/clearImages?context=unknown", headers=BASIC)
    text = lines.text()

    assert text.count("\n") == 6
    for secret in (API_KEY, PASSWORD, *tokens.values()):
        assert secret not in text
