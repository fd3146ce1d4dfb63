"""`images/details` and `images/targets`: what is known of a source, and the converted images."""

import hashlib
import io
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter.resources import Resources
from services.gateway.app import create_app
from tests.conftest import ADMIN, MakeSettings
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, finished, start

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("no_run", "worker")


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"details {uuid4().hex[:8]}"


async def get(client: Client, path: str, **query: str) -> tuple[int, Any]:
    """Return status and JSON of a GET request."""
    async with client.get(f"/images{path}", params=query, headers=ADMIN) as response:
        return response.status, await response.json()


async def put(client: Client, path: str, data: bytes) -> None:
    """Store a source."""
    async with client.put(f"/images/sources/{path}", data=io.BytesIO(data), headers=ADMIN) as response:
        assert response.status == 200


async def thumbnail(client: Client, path: str) -> Any:
    """Return what the details of a source say of its output in one format."""
    _, details = await get(client, f"/details/{path}")
    (found,) = [each for each in details["formats"] if each["formatNodeId"] == THUMBNAIL]
    return found


async def test_the_details_have_what_the_header_says(gateway: Client, directory: str) -> None:
    """Type, pixels, bytes and SHA-256, and an entry for each image format."""
    data = image_files.jpeg(size=(800, 600))
    await put(gateway, f"{directory}/a.bin", data)
    status, details = await get(gateway, f"/details/{directory}/a.bin")
    _, formats = await get(gateway, "/formats")

    assert status == 200
    assert (details["type"], details["width"], details["height"], details["size"]) == ("JPEG", 800, 600, len(data))
    assert details["sha256"] == hashlib.sha256(data).hexdigest()
    assert {each["state"] for each in details["formats"]} == {"missing"}
    assert len(details["formats"]) == len(formats["items"])
    assert (await get(gateway, f"/details/{directory}/b.png"))[0] == 404


async def test_what_is_no_image_has_details(gateway: Client, resources: Resources, directory: str) -> None:
    """Another program has stored it, with metadata of its own."""
    await resources.store.put(f"source/{directory}/a", b"text", content_type="text/plain", metadata={"sha256": "x"})
    _, details = await get(gateway, f"/details/{directory}/a")

    assert {"type", "width", "sha256"} & set(details) == set()


async def test_an_output_is_up_to_date_until_its_source_changes(gateway: Client, directory: str) -> None:
    """Missing, then as a run has made it, then outdated, then that of another directory."""
    name = f"{uuid4().hex}.png"
    await put(gateway, f"{directory}/{name}", image_files.png(size=(400, 300)))
    assert (await thumbnail(gateway, f"{directory}/{name}"))["state"] == "missing"

    await start(gateway, directory, THUMBNAIL)
    await finished(gateway)
    made = await thumbnail(gateway, f"{directory}/{name}")
    assert (made["state"], made["width"], made["height"]) == ("upToDate", 200, 150)
    assert made["url"].endswith(f"/{made['path']}")

    await put(gateway, f"{directory}/{name}", image_files.png(size=(40, 30)))
    assert (await thumbnail(gateway, f"{directory}/{name}"))["state"] == "outdated"

    await put(gateway, f"{directory} 2/{name}", image_files.png())
    assert (await thumbnail(gateway, f"{directory} 2/{name}"))["state"] == "otherSource"


async def test_converted_images_are_listed_like_sources(
    gateway: Client, resources: Resources, directory: str
) -> None:
    """In pages, with directories, or recursively."""
    for name in ("a.png", "b/1.png", "c.png"):
        await resources.store.put(f"target/{directory}/{name}", b"x", content_type="image/png")
    _, page = await get(gateway, "/targets", directory=directory, limit="2")
    _, rest = await get(gateway, "/targets", directory=directory, cursor=page["cursor"])
    _, below = await get(gateway, "/targets", directory=directory, recursive="true")

    assert [each["path"] for each in page["items"]] == [f"{directory}/a.png"]
    assert page["directories"] == [f"{directory}/b"]
    assert [each["path"] for each in rest["items"]] == [f"{directory}/c.png"]
    assert len(below["items"]) == 3
    assert page["items"][0]["url"].startswith("//")


async def test_a_listing_by_prefix_has_only_names_with_it(
    gateway: Client, resources: Resources, directory: str
) -> None:
    """Directories too; the one that is the prefix itself is among them, and pages go on behind it."""
    for name in ("4711.png", "4711/a.png", "4711-a.png", "4711-b.png", "4710.png", "4712.png", "47", "é1.png"):
        await resources.store.put(f"source/{directory}/{name}", b"x", content_type="image/png")

    async def listed(prefix: str, **query: str) -> list[str]:
        found: list[str] = []
        while True:
            _, page = await get(gateway, "/sources", directory=directory, prefix=prefix, **query)
            found += page["directories"] + [each["path"] for each in page["items"]]
            if "cursor" not in page:
                return sorted(path.removeprefix(f"{directory}/") for path in found)
            query["cursor"] = page["cursor"]

    expected = ["4711", "4711-a.png", "4711-b.png", "4711.png"]
    assert await listed("4711") == expected
    assert await listed("4711", limit="1") == expected
    assert len(await listed("47", limit="3")) == 7
    assert await listed("e\u0301") == ["é1.png"]
    assert await listed("5") == []
    assert (await get(gateway, "/sources", directory=directory, prefix="a/b"))[0] == 400


async def test_a_search_finds_any_part_of_a_name(
    make_settings: MakeSettings, resources: Resources, directory: str
) -> None:
    """In all directories below, in both trees; by a gateway that has not listed the trees yet."""
    for root in ("source", "target"):
        for name in ("a/Chair.png", "b/c/armchair.png", "b/table.png"):
            await resources.store.put(f"{root}/{directory}/{name}", b"x", content_type="image/png")

    async with TestClient(TestServer(create_app(make_settings(), resources))) as client:
        for listing in ("/sources", "/targets"):
            page: dict[str, Any] = {"cursor": ""}
            items: list[str] = []
            while "cursor" in page:
                query = {"directory": directory, "search": "CHAIR", "cursor": page["cursor"]}
                _, page = await get(client, listing, **query)
                items += [each["path"].removeprefix(f"{directory}/") for each in page["items"]]
            assert items == ["a/Chair.png", "b/c/armchair.png"], listing
        assert (await get(client, "/sources", search="x" * 201))[0] == 400
