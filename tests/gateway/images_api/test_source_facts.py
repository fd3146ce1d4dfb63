"""`images/sources/facts`, and the facts in `images/details`: made once for each source, as it is now."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from imageconverter import keys
from imageconverter.images.source_facts import StoredFacts, put_facts
from imageconverter.jobs import JobQueue
from imageconverter.resources import Resources
from imageconverter.settings import ConversionSettings
from imageconverter.storage.store import ObjectStore
from services.gateway.images_api import source_facts
from services.worker import facts_executor
from tests.conftest import ADMIN
from tests.testing import image_files

Client = TestClient[Any, Any]

pytestmark = pytest.mark.usefixtures("worker")


@pytest.fixture
async def directory(resources: Resources) -> AsyncIterator[str]:
    """A directory that no other test uses."""
    name = f"facts {uuid4().hex[:8]}"
    yield name
    for root in ("source", "facts"):
        async for page in resources.store.list(f"{root}/{name}"):
            await resources.store.delete(each.key for each in page)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The paths of the facts that workers of this process have made."""
    paths: list[str] = []

    async def put_and_note(store: ObjectStore, path: str, found: StoredFacts) -> None:
        paths.append(path)
        await put_facts(store, path, found)

    monkeypatch.setattr(facts_executor, "put_facts", put_and_note)
    return paths


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The limits of the queue for the jobs that are enqueued."""
    seen: list[int] = []
    enqueue = JobQueue.enqueue_or_join

    async def enqueue_and_note(queue: JobQueue, *arguments: Any, limit: int = 0, **options: Any) -> str:
        seen.append(limit)
        return await enqueue(queue, *arguments, limit=limit, **options)

    monkeypatch.setattr(JobQueue, "enqueue_or_join", enqueue_and_note)
    return seen


def _flat(color: str, size: tuple[int, int] = (60, 40)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "PNG")
    return buffer.getvalue()


async def put(client: Client, path: str, data: bytes) -> None:
    """Store a source."""
    async with client.put(f"/images/sources/{path}", data=io.BytesIO(data), headers=ADMIN) as response:
        assert response.status == 200


async def ask(client: Client, **body: Any) -> tuple[int, Any]:
    """Return status and JSON of a request for facts."""
    async with client.post("/images/sources/facts", json=body, headers=ADMIN) as response:
        return response.status, await response.json()


async def rows(client: Client, **body: Any) -> list[Any]:
    """Return the rows of a request for facts, of all of its pages."""
    found: list[Any] = []
    while True:
        status, page = await ask(client, **body)
        assert status == 200, page
        found += page["items"]
        if "cursor" not in page:
            return found
        body["cursor"] = page["cursor"]


async def test_each_path_has_facts_or_a_reason(gateway: Client, resources: Resources, directory: str) -> None:
    """In the order of the request; a path may be asked for twice."""
    photograph, text, gone = (f"{directory}/{name}" for name in ("a.jpg", "b.txt", "c.png"))
    await put(gateway, photograph, image_files.jpeg(size=(800, 600), orientation=6))
    await resources.store.put(f"source/{text}", b"no image at all", content_type="text/plain")
    found = await rows(gateway, paths=[photograph, text, gone, photograph])

    assert [each["path"] for each in found] == [photograph, text, gone, photograph]
    assert [each["state"] for each in found] == ["known", "failed", "missing", "known"]
    facts = found[0]["facts"]
    assert (facts["width"], facts["height"], facts["frames"], facts["alpha"]) == (800, 600, 1, False)
    assert {"thumbHash", "perceptualHash", "dominantColor"} <= facts.keys()
    assert "reason" in found[1]
    assert "facts" not in found[1]


async def test_facts_are_made_once(gateway: Client, directory: str, made: list[str]) -> None:
    """For any number of clients, by path, by directory, and in the details."""
    path = f"{directory}/a.jpg"
    await put(gateway, path, image_files.jpeg())
    several = await asyncio.gather(*(rows(gateway, paths=[path]) for _ in range(5)))
    (listed,) = await rows(gateway, directory=directory)
    async with gateway.get(f"/images/details/{path}", headers=ADMIN) as response:
        details = await response.json()

    assert made == [path]
    assert all(each == [listed] for each in several)
    assert details["facts"] == listed["facts"]
    assert details["etag"] == listed["etag"]


async def test_when_time_is_over_only_stored_facts_are_looked_up(
    gateway: Client, directory: str, limits: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Jobs without a client that waits would keep others out of the queue."""
    names = [f"{directory}/{number}.png" for number in range(40)]
    for name in names:
        await put(gateway, name, _flat("#102030"))
    await rows(gateway, paths=names[-1:])
    limits.clear()
    monkeypatch.setattr(source_facts, "_SECONDS", 0)
    found = await rows(gateway, paths=names)

    assert [each["state"] for each in found] == ["pending"] * 39 + ["known"]
    assert limits == []


async def test_half_of_the_queue_is_left_to_others(gateway: Client, directory: str, limits: list[int]) -> None:
    """Facts of one source, with its details, may be the last job in it."""
    for name in ("a.png", "b.png"):
        await put(gateway, f"{directory}/{name}", _flat("#102030"))
    await rows(gateway, paths=[f"{directory}/a.png"])
    async with gateway.get(f"/images/details/{directory}/b.png", headers=ADMIN) as response:
        assert response.status == 200

    whole = ConversionSettings().max_interactive_queue
    assert limits == [whole // 2, whole]


async def test_a_file_that_has_no_facts_is_not_tried_again(
    gateway: Client, resources: Resources, directory: str, made: list[str]
) -> None:
    """Until it is replaced."""
    path = f"{directory}/a.jpg"
    await resources.store.put(f"source/{path}", image_files.jpeg()[:300], content_type="image/jpeg")
    first, second = await rows(gateway, paths=[path]), await rows(gateway, paths=[path])

    assert first == second
    assert first[0]["state"] == "failed"
    assert made == [path]


async def test_a_source_that_is_replaced_has_its_own_facts(gateway: Client, directory: str) -> None:
    """At once."""
    path = f"{directory}/a.png"
    for color in ("#102030", "#c0ffee"):
        await put(gateway, path, _flat(color))
        (row,) = await rows(gateway, paths=[path])
        assert row["facts"]["dominantColor"] == color
        assert "perceptualHash" not in row["facts"]


async def test_facts_of_another_version_are_made_again(
    gateway: Client, resources: Resources, directory: str, made: list[str]
) -> None:
    """So are those that cannot be read."""
    path = f"{directory}/a.png"
    await put(gateway, path, _flat("#102030"))
    before = await rows(gateway, paths=[path])
    stored = await resources.store.get(keys.facts(path))
    assert stored is not None
    for text in (bytes(stored.data).replace(b'"version":1', b'"version":0'), b"[]", b"\xff"):
        await resources.store.put(keys.facts(path), text, content_type="application/json")
        assert await rows(gateway, paths=[path]) == before
    assert made == [path] * 4


async def test_facts_of_a_directory_come_in_pages(gateway: Client, directory: str) -> None:
    """In the order of the listing; those below it only if that is wanted."""
    names = [f"{directory}/{name}" for name in ("a.png", "b.png", "below/c.png", "d.png")]
    for name in names:
        await put(gateway, name, _flat("#102030"))

    assert [each["path"] for each in await rows(gateway, directory=directory, limit=2)] == [
        names[0], names[1], names[3],
    ]  # fmt: skip
    assert [each["path"] for each in await rows(gateway, directory=directory, limit=1, recursive=True)] == names
    assert {each["state"] for each in await rows(gateway, directory=directory)} == {"known"}


async def test_deleting_a_source_deletes_its_facts(gateway: Client, resources: Resources, directory: str) -> None:
    """Likewise moving it, and deleting its directory."""
    names = [f"{directory}/{name}" for name in ("a.png", "b.png", "c/d.png")]
    for name in names:
        await put(gateway, name, _flat("#102030"))
    await rows(gateway, paths=names)

    async def stored() -> list[str]:
        return [each.key async for page in resources.store.list(keys.facts(f"{directory}/")) for each in page]

    assert await stored() == [keys.facts(name) for name in names]
    async with gateway.delete(f"/images/sources/{names[0]}", headers=ADMIN) as response:
        assert response.status == 200
    move = {"from": names[1], "to": f"{directory}/moved.png"}
    async with gateway.post("/images/sources/move", json=move, headers=ADMIN) as response:
        assert response.status == 200
    assert await stored() == [keys.facts(names[2])]
    async with gateway.delete(
        "/images/directories/source", json={"path": f"{directory}/c"}, headers=ADMIN
    ) as response:
        assert response.status == 200
    assert await stored() == []


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        ({}, "missing", "paths"),
        ({"paths": []}, "missing", "paths"),
        ({"paths": ["../a"]}, "invalidValue", "paths"),
        ({"paths": ["a"] * 1001}, "invalidValue", "paths"),
        ({"paths": [1]}, "invalidFormat", "paths"),
        ({"paths": ["a"], "directory": "b"}, "invalidValue", "directory"),
        ({"paths": [], "directory": ""}, "invalidValue", "directory"),
        ({"directory": "/../b"}, "invalidValue", "directory"),
        ({"directory": "b", "limit": 0}, "invalidValue", "limit"),
        ({"directory": "b", "limit": 1001}, "invalidValue", "limit"),
        ({"directory": "b", "cursor": "../c"}, "invalidValue", "cursor"),
        ({"directory": "b", "recursive": "yes"}, "invalidFormat", "recursive"),
        ({"path": "a"}, "unknownDataField", "path"),
    ],
)
async def test_an_error_names_what_is_wrong(gateway: Client, body: Any, kind: str, field: str) -> None:
    """In the shape of the API."""
    status, error = await ask(gateway, **body)
    assert (status, error["type"], error["field"]) == (400, kind, field)
