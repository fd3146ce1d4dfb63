"""Uploads, deletions and runs for a subshop with a prefix."""

import io
from base64 import b64encode
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.resources import Resources
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.images.test_formats_file import FORMAT
from tests.testing import broken_files, image_files
from tests.testing.runs import Client, finished, get, post, put_sources

pytestmark = pytest.mark.usefixtures("worker")

SMALL, CARD = "content.imageFormat.small", "content.imageFormat.card"
MAIN: Final = '[[subshop]]\nid = "main"\nname = "Main shop"\n'
OUTDOOR: Final = """[[subshop]]
id = "outdoor"
name = "Outdoor"
targetPrefix = "{prefix}"

[[subshop.format]]
id = "card"
name = "outdoor card"
type = "category"
targetDirectory = "cards"
maxWidth = 20
maxHeight = 20
"""


class Shops(NamedTuple):
    """The subshops main and outdoor."""

    client: Client
    resources: Resources
    formats: CurrentFormats
    prefix: str
    """Of the target directories of outdoor."""
    file: Path


@pytest.fixture
async def shops(make_settings: MakeSettings, resources: Resources, tmp_path: Path) -> AsyncIterator[Shops]:
    """A gateway with these subshops, which share the format small."""
    prefix, file = f"outdoor-{uuid4().hex}", tmp_path / "subshops.toml"
    (tmp_path / "formats.toml").write_text(
        FORMAT.replace('targetDirectory = "', f'targetDirectory = "main-{prefix}/')
    )
    file.write_text(MAIN + OUTDOOR.format(prefix=prefix))
    (tmp_path / "keys.toml").write_text(key_entry("c", "categories", ["images.delete.categories"]))
    formats = CurrentFormats(tmp_path / "formats.toml", file)
    gateway = GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml", start_seconds=0, wait_seconds=20)
    app = create_app(make_settings(gateway=gateway), replace(resources, formats=formats))
    async with TestClient(TestServer(app)) as client:
        yield Shops(client, resources, formats, prefix, file)
    for each in (prefix, f"main-{prefix}"):
        if await directories.exists(resources.store, "target", each):
            await directories.remove(resources.store, "target", each)


async def convert(shops: Shops, query: str, *formats: str) -> list[dict[str, Any]]:
    """Upload and convert an image; returns the results."""
    body = {"fileName": "a.png", "formats": formats, "imageData": b64encode(image_files.png()).decode()}
    status, response = await post(shops.client, f"/images/upload/convert{query}", body)
    assert status == 200, response
    return list(response["items"])


async def converted(shops: Shops) -> set[str]:
    """Return the paths of the converted images of both subshops."""
    found = set()
    for prefix in (shops.prefix, f"main-{shops.prefix}"):
        async for page in shops.resources.store.list(keys.target(f"{prefix}/")):
            found |= {each.key.removeprefix(keys.TARGET) for each in page}
    return found


async def test_an_upload_is_converted_below_the_prefix_of_its_subshop(shops: Shops) -> None:
    """By `subshopId` in the query, of JSON and forms; a result has the keys of the contract."""
    (main,) = await convert(shops, "", SMALL)
    small, card = await convert(shops, "?subshopId=outdoor", SMALL, CARD)
    form = {"file": io.BytesIO(image_files.png()), "formats": SMALL}
    path = "/images/upload/convert?subshopId=outdoor"
    async with shops.client.post(path, data=form, headers=ADMIN) as response:
        (by_form,) = (await response.json())["items"]

    assert len(small) == 10
    assert main["output"] == f"main-{shops.prefix}/small/a.png"
    assert small["output"] == f"{shops.prefix}/main-{shops.prefix}/small/a.png"
    assert by_form["output"].startswith(f"{shops.prefix}/main-{shops.prefix}/small/")
    assert (card["output"], card["format"]) == (f"{shops.prefix}/cards/a.png", "outdoor card")
    assert {each["output"] for each in (main, small, card, by_form)} == await converted(shops)


async def test_images_of_one_subshop_are_deleted(shops: Shops) -> None:
    """Those of the other one stay."""
    (main,) = await convert(shops, "", SMALL)
    await convert(shops, "?subshopId=outdoor", SMALL)
    async with shops.client.delete("/images/upload/products/a.png?subshopId=outdoor", headers=ADMIN) as response:
        assert response.status == 200

    assert await converted(shops) == {main["output"]}


async def test_a_directory_of_a_subshop_is_of_the_types_of_its_formats(shops: Shops) -> None:
    """A key for categories deletes that of categories only."""
    await convert(shops, "?subshopId=outdoor", SMALL, CARD)
    headers = {"Authorization": "Bearer categories"}
    statuses = {}
    for path in (f"{shops.prefix}/main-{shops.prefix}/small", f"{shops.prefix}/cards"):
        async with shops.client.delete(
            "/images/directories/target", json={"path": path}, headers=headers
        ) as response:
            statuses[path.rpartition("/")[2]] = response.status

    assert statuses == {"small": 401, "cards": 200}


@pytest.mark.usefixtures("no_run")
async def test_a_run_goes_on_when_its_subshop_is_removed(shops: Shops) -> None:
    """With its own copy of the formats; status and results stay readable, but it cannot be retried."""
    files = {f"{number}.png": image_files.png() for number in range(20)}
    files["broken.png"] = broken_files.truncated(image_files.png())[:60]
    directory = await put_sources(shops.resources, files)
    body = {"action": "manual", "source": "directory", "directory": directory, "subshopId": "outdoor"}
    status, _ = await post(shops.client, "/images/convert/start", body)
    assert status == 200
    shops.file.write_text(MAIN)
    assert shops.formats.refresh(at_once=True)
    await finished(shops.client)
    _, state = await get(shops.client, "/images/convert/status?details=true")
    _, page = await get(shops.client, "/images/convert/results")
    _, cards = await get(shops.client, f"/images/convert/results?format={CARD}&status=success")
    retry, refused = await post(shops.client, "/images/convert/retry", {"run": state["id"]})

    assert (state["subshopId"], state["usedFormats"]) == ("outdoor", [SMALL, CARD])
    assert state["counter"] == {"error": 1, "skipped": 0, "success": 20, "warning": 0}
    assert {row["format"] for row in page["items"]} == {"small", "outdoor card"}
    assert {row["output"] for row in cards["items"]} == {f"{shops.prefix}/cards/{n}.png" for n in range(20)}
    assert len(await converted(shops)) == 40
    assert (retry, refused["type"], refused["field"]) == (400, "invalidValue", "run")
    assert refused["reason"] == "The subshop of this run is not configured any more."


@pytest.mark.usefixtures("no_run")
async def test_a_retry_is_for_the_subshop_of_the_run(shops: Shops) -> None:
    """With its formats as they are now."""
    directory = await put_sources(shops.resources, {"a.png": broken_files.truncated(image_files.png())[:60]})
    body = {"source": "directory", "directory": directory, "subshopId": "outdoor", "formatList": [CARD]}
    await post(shops.client, "/images/convert/start", body)
    await finished(shops.client)
    _, state = await get(shops.client, "/images/convert/status?details=true")
    source = keys.source(f"{directory}/a.png")
    await shops.resources.store.put(source, image_files.png(), content_type="image/png")
    status, _ = await post(shops.client, "/images/convert/retry", {"run": state["id"]})
    await finished(shops.client)
    _, retried = await get(shops.client, "/images/convert/status?details=true")

    assert (status, retried["subshopId"], retried["retryOf"]) == (200, "outdoor", state["id"])
    assert await converted(shops) == {f"{shops.prefix}/cards/a.png"}


async def test_formats_examples_and_details_are_those_of_the_subshop(shops: Shops) -> None:
    """By `subshopId` in the query."""
    directory = await put_sources(shops.resources, {"a.png": image_files.png((100, 50))})
    _, listed = await get(shops.client, "/images/formats?subshopId=outdoor")
    _, details = await get(shops.client, f"/images/details/{directory}/a.png?subshopId=outdoor")
    path = f"/images/formats/{CARD}/example?path={directory}/a.png"
    async with shops.client.get(f"{path}&subshopId=outdoor", headers=ADMIN) as response:
        assert (response.status, response.content_type) == (200, "image/png")
    async with shops.client.get(path, headers=ADMIN) as response:
        assert response.status == 404

    assert [each["id"] for each in listed["items"]] == [SMALL, CARD]
    assert [each["path"] for each in details["formats"]] == [
        f"{shops.prefix}/main-{shops.prefix}/small/a.png",
        f"{shops.prefix}/cards/a.png",
    ]


UPLOAD = {"fileName": "a.png", "formats": [SMALL], "imageData": b64encode(image_files.png()).decode()}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/formats", None),
        ("GET", f"/formats/{SMALL}/example", None),
        ("GET", "/details/a.png", None),
        ("POST", "/upload", UPLOAD),
        ("POST", "/upload/convert", UPLOAD),
        ("DELETE", "/upload/products", {"fileName": "a.png"}),
        ("DELETE", "/upload/products/a.png", {}),
    ],
)
@pytest.mark.parametrize("subshop", ["other", "", "%F0%9F%91%9F", "../main", "main%0A", "<script>"])
async def test_an_unknown_subshop_in_the_query_is_invalid(
    shops: Shops, method: str, path: str, body: Any, subshop: str
) -> None:
    """In every operation that takes one."""
    url = f"/images{path}?subshopId={subshop}"
    async with shops.client.request(method, url, json=body, headers=ADMIN) as response:
        error = await response.json()

    assert (response.status, error["type"], error["field"]) == (400, "invalidValue", "subshopId")
    assert "<" not in error["reason"]


@pytest.mark.parametrize("operation", ["start", "plan"])
@pytest.mark.parametrize("subshop", ["other", "", "ü", "../main", "a" * 1000, 7, None, ["main"]])
async def test_an_unknown_subshop_of_a_run_is_invalid(shops: Shops, operation: str, subshop: Any) -> None:
    """Without a type, as all invalid requests of runs."""
    body = {"source": "directory", "directory": "products", "subshopId": subshop}
    status, error = await post(shops.client, f"/images/convert/{operation}", body)

    assert (status, error.get("type"), error["field"]) == (400, None, "subshopId")


async def test_a_format_of_another_subshop_is_invalid(shops: Shops) -> None:
    """In runs and uploads of the default one."""
    body = {"source": "directory", "directory": "products", "formatList": [CARD]}
    status, error = await post(shops.client, "/images/convert/start", body)

    assert (status, error["field"]) == (400, "formatList")
    assert error["reason"] == f'The image format "{CARD}" is not configured; there are: {SMALL}.'
