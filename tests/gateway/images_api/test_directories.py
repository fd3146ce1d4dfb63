"""`images/directories/{typeId}`: every row of its error tables, with the real store."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, MakeSettings, storage_settings

Client = TestClient[Any, Any]

PATH = "/images/directories"


@pytest.fixture
async def opened(make_settings: MakeSettings, servers: dict[str, str]) -> AsyncIterator[Resources]:
    """Resources with a separate, empty bucket, because whole trees are compared."""
    settings = make_settings(storage=storage_settings(servers, bucket="directories"))
    async with open_resources(settings, retry_timeout=20) as resources:
        await wait_for_bucket(resources.store)
        yield resources
        async for page in resources.store.list(""):
            await resources.store.delete(stored.key for stored in page)


@pytest.fixture
async def empty(make_settings: MakeSettings, opened: Resources) -> AsyncIterator[Client]:
    """A gateway with that bucket."""
    async with TestClient(TestServer(create_app(make_settings(), opened))) as client:
        yield client


async def ask(client: Client, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Send a request; returns status and body."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    async with client.request(method, path, data=data, headers=ADMIN) as response:
        return response.status, await response.json()


def directory(path: str, *below: dict[str, Any]) -> dict[str, Any]:
    """Return a directory as in the API's response."""
    return {"name": path.rpartition("/")[2], "path": path, "subDirectories": list(below)}


@pytest.mark.parametrize("base", ["/admin/api/v1/images", "/images"])
@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("root", ["source", "target"])
async def test_the_documented_directory_examples(empty: Client, base: str, slash: str, root: str) -> None:
    """Create `myDir/test`, list it and delete it; its parent remains."""
    path = f"{base}/directories/{root}{slash}"
    made = await ask(empty, "POST", path, {"path": "myDir", "name": "test"})
    seen = await ask(empty, "GET", path)
    deleted = await ask(empty, "DELETE", path, {"path": "myDir/test"})

    assert made == (200, {"items": [directory("myDir", directory("myDir/test"))]})
    assert seen == made
    assert deleted == (200, {"items": [directory("myDir")]})


async def test_the_deepest_allowed_directory_is_listed(empty: Client) -> None:
    """A path of 900 bytes has up to 450 levels."""
    path = "/".join("d" * 450)
    assert (await ask(empty, "POST", f"{PATH}/source", {"name": path}))[0] == 200
    status, response = await ask(empty, "GET", f"{PATH}/source")

    assert status == 200
    deepest, levels = response["items"][0], 1
    while deepest["subDirectories"]:
        deepest, levels = deepest["subDirectories"][0], levels + 1
    assert (deepest["path"], levels) == (path, 450)


async def test_a_tree_includes_empty_directories_but_no_uploads(empty: Client, opened: Resources) -> None:
    """Sorted by name."""
    for key in ("b/c/a.png", "b/d.png", "a/x.png", "top.png", "upload/0123456789ab/a.png", "ü b/c.png"):
        await opened.store.put(f"source/{key}", b"x", content_type="image/png")
    await opened.store.put("target/elsewhere/a.png", b"x", content_type="image/png")
    await ask(empty, "POST", f"{PATH}/source", {"path": "", "name": "empty"})
    status, response = await ask(empty, "GET", f"{PATH}/source")

    assert status == 200
    assert response["items"] == [
        directory("a"),
        directory("b", directory("b/c")),
        directory("empty"),
        directory("ü b"),
    ]


async def test_creating_an_existing_directory_changes_nothing(empty: Client) -> None:
    """Parents are created too; an empty or omitted path means the root."""
    first = await ask(empty, "POST", f"{PATH}/source", {"path": "a/b/c", "name": "d"})
    again = await ask(empty, "POST", f"{PATH}/source", {"path": "a/b/c", "name": "d"})
    await ask(empty, "POST", f"{PATH}/source", {"name": "top"})
    _, tree = await ask(empty, "GET", f"{PATH}/source")

    assert first == again
    assert [each["path"] for each in tree["items"]] == ["a", "top"]


async def test_deleting_a_directory_deletes_its_contents(empty: Client, opened: Resources) -> None:
    """Including files below it, but no sibling; path and name can be given separately."""
    for key in ("a/b/1.png", "a/b/c/2.png", "a/bc/3.png", "a/b.png"):
        await opened.store.put(f"target/{key}", b"x", content_type="image/png")
    status, response = await ask(empty, "DELETE", f"{PATH}/target", {"path": "a", "name": "b"})
    left = [stored.key async for page in opened.store.list("target/") for stored in page]

    assert (status, response) == (200, {"items": [directory("a", directory("a/bc"))]})
    assert sorted(key for key in left if key.endswith(".png")) == ["target/a/b.png", "target/a/bc/3.png"]


UNSAFE = ["..", "../a", "a/../b", "/a", "a/", "a//b", "a\\b", "a\0b", "a\nb", ".", "\u202e", "x" * 256, ".directory"]


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize("path", UNSAFE)
async def test_an_unsafe_path_is_an_invalid_value(empty: Client, method: str, path: str) -> None:
    """As path and as name; nothing is created or deleted."""
    for body in ({"path": path, "name": "x"}, {"path": "x", "name": path}):
        status, response = await ask(empty, method, f"{PATH}/source", body)
        assert (status, response["type"]) == (400, "invalidValue")


@pytest.mark.parametrize(
    ("method", "type_id", "body", "status", "code"),
    [
        ("GET", "sources", None, 400, "invalidValue"),
        ("POST", "Target", {"name": "a"}, 400, "invalidValue"),
        ("DELETE", "upload", {"path": "a"}, 400, "invalidValue"),
        ("POST", "source", b"{", 400, ""),
        ("POST", "source", b"[]", 400, ""),
        ("POST", "source", b"\xff", 400, ""),
        ("POST", "source", {}, 400, "invalidValue"),
        ("POST", "source", {"path": "a"}, 400, "invalidValue"),
        ("POST", "source", {"path": "a", "name": ""}, 400, "invalidValue"),
        ("POST", "source", {"path": 1, "name": "a"}, 400, "invalidFormat"),
        ("POST", "source", {"path": "", "name": "upload"}, 400, "invalidValue"),
        ("POST", "target", {"path": "", "name": "_"}, 400, "invalidValue"),
        ("POST", "target", {"path": "_", "name": "x"}, 400, "invalidValue"),
        ("POST", "source", {"path": "upload", "name": "x"}, 400, "invalidValue"),
        ("DELETE", "source", b"nonsense", 400, ""),
        ("DELETE", "source", {}, 400, "invalidValue"),
        ("DELETE", "source", {"path": ""}, 400, "invalidValue"),
        ("DELETE", "source", {"path": "upload"}, 400, "invalidValue"),
        ("DELETE", "source", {"path": "does not exist"}, 404, ""),
        ("DELETE", "target", {"path": "does/not/exist"}, 404, ""),
    ],
)
async def test_each_error_has_its_type(
    empty: Client, method: str, type_id: str, body: Any, status: int, code: str
) -> None:
    """As in the error tables of the API."""
    answered, response = await ask(empty, method, f"{PATH}/{type_id}", body)

    assert (answered, response.get("type", "")) == (status, code)
    assert response["reason"].endswith(".")


async def test_a_directory_cannot_have_the_name_of_a_file(empty: Client, opened: Resources) -> None:
    """Object stores differ in handling a name that is both."""
    await opened.store.put("target/a/b.png", b"x", content_type="image/png")
    status, response = await ask(empty, "POST", f"{PATH}/target", {"path": "a/b.png", "name": "c"})

    assert (status, response["type"]) == (400, "invalidValue")


async def test_a_directory_that_has_become_reserved_can_be_deleted(empty: Client, opened: Resources) -> None:
    """`_` in the target tree, which earlier releases could make; a source directory may still be called so."""
    await opened.store.put("target/_/a/b.png", b"image", content_type="image/png")
    deleted = await ask(empty, "DELETE", f"{PATH}/target", {"path": "_"})
    made = await ask(empty, "POST", f"{PATH}/source", {"path": "", "name": "_"})

    assert deleted == (200, {"items": []})
    assert made == (200, {"items": [directory("_")]})


async def test_the_target_tree_may_have_a_directory_called_upload(empty: Client) -> None:
    """Only the source tree has staged uploads."""
    status, response = await ask(empty, "POST", f"{PATH}/target", {"path": "upload", "name": "x"})

    assert (status, response["items"]) == (200, [directory("upload", directory("upload/x"))])


async def test_a_directory_marker_of_another_tool_is_a_directory(empty: Client, opened: Resources) -> None:
    """S3 consoles create empty objects for empty directories."""
    await opened.store.put("target/from a console", b"", content_type="application/x-directory")
    _, response = await ask(empty, "GET", f"{PATH}/target")

    assert response["items"] == [directory("from a console")]


async def test_permissions_are_required(make_settings: MakeSettings, opened: Resources, tmp_path: Path) -> None:
    """Reading, publishing and deleting are separate permissions."""
    file = tmp_path / "keys.toml"
    rights = {"GET": "images.read", "POST": "images.publish", "DELETE": "images.delete"}
    file.write_text("".join(key_entry(right, right, [right]) for right in rights.values()))
    settings = make_settings(gateway=GatewaySettings(api_keys_file=file))
    async with TestClient(TestServer(create_app(settings, opened))) as client:
        for method, needed in rights.items():
            for right in rights.values():
                headers = {"Authorization": f"Bearer {right}"}
                async with client.request(method, f"{PATH}/target", headers=headers, data=b"{}") as response:
                    assert (response.status == 401) == (right != needed)
