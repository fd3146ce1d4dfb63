"""The requirements of the route table, and narrowed permissions."""

import io
import re
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.formats_file import load_formats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway import state
from services.gateway.app import create_app
from services.gateway.auth.api_keys import KeyRing, key_entry
from services.gateway.auth.route_permissions import guarded, permission
from services.gateway.images_api.image_types import types_of_target_directory
from services.gateway.routes import BROWSER, IMAGECONVERTER, IMAGECONVERTER_BASE, IMAGES, LOGIN, PLAIN, Route
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.runs import put_sources

Client = TestClient[Any, Any]

PRODUCT, CATEGORY = "content.imageFormat.normalProduct", "content.imageFormat.normalCategory"
KEYS = {
    "nothing": [],
    "products": ["images.publish.products", "images.delete.products"],
    "all types": ["images.publish", "images.delete"],
    "publisher": ["images.publish"],
}
TABLE = [
    *((each, "/images" + each.path) for each in IMAGES),
    *((each, each.path) for each in (*LOGIN, *PLAIN, *BROWSER)),
    *((each, IMAGECONVERTER_BASE + each.path) for each in IMAGECONVERTER),
]
GUARDED = [(method, path) for route, path in TABLE for method in route.methods if not route.requires.is_public]


@pytest.fixture
async def narrow(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Client]:
    """A gateway with keys of few permissions."""
    file = tmp_path / "keys.toml"
    file.write_text("".join(key_entry(name, name, permissions) for name, permissions in KEYS.items()))
    gateway = GatewaySettings(api_key=API_KEY, api_keys_file=file, wait_seconds=20)
    async with TestClient(TestServer(create_app(make_settings(gateway=gateway), resources))) as client:
        yield client


async def call(client: Client, key: str, method: str, path: str, body: object = None) -> int:
    """Return the status of a request with *key*."""
    headers = {"Authorization": f"Bearer {key}"}
    async with client.request(method, path, json={} if body is None else body, headers=headers) as response:
        return response.status


def test_only_these_routes_are_public() -> None:
    """A new public route must be added to this list deliberately."""
    public = {path for route, path in TABLE if route.requires.is_public}

    assert public == {
        "/admin/api/v1/login",
        "/admin/api/v1/login/checkToken/{otok}",
        "/admin/api/v1/login/refresh",
        "/",
        "/console",
        "/console/login",
        "/console/preferences",
        "/docs",
        "/docs/",
        "/docs/imageconverter",
        "/docs/examples",
        "/docs/examples/{language}",
        "/console/assets/{digest}/{name:.+}",
        "/content/_/{signature}/{options:.+}/{path}",
        "/content/{path:.+}",
        "/openapi/images.yaml",
        "/openapi/imageconverter.yaml",
        "/health/live",
        "/health/ready",
        "/metrics",
        "/imageconverter",
        "/imageconverter/status",
        "/imageconverter/cacheAndGetImage/{imageKey}/{requestFormat}",
        "/imageconverter/cacheAndGetImageAndMetadata/{imageKey}/{requestFormat}",
        "/imageconverter/cacheImage/{imageKey}",
        "/imageconverter/getImage/{imageKey}/{requestFormat}",
        "/imageconverter/getImageAndMetadata/{imageKey}/{requestFormat}",
        "/imageconverter/getMetadata/{imageKey}",
        "/imageconverter/getKeyCount",
    }


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_every_other_route_needs_credentials(narrow: Client, method: str, path: str) -> None:
    """A request without a key, or with a key without permissions, is rejected."""
    path = re.sub(r"\{\w+\}", "x", path.replace("{typeId}", "products"))

    async with narrow.request(method, path) as response:
        assert response.status == 401
    assert await call(narrow, "nothing", method, path) == 401


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/images/convert/start", {"source": "directory", "directory": "SOURCE", "formatList": [CATEGORY]}),
        ("POST", "/images/convert/start", {"source": "directory", "directory": "SOURCE", "formatList": []}),
        ("POST", "/images/directories/target", {"path": "categories", "name": "NEW"}),
        ("POST", "/images/directories/target", {"path": "", "name": "NEW"}),
        ("POST", "/images/directories/source", {"path": "products", "name": "NEW"}),
        ("DELETE", "/images/directories/target", {"path": "categories/NEW"}),
        ("DELETE", "/images/directories/source", {"path": "products/NEW"}),
        ("PUT", "/images/sources/products/a.png", {}),
        ("DELETE", "/images/upload/categories", {"fileName": "a.jpg"}),
        ("DELETE", "/images/upload/appImages/a.jpg", {}),
        ("DELETE", "/images/report/categories/unused", {}),
        ("POST", "/images/report/categories/repair", {}),
    ],
)
async def test_a_key_for_products_cannot_touch_other_types(
    narrow: Client, resources: Resources, method: str, path: str, body: dict[str, Any]
) -> None:
    """Nor shared resources, which need the permission without a type."""
    source = await put_sources(resources, {"a.jpg": b"none"})
    new = uuid4().hex
    for name, value in body.items():
        if isinstance(value, str):
            body = {**body, name: value.replace("SOURCE", source).replace("NEW", new)}

    assert await call(narrow, "products", method, path, body) == 401


async def test_a_scan_that_may_move_more_to_the_trash_needs_the_permission_to_delete(narrow: Client) -> None:
    """Beside that for runs."""
    assert await call(narrow, "publisher", "POST", "/images/convert/scan", {"share": 0.5}) == 401
    assert await call(narrow, "publisher", "POST", "/images/convert/scan", {"share": 2}) == 400


async def test_a_key_for_products_can_stage_images(narrow: Client) -> None:
    """At a path of its choice among the uploads, which are of no type."""
    path = f"/images/sources/upload/{uuid4().hex[:12]}/a.png"
    headers = {"Authorization": "Bearer products"}
    async with narrow.put(path, data=io.BytesIO(image_files.png()), headers=headers) as response:
        assert response.status == 200
    assert await call(narrow, "nothing", "PUT", path) == 401


@pytest.mark.parametrize(
    "path", ["/images/upload/nothing", "/images/upload/nothing/a.jpg", "/images/report/nothing/unused"]
)
async def test_the_permission_is_checked_before_the_type_in_the_path(narrow: Client, path: str) -> None:
    """An unknown type is a 400 only for a key that has the permission for some type."""
    body = {"fileName": "a.jpg"} if path.endswith("upload/nothing") else {}

    assert await call(narrow, "nothing", "DELETE", path, body) == 401
    assert await call(narrow, "products", "DELETE", path, body) == 400


@pytest.mark.parametrize(
    ("key", "method", "path", "missing"),
    [
        ("nothing", "GET", "/images/url/products", "products.read"),
        ("nothing", "GET", "/images/report/nosuch", "<type>.read"),
        ("nothing", "GET", "/images/convert/status", "images.read"),
        ("nothing", "DELETE", "/images/upload/nosuch/a.jpg", "images.delete"),
        ("nothing", "DELETE", "/images/upload/products/a.jpg", "images.delete for products"),
        ("products", "DELETE", "/images/upload/categories/a.jpg", "images.delete for categories"),
        ("products", "POST", "/images/upload/convert", "images.publish for categories"),
    ],
)
async def test_the_missing_permission_is_named(
    narrow: Client, key: str, method: str, path: str, missing: str
) -> None:
    """With the types for which it is missing; an unknown type in the path is not repeated."""
    image = {"fileName": "a.jpg", "formats": [CATEGORY, PRODUCT], "imageData": b64encode(image_files.png()).decode()}
    headers = {"Authorization": f"Bearer {key}"}
    async with narrow.request(method, path, json=image, headers=headers) as response:
        body = await response.json()

    assert response.status == 401
    assert body["reason"] == f"The key does not have the permission {missing}."


async def test_another_spelling_of_a_directory_needs_the_same_permission(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path
) -> None:
    """A directory of categories below one of products, with a decomposed accent."""
    formats, file = tmp_path / "formats.toml", tmp_path / "keys.toml"
    formats.write_text(
        "".join(
            f'[[format]]\nid = "{kind}"\nname = "{kind}"\ntype = "{kind}"\ntargetDirectory = "{directory}"\n'
            "maxWidth = 10\nmaxHeight = 10\n"
            for kind, directory in (("product", "shop"), ("category", "shop/caf\u00e9"))
        ),
        encoding="utf-8",
    )
    file.write_text(key_entry("products", "products", KEYS["products"]))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=file))
    narrowed = replace(resources, formats=CurrentFormats(formats))
    async with TestClient(TestServer(create_app(settings, narrowed))) as client:
        for name in ("caf\u00e9", "cafe\u0301"):
            body = {"path": f"shop/{name}", "name": "new"}
            assert await call(client, "products", "POST", "/images/directories/target", body) == 401


@pytest.mark.parametrize("name", ["products/NEW", "products/normal/NEW"])
async def test_a_key_for_products_can_change_their_target_directories(narrow: Client, name: str) -> None:
    """Creating and deleting directories of the type is allowed."""
    path, _, name = name.replace("NEW", uuid4().hex).rpartition("/")
    body = {"path": path, "name": name}

    assert await call(narrow, "products", "POST", "/images/directories/target", body) == 200
    assert await call(narrow, "products", "DELETE", "/images/directories/target", body) == 200


@pytest.mark.usefixtures("no_run")
async def test_a_key_for_products_cannot_cancel_a_run_over_categories(narrow: Client, resources: Resources) -> None:
    """The run continues."""
    source = await put_sources(resources, {"a.jpg": b"none"})
    for formats, status in ([CATEGORY], 401), ([PRODUCT], 200):
        body = {"source": "directory", "directory": source, "formatList": formats}
        assert await call(narrow, "all types", "POST", "/images/convert/start", body) == 200
        assert await call(narrow, "products", "POST", "/images/convert/cancel") == status
        assert await call(narrow, "all types", "POST", "/images/convert/cancel") == 200


async def test_a_handler_that_skips_the_type_check_is_an_internal_error() -> None:
    """Its response is withheld, so a missing check cannot disclose data."""

    async def forgetful(_request: web.Request) -> web.Response:
        return web.Response(text="secret")

    app = web.Application()
    app[state.KEYS] = KeyRing(GatewaySettings(api_key=API_KEY))
    handler = guarded(forgetful, permission("images.publish", narrowed="handler"))
    app.add_routes([web.get("/", handler)])
    async with TestClient(TestServer(app)) as client, client.get("/", headers=ADMIN) as response:
        assert response.status == 500
        assert "secret" not in await response.text()


def test_every_route_names_its_requirement() -> None:
    """There is no default."""
    assert "requires" not in Route._field_defaults


@pytest.mark.parametrize(
    ("path", "types"),
    [
        ("", {"product", "category", "app"}),
        ("products", {"product"}),
        ("products/summer", {"product"}),
        ("products/normal/deep", {"product"}),
        ("categories/normal", {"category"}),
        ("unheard-of", {"product", "category", "app"}),
    ],
)
def test_types_of_a_target_directory(path: str, types: set[str]) -> None:
    """The types whose formats are stored in it, below it or above it."""
    assert types_of_target_directory(path, load_formats(None).values()) == types
