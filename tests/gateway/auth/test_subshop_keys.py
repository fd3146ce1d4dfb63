"""Keys that are limited to subshops."""

import base64
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import FormData, web
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.runs import Run
from imageconverter.settings import GatewaySettings
from services.gateway import state
from services.gateway.app import create_app
from services.gateway.auth.api_keys import KeyRing, key_entry
from services.gateway.auth.route_permissions import guarded, permission
from services.gateway.routes import IMAGES
from tests.conftest import API_KEY, MakeSettings
from tests.images.test_formats_file import FORMAT
from tests.images.test_subshops_file import SUBSHOPS
from tests.testing import image_files

Client = TestClient[Any, Any]

SMALL = "content.imageFormat.small"
SHARED = [
    (method, re.sub(r"{\w+(:[^}]*)?}", "products", each.path))
    for each in IMAGES
    if each.changes == "all"
    for method in each.methods
]


@pytest.fixture
async def client(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway with a key for the subshop outdoor, which has all permissions."""
    (tmp_path / "formats.toml").write_text(FORMAT)
    (tmp_path / "subshops.toml").write_text(SUBSHOPS)
    (tmp_path / "keys.toml").write_text(
        key_entry("o", "outdoor", ["admin"], ["outdoor"]) + key_entry("g", "gone", ["admin"], ["gone"])
    )
    gateway = GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", wait_seconds=20)
    served = replace(resources, formats=CurrentFormats(tmp_path / "formats.toml", tmp_path / "subshops.toml"))
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), served))) as client:
        yield client


async def call(client: Client, method: str, path: str, body: Any = None, key: str = "outdoor") -> tuple[int, Any]:
    """Return the status and the body of a response."""
    headers = {"Authorization": f"Bearer {key}"}
    async with client.request(method, f"/images{path}", json=body, headers=headers) as response:
        return response.status, await response.json()


@pytest.mark.parametrize(("method", "path"), SHARED)
async def test_what_all_subshops_share_cannot_be_changed(client: Client, method: str, path: str) -> None:
    """By any operation of the route table; the reason says for which subshops the key is."""
    status, body = await call(client, method, path, {})

    assert (status, body["error"]) == (401, "Unauthorized")
    assert body["reason"] == "The key may not do this with what is of all subshops; it is for: outdoor."


RUN = {"source": "directory", "directory": "nowhere"}
UPLOAD = {"fileName": "a.png", "formats": [SMALL], "imageData": "aW1hZ2U="}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", f"/url/products?formatNodeId={SMALL}&subshopId={{}}", None, 200),
        ("GET", f"/srcset/products?formatNodeId={SMALL}&fileName=a.png&subshopId={{}}", None, 200),
        ("GET", "/formats?subshopId={}", None, 200),
        ("GET", "/details/nowhere.png?subshopId={}", None, 404),
        ("GET", f"/formats/{SMALL}/example?path=nowhere.png&subshopId={{}}", None, 404),
        ("POST", "/upload?subshopId={}", UPLOAD, 400),
        ("POST", "/upload/convert?subshopId={}", UPLOAD, 400),
        ("DELETE", "/upload/products?subshopId={}", {"fileName": "a.png"}, 404),
        ("DELETE", "/upload/products/a.png?subshopId={}", {}, 404),
        ("POST", "/convert/start", {**RUN, "subshopId": "{}"}, 400),
        ("POST", "/convert/plan", {**RUN, "subshopId": "{}"}, 400),
    ],
)
async def test_a_key_is_for_its_subshop_only(client: Client, method: str, path: str, body: Any, status: int) -> None:
    """Whatever its permissions; of its own subshop the request itself is judged."""

    async def ask(subshop: str, key: str = "outdoor") -> tuple[int, Any]:
        filled = {name: subshop if value == "{}" else value for name, value in body.items()} if body else body
        return await call(client, method, path.format(subshop), filled, key)

    assert (await ask("outdoor"))[0] == status
    for subshop, key in (("main", "outdoor"), ("sale", "outdoor"), ("outdoor", "gone")):
        refused, error = await ask(subshop, key)
        assert (refused, error["error"]) == (401, "Unauthorized")
        assert error["reason"] == f"The key may not do this with what is of this subshop; it is for: {key}."


@pytest.mark.parametrize("is_form", [False, True])
async def test_an_image_of_another_upload_is_not_replaced(client: Client, *, is_form: bool) -> None:
    """A run of another subshop may convert it yet. Images can be added."""
    data = image_files.png()
    one = {"fileName": "a.png", "imageData": base64.b64encode(data).decode(), "formats": [SMALL]}
    _, staged = await call(client, "POST", "/upload", one, key=API_KEY)
    path = f"/images/upload?subshopId=outdoor&directory={staged['path']}"
    for name, key, status in (("a.png", "outdoor", 400), ("b.png", "outdoor", 200), ("a.png", API_KEY, 200)):
        form = FormData()
        form.add_field("imageData", data, filename=name)
        body: dict[str, Any] = {"data": form} if is_form else {"json": {**one, "fileName": name}}
        async with client.post(path, headers={"Authorization": f"Bearer {key}"}, **body) as response:
            assert response.status == status, await response.text()
            assert status == 200 or "a.png" in (await response.json())["reason"]


async def test_archives_have_the_images_of_a_subshop_for_its_keys_only(client: Client) -> None:
    """As at other hosts than its own."""
    paths = {"paths": ["small/nowhere.png", "outdoor/small/nowhere.png"]}

    assert (await call(client, "POST", "/archive", paths))[0] == 404
    assert (await call(client, "POST", "/archive", paths, "gone"))[0] == 401
    assert (await call(client, "POST", "/archive", {"paths": paths["paths"][:1]}, "gone"))[0] == 404


async def test_without_a_subshop_the_default_one_is_meant(client: Client) -> None:
    """For which the key is not."""
    for method, path, body in (("POST", "/convert/start", RUN), ("DELETE", "/upload/products/a.png", {})):
        assert (await call(client, method, path, body))[0] == 401


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(("subshop", "status"), [("outdoor", 200), ("main", 401), ("", 401), ("all", 401)])
async def test_a_run_is_canceled_and_retried_by_keys_of_its_subshop(
    client: Client, resources: Resources, subshop: str, status: int
) -> None:
    """Not by others; an automatic run is for all subshops. All keys see its status."""
    is_automatic = subshop == "all"
    run = Run(
        id=f"keys-{subshop}",
        action="",
        batches=(),
        formats=(),
        subshop="" if is_automatic else subshop,
        automatic=is_automatic,
    )
    await resources.runs.start(run)

    assert (await call(client, "GET", f"/convert/status?run={run.id}"))[0] == 200
    assert (await call(client, "POST", f"/convert/cancel?run={run.id}", {}))[0] == status
    await resources.runs.cancel(run.id, seconds=20)
    assert (await call(client, "POST", "/convert/retry", {"run": run.id}))[0] == (400 if status == 200 else 401)


async def test_other_readers_see_everything(client: Client) -> None:
    """What is shared may be read."""
    for path in ("/sources", "/convert/runs", "/convert/status", "/targets"):
        assert (await call(client, "GET", path))[0] == 200


async def test_a_handler_that_skips_the_check_is_an_internal_error(tmp_path: Path) -> None:
    """So that a new route cannot be left open."""

    async def careless(_request: web.Request) -> web.Response:
        return web.Response()

    file = tmp_path / "keys.toml"
    file.write_text(key_entry("o", "outdoor", ["admin"], ["outdoor"]))
    app = web.Application()
    app[state.KEYS] = KeyRing(GatewaySettings(api_keys_file=file))
    app.router.add_post("/", guarded(careless, permission("admin"), changes="subshop"))
    async with (
        TestClient(TestServer(app)) as client,
        client.post("/", headers={"Authorization": "Bearer outdoor"}) as response,
    ):
        assert response.status == 500


@pytest.mark.parametrize("subshops", ["[]", '"outdoor"', "[1]"])
def test_a_list_of_subshops_that_is_none_is_refused(tmp_path: Path, subshops: str) -> None:
    """With the file and the entry."""
    file = tmp_path / "keys.toml"
    file.write_text(f"{key_entry('o', 'outdoor', ['admin'])}subshops = {subshops}\n")

    with pytest.raises(ValueError, match=r"keys\.toml: key\.0\.subshops"):
        KeyRing(GatewaySettings(api_keys_file=file))
