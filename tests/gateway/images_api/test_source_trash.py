"""`images/trash/sources`: deleting, listing and restoring sources, with a real store."""

import asyncio
import io
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient
from PIL import Image

from imageconverter import keys
from imageconverter.errors import InvalidValue
from imageconverter.images import source_restore, source_trash, sources
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.conftest import ADMIN
from tests.testing import image_files

Client = TestClient[Any, Any]
IMAGES = "/images"
DELETION = f"{'1' * 13}-{'a' * 8}"


@pytest.fixture
def directory() -> str:
    """A directory that no other test uses."""
    return f"rack {uuid4().hex[:8]}"


async def call(client: Client, method: str, path: str, **options: Any) -> tuple[int, Any]:
    """Send a request; returns status and JSON."""
    headers = {**ADMIN, **options.pop("headers", {})}
    async with client.request(method, f"{IMAGES}{path}", headers=headers, **options) as response:
        return response.status, await response.json()


async def put(client: Client, *paths: str, data: bytes | None = None) -> None:
    """Store a source at each of *paths*."""
    for path in paths:
        body = io.BytesIO(data or image_files.png())
        assert (await call(client, "PUT", f"/sources/{path}", data=body))[0] == 200


async def delete(client: Client, path: str) -> str:
    """Delete a source; returns its item."""
    status, answer = await call(client, "DELETE", f"/sources/{path}")
    assert status == 200
    return str(answer["trash"])


async def restore(client: Client, *items: str, **options: Any) -> Any:
    """Restore items; returns the response."""
    status, answer = await call(client, "POST", "/trash/sources/restore", json={"items": items, **options})
    assert status == 200
    return answer


async def trashed(client: Client, directory: str) -> list[str]:
    """Return the paths of the deleted sources of a directory, as listed."""
    found: list[str] = []
    query: dict[str, str] = {"limit": "2"}
    while True:
        _, page = await call(client, "GET", "/trash/sources", params=query)
        found += [each["path"] for each in page["items"] if each["path"].startswith(f"{directory}/")]
        if "cursor" not in page:
            return found
        query["cursor"] = page["cursor"]


async def sources_in(client: Client, directory: str) -> list[str]:
    """Return the names of all sources below a directory."""
    query = {"directory": directory, "recursive": "true"}
    _, page = await call(client, "GET", "/sources", params=query)
    return [each["path"].removeprefix(f"{directory}/") for each in page["items"]]


async def test_a_deleted_source_comes_back_as_it_was(gateway: Client, resources: Resources, directory: str) -> None:
    """With its bytes, type and metadata; the trash is empty then."""
    path = f"{directory}/ä+c%20d#?.png"
    await resources.store.put(f"source/{path}", b"image", content_type="image/x", metadata={"sha256": "5"})
    item = await delete(gateway, f"{directory}/ä+c%2520d%23%3F.png")

    assert item.endswith(f"/{path}")
    assert await trashed(gateway, directory) == [path]
    assert await restore(gateway, item) == {"restored": 1, "kept": 0, "refused": []}
    opened = await resources.store.open(f"source/{path}")
    assert opened is not None
    assert (opened.content_type, opened.stored.metadata) == ("image/x", {"sha256": "5"})
    assert b"".join([chunk async for chunk in opened.chunks]) == b"image"
    assert await trashed(gateway, directory) == []


async def test_the_trash_lists_the_last_deletion_first(gateway: Client, directory: str) -> None:
    """In pages, with the times of deletion and of permanent deletion, 30 days later."""
    await put(gateway, *(f"{directory}/{name}.png" for name in "bca"))
    for name in "cab":
        await delete(gateway, f"{directory}/{name}.png")
        await asyncio.sleep(0.002)
    _, page = await call(gateway, "GET", "/trash/sources", params={"limit": "1"})

    assert await trashed(gateway, directory) == [f"{directory}/{name}.png" for name in "bac"]
    (first,) = page["items"]
    assert first["size"] == len(image_files.png())
    assert (first["deletedAt"] < first["deletedAfter"]) is True


async def test_a_source_that_took_the_path_stays(gateway: Client, directory: str) -> None:
    """Unless it may be overwritten; the reason is listed."""
    await put(gateway, f"{directory}/a.png")
    item = await delete(gateway, f"{directory}/a.png")
    await put(gateway, f"{directory}/a.png", data=image_files.png(size=(9, 9)))

    refused = {"item": item, "reason": "There is a file of that name."}
    assert await restore(gateway, item) == {"restored": 0, "kept": 1, "refused": [refused]}
    assert await restore(gateway, item, overwrite=True) == {"restored": 1, "kept": 0, "refused": []}
    async with gateway.get(f"{IMAGES}/sources/{directory}/a.png", headers=ADMIN) as response:
        assert await response.read() == image_files.png()


async def test_a_directory_is_restored_by_its_deletion(gateway: Client, directory: str) -> None:
    """With all below it, empty directories included; also one source of it alone."""
    await put(gateway, *(f"{directory}/{name}" for name in ("a/1.png", "a/b/2.png", "a/3.png", "c.png")))
    await call(gateway, "POST", "/directories/source", json={"path": f"{directory}/a", "name": "empty"})
    _, answer = await call(
        gateway, "DELETE", "/directories/source", params={"tree": "false"}, json={"path": f"{directory}/a"}
    )
    assert await sources_in(gateway, directory) == ["c.png"]

    assert (await restore(gateway, f"{answer['trash']}/{directory}/a/1.png"))["restored"] == 1
    assert await sources_in(gateway, directory) == ["a/1.png", "c.png"]
    assert (await restore(gateway, answer["trash"]))["restored"] == 2
    assert await sources_in(gateway, directory) == ["a/1.png", "a/3.png", "a/b/2.png", "c.png"]
    _, page = await call(gateway, "GET", "/sources", params={"directory": f"{directory}/a"})
    assert page["directories"] == [f"{directory}/a/b", f"{directory}/a/empty"]


async def test_what_is_deleted_permanently_does_not_come_back(gateway: Client, directory: str) -> None:
    """Sources, directories, staged uploads, and items of the trash."""
    staged = f"upload/{uuid4().hex[:12]}/a.png"
    await put(gateway, f"{directory}/a.png", f"{directory}/b/c.png", f"{directory}/d.png", staged)
    query = {"permanently": "true"}
    assert await call(gateway, "DELETE", f"/sources/{directory}/a.png", params=query) == (200, {})
    assert await call(gateway, "DELETE", f"/sources/{staged}") == (200, {})
    body = {"path": f"{directory}/b"}
    await call(gateway, "DELETE", "/directories/source", params={**query, "tree": "false"}, json=body)
    assert await trashed(gateway, directory) == []

    item = await delete(gateway, f"{directory}/d.png")
    assert (await call(gateway, "DELETE", f"/trash/sources/{item}"))[0] == 200
    assert (await call(gateway, "DELETE", f"/trash/sources/{item}"))[0] == 404
    assert (await restore(gateway, item))["refused"][0]["reason"] == "There is no such item."


async def test_the_trash_is_emptied_only_if_all_is_meant(gateway: Client, directory: str) -> None:
    """A client that forgets to name an item deletes nothing."""
    await put(gateway, f"{directory}/a.png")
    await delete(gateway, f"{directory}/a.png")

    assert (await call(gateway, "DELETE", "/trash/sources/"))[0] == 400
    assert await trashed(gateway, directory) == [f"{directory}/a.png"]
    assert (await call(gateway, "DELETE", "/trash/sources", params={"all": "true"}))[0] == 200
    assert await trashed(gateway, directory) == []


@pytest.mark.parametrize(
    "item", ["..", "x/a.png", f"{DELETION}/../../x", f"{DELETION}/", f"{DELETION}//x", f"{DELETION}/a\0", "a" * 22]
)
async def test_what_is_no_item_is_rejected(gateway: Client, item: str) -> None:
    """It would be a key outside of the trash."""
    assert (await call(gateway, "POST", "/trash/sources/restore", json={"items": [item]}))[0] == 400
    assert (await call(gateway, "GET", "/trash/sources", params={"cursor": item}))[0] == 400


async def test_a_source_that_another_client_has_changed_is_not_deleted(gateway: Client, directory: str) -> None:
    """Nor moved or copied (RFC 9110, 13.1.1)."""
    await put(gateway, f"{directory}/a.png")
    headers = {"If-Match": '"another"'}
    body = {"from": f"{directory}/a.png", "to": f"{directory}/b.png"}

    assert (await call(gateway, "DELETE", f"/sources/{directory}/a.png", headers=headers))[0] == 412
    assert (await call(gateway, "POST", "/sources/move", json=body, headers=headers))[0] == 412
    assert (await call(gateway, "POST", "/sources/copy", json=body, headers=headers))[0] == 412
    assert await sources_in(gateway, directory) == ["a.png"]


async def test_a_source_that_is_replaced_while_it_is_deleted_stays(
    resources: Resources, directory: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newer one is not lost, and the older one not in the trash."""
    store, key = resources.store, f"source/{directory}/a.png"
    await store.put(key, b"old", content_type="image/png")
    copy = store.copy_unchanged

    async def copy_then_replace(stored: StoredObject, target: str) -> bool:
        copied = await copy(stored, target)
        await store.put(key, b"new", content_type="image/png")
        return copied

    monkeypatch.setattr(store, "copy_unchanged", copy_then_replace)
    monkeypatch.setattr(store, "delete_unchanged", lambda _: asyncio.sleep(0, result=False))
    with pytest.raises(InvalidValue):
        await sources.delete(store, f"{directory}/a.png")

    loaded = await store.get(key)
    assert loaded is not None
    assert bytes(loaded.data) == b"new"
    assert [each for each in await _items(store) if directory in each] == []


async def test_an_interrupted_deletion_and_restore_lose_nothing(resources: Resources, directory: str) -> None:
    """What is in both places is restored again, and is in the trash once more after it is deleted again."""
    store, path = resources.store, f"{directory}/a.png"
    await store.put(f"source/{path}", b"image", content_type="image/png")
    item = f"{source_trash.new_deletion()}/{path}"
    await store.copy(f"source/{path}", keys.trashed_source(item))

    restored = await source_restore.restore(store, [item], overwrite=False)
    assert (restored.files, restored.kept) == (1, 0)
    assert [each for each in await _items(store) if directory in each] == []
    loaded = await store.get(f"source/{path}")
    assert loaded is not None
    assert bytes(loaded.data) == b"image"


async def test_only_expired_items_are_swept(resources: Resources, directory: str) -> None:
    """By the age of the deletion, not of the source."""
    store, path = resources.store, f"{directory}/a.png"
    await store.put(f"source/{path}", b"image", content_type="image/png")
    await asyncio.sleep(4.1)  # the clock of the store counts seconds
    item = await sources.delete(store, path)

    await source_trash.sweep(store, days=3 / 86400)
    assert item in await _items(store)
    async with asyncio.timeout(20):
        while item in await _items(store):
            await asyncio.sleep(0.5)
            await source_trash.sweep(store, days=3 / 86400)


async def _items(store: ObjectStore) -> list[str]:
    found, _ = await source_trash.list_items(store, after="", size=1000)
    return [stored.key.removeprefix(keys.source_trash()) for stored in found]


@pytest.mark.usefixtures("worker")
async def test_a_deleted_source_has_a_thumbnail(gateway: Client, directory: str) -> None:
    """Made on demand; none if it is not in the trash."""
    await put(gateway, f"{directory}/a b.png", data=image_files.png(size=(400, 300)))
    item = await delete(gateway, f"{directory}/a b.png")
    _, page = await call(gateway, "GET", "/trash/sources")
    (link,) = [each["thumbnail"] for each in page["items"] if each["item"] == item]
    async with gateway.get(link, headers=ADMIN) as response:
        assert response.status == 200
        assert Image.open(io.BytesIO(await response.read())).size == (200, 150)
    async with gateway.get(f"{link}x", headers=ADMIN) as response:
        assert response.status == 404
