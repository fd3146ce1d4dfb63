"""Group D of the catalog: no file name leaves the directory of its upload."""

import asyncio
import re
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.resources import Resources
from tests.conftest import ADMIN
from tests.gateway.images_api.test_uploads import b64, body, post
from tests.hostile.case import Case, names
from tests.hostile.names import AS_IT_IS, NAMES, NAUGHTY, PATHS, REJECTED
from tests.hostile.wire import Wire
from tests.testing import image_files

Client = TestClient[Any, Any]

IMAGE = image_files.png((9, 9))


async def stored(resources: Resources, prefix: str) -> list[str]:
    """Return all keys of the store that begin with *prefix*."""
    return [each.key async for page in resources.store.list(prefix) for each in page]


async def upload(client: Client, *file_names: str, data: bytes = IMAGE) -> tuple[int, Any]:
    """Upload images; returns status and body."""
    return await post(
        client, "/images/upload", body(fileName=list(file_names), imageData=[b64(data)] * len(file_names))
    )


@pytest.mark.parametrize("case", NAMES, ids=names(NAMES))
async def test_names_cannot_leave_the_upload_directory(
    gateway: Client, resources: Resources, case: Case[str, str]
) -> None:
    """They are stored there, or rejected; only one that nothing can interpret is quoted."""
    status, response = await upload(gateway, case.attack)

    if case.expected == REJECTED:
        assert (status, response["type"]) == (400, "invalidValue")
        is_harmless = re.fullmatch(r"[A-Za-z0-9 ./]*", case.attack) is not None
        assert is_harmless or len(case.attack) < 4 or case.attack not in str(response)
        return
    kept = case.attack if case.expected == AS_IT_IS else case.expected
    assert status == 200
    assert await stored(resources, f"source/{response['path']}/") == [f"source/{response['path']}/{kept}"]


@pytest.mark.parametrize("case", NAMES, ids=names(NAMES))
async def test_names_are_validated_alike_by_all_operations(gateway: Client, case: Case[str, str]) -> None:
    """Also when deleting; a valid name is then not found."""
    async with gateway.delete("/images/upload/products", json={"fileName": case.attack}, headers=ADMIN) as response:
        assert response.status == (400 if case.expected == REJECTED else 404)


async def test_165_naughty_strings_are_stored_or_rejected(gateway: Client, resources: Resources) -> None:
    """Each in its own upload directory."""

    async def check(name: str) -> None:
        status, response = await upload(gateway, name)
        assert status in (200, 400), name
        if status == 200:
            (key,) = await stored(resources, f"source/{response['path']}/")
            assert "/" not in key.removeprefix(f"source/{response['path']}/")

    for name in NAUGHTY:
        await check(name)


async def test_147_lone_surrogates_are_rejected(gateway: Client) -> None:
    """They are valid in JSON, but cannot be stored."""
    status, _ = await post(gateway, "/images/upload", b'{"fileName":"\\ud800","formats":["a"],"imageData":"a"}')

    assert status == 400


async def test_159_uploads_with_the_same_name_are_separate(gateway: Client, resources: Resources) -> None:
    """Each image keeps its content."""
    _, first = await upload(gateway, "a.png")
    _, second = await upload(gateway, "a.png", data=image_files.png((7, 7)))
    kept = await asyncio.gather(*(resources.store.get(f"source/{each['path']}/a.png") for each in (first, second)))

    assert [bytes(each.data) if each else b"" for each in kept] == [IMAGE, image_files.png((7, 7))]


async def test_160_names_are_case_sensitive(gateway: Client, resources: Resources) -> None:
    """Also names that some file systems normalize."""
    twins = ["A.png", "a.png", "\u00df.png", "ss.png", "\u0130.png", "i.png"]
    status, response = await upload(gateway, *twins)

    assert (status, response["size"]) == (200, len(twins))
    assert len(await stored(resources, f"source/{response['path']}/")) == len(twins)


@pytest.mark.parametrize("name", ["a?b#c%d+e&f.png", "%2e%2e%2f.png", "a b\u00fc.png", "\U0001f5bc.png", "'\"<>.png"])
async def test_161_unusual_names_are_served_at_their_urls(wire: Wire, resources: Resources, name: str) -> None:
    """Percent-encoded once."""
    directory = f"names {uuid4().hex}"
    await resources.store.put(f"target/{directory}/{name}", IMAGE, content_type="image/png")
    response = await wire.get(f"/content/{quote(directory)}/{quote(name, safe='')}")
    assert (response.status, response.body) == (200, IMAGE)


DOORS = [
    ("GET", "/content/{}"),
    ("DELETE", "/images/upload/products/{}"),
    ("GET", "/images/url/{}?formatNodeId=a"),
    ("GET", "/images/url/products?formatNodeId={}"),
    ("GET", "/images/directories/{}"),
    ("GET", "/images/convert/status?run={}"),
    ("GET", "/images/convert/results?run={}"),
    ("GET", "/images/convert/results?cursor={}"),
    ("POST", "/images/upload?directory={}"),
    ("POST", "/images/upload?directory=upload/{}"),
    ("GET", "/imageconverter/getImage/{}/auto:9x9"),
    ("GET", "/imageconverter/getMetadata/{}"),
    ("GET", "/imageconverter/getKeyCount?context={}"),
    ("GET", "/admin/api/v1/login/checkToken/{}"),
    ("GET", "/openapi/{}"),
]


@pytest.mark.parametrize("case", PATHS, ids=names(PATHS))
async def test_path_traversal_is_rejected(wire: Wire, case: Case[str, None]) -> None:
    """By all operations that accept a path, without normalization by the client."""
    for method, door in DOORS:
        response = await wire.send(method, door.replace("{}", case.attack), body=b"{}" if method == "POST" else b"")
        shown = f"{method} {door}: {response.status} {response.body[:200]!r}"
        assert response.status in (200, 400, 401, 404, 405), shown
        assert "x-owned" not in response.headers, shown
        assert b"root:" not in response.body, shown
        assert response.status != 200 or "{}" not in door.partition("?")[0], shown
        assert response.headers["content-type"].startswith("application/json"), shown


@pytest.mark.parametrize("guess", ["0" * 12, "..", "c14cb01ea580/../..", "C14CB01EA580", "x" * 7000, "\u0661" * 12])
async def test_166_invalid_ids_are_rejected(wire: Wire, guess: str) -> None:
    """Those of uploads, runs and cursors."""
    for path, statuses in (
        ("/images/upload?directory=upload/{}", {400}),
        ("/images/convert/status?run={}", {404}),
        ("/images/convert/results?cursor=x{}", {400}),
        ("/images/convert/results?run={}", {200, 404}),
    ):
        method = "POST" if "upload" in path else "GET"
        response = await wire.send(method, path.format(quote(guess)), body=b"{}")
        assert response.status in statuses, path
        assert response.status != 200 or response.json == {"items": []}


async def test_166_an_id_of_a_megabyte_is_rejected(wire: Wire) -> None:
    """Before any lookup."""
    response = await wire.get("/images/convert/status?run=" + "x" * 1_000_000)

    assert response.status in (400, 414)
