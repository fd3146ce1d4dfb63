"""Outputs whose sources are gone are found by the scan, and only those."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.automatic import scan_store
from imageconverter.automatic.orphans import Orphan
from imageconverter.automatic.scan_store import UNLISTED
from imageconverter.errors import StoreUnavailable
from imageconverter.images.conversions import SOURCE, source_digest
from imageconverter.jobs import redis_command
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.automatic.conftest import Shop
from tests.conftest import ADMIN
from tests.testing.runs import get, post

pytestmark = pytest.mark.usefixtures("worker", "no_run")

Make = Callable[[int], bytes]


@pytest.fixture
def follow() -> str:
    """Outputs are marked."""
    return "mark"


async def test_outputs_of_sources_that_are_gone_are_marked_and_stay(shop: Shop, image: Make) -> None:
    """Deleted by another program, and renamed by the API."""
    for name in ("a.png", "b.png", "c.png", "large/d.png"):
        await shop.put_behind(name, image(1))
    await shop.scan()
    assert await shop.orphans() == []

    await shop.delete_behind("a.png", "large/d.png")
    body = {"from": f"{shop.directory}/b.png", "to": f"{shop.directory}/renamed.png"}
    assert (await post(shop.client, "/images/sources/move", body))[0] == 200
    await shop.scan()
    await shop.scan()
    assert await shop.orphans() == ["large/d.png", "small/a.png", "small/b.png", "small/d.png"]
    for name in ("a.png", "b.png", "c.png", "renamed.png"):
        assert await shop.output(name) is not None


async def test_a_source_that_comes_back_has_no_orphan(shop: Shop, image: Make) -> None:
    """With other bytes it is converted; and an orphan that is deleted is none any more."""
    for name in ("a.png", "b.png"):
        await shop.put_behind(name, image(1))
    await shop.scan()
    await shop.delete_behind("a.png", "b.png")
    await shop.scan()
    assert await shop.orphans() == ["small/a.png", "small/b.png"]
    before = await shop.output("a.png")

    await shop.put_behind("a.png", image(2))
    await shop.resources.store.delete([keys.target(f"{shop.directory}/small/b.png")])
    await shop.scan()
    assert await shop.orphans() == []
    after = await shop.output("a.png")
    assert before is not None
    assert after is not None
    assert after.etag != before.etag


async def test_a_source_that_no_scan_has_seen_is_missed_too(shop: Shop, image: Make) -> None:
    """It was stored, converted and deleted between two scans."""
    await shop.put("a.png", image(1))
    await shop.settle()
    async with shop.client.delete(f"/images/sources/{shop.directory}/a.png", headers=ADMIN) as response:
        assert response.status == 200
    await shop.scan()
    assert await shop.orphans() == ["small/a.png"]


async def test_what_was_not_made_of_the_source_is_no_orphan(shop: Shop, image: Make) -> None:
    """It was uploaded, made of a source elsewhere, or by another format."""
    for name in ("a.png", "b.png", "c.png"):
        await shop.put_behind(name, image(1))
    await shop.scan()
    store, small = shop.resources.store, f"{shop.directory}/small"
    await store.put(keys.target(f"{small}/a.png"), image(2), content_type="image/png")
    other = {SOURCE: source_digest(keys.source("elsewhere/b.png"))}
    await store.put(keys.target(f"{small}/b.png"), image(2), content_type="image/png", metadata=other)
    own = {SOURCE: source_digest(keys.source(f"{shop.directory}/c.png"))}
    await store.put(keys.target(f"{small}/c.gif"), image(2), content_type="image/gif", metadata=own)
    await store.put(keys.target(f"{shop.directory}/manual/c.png"), image(2), content_type="image/png", metadata=own)
    await shop.delete_behind("a.png", "b.png", "c.png")
    await shop.scan()
    assert await shop.orphans() == ["small/c.png"]


async def test_an_orphan_with_the_name_of_the_output_of_another_source_is_replaced(shop: Shop, image: Make) -> None:
    """Two sources had one output, which the one that is gone has made."""
    await shop.put_behind("a.bmp", image(1))
    await shop.scan()
    first = await shop.output("a.png")
    await shop.put_behind("a.tiff", image(2))
    await shop.scan()
    second = await shop.output("a.png")
    await shop.delete_behind("a.tiff")
    await shop.scan()
    await shop.scan()
    last = await shop.output("a.png")
    assert first is not None
    assert second is not None
    assert last is not None
    assert first.etag == last.etag != second.etag
    assert await shop.orphans() == []


@pytest.mark.parametrize("gone", [[], ["a/z.png", "a.png"]])
async def test_directories_may_be_listed_in_another_order_than_that_of_keys(
    shop: Shop, image: Make, gone: list[str]
) -> None:
    """SeaweedFS lists `a/z` before `a-1` and `a.b`."""
    for name in ("a/z.png", "a-1.png", "a.png", "a0.png", "a/b.png"):
        await shop.put_behind(name, image(1))
    await shop.scan()
    await shop.scan()
    await shop.delete_behind(*gone)
    await shop.scan()
    record = await shop.resources.scans.record()
    assert record.counts.get(UNLISTED, 0) == len(gone)
    assert await shop.orphans() == sorted(f"small/{name.rpartition('/')[2]}" for name in gone)


async def test_a_listing_that_is_cut_short_orphans_nothing(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each source that is not listed is looked up."""
    for number in range(5):
        await shop.put_behind(f"{number}.png", image(number))
    await shop.scan()
    listing = ObjectStore.list

    async def cut_short(store: ObjectStore, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        async for page in listing(store, prefix, after=after):
            yield page[:2] if prefix.startswith(keys.SOURCE) else page
            return

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "list", cut_short)
        await shop.scan()
    assert (await shop.resources.scans.record()).counts[UNLISTED] == 3
    assert await shop.orphans() == []
    await shop.delete_behind("4.png")
    await shop.scan()
    assert await shop.orphans() == ["small/4.png"]


async def test_an_outage_in_the_middle_of_a_scan_is_no_deletion(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan goes on where it was."""
    for number in range(3):
        await shop.put_behind(f"{number}.png", image(number))
    await shop.scan()
    await shop.delete_behind("1.png")
    looks = ObjectStore.head

    async def fail(store: ObjectStore, key: str) -> StoredObject | None:
        if key == keys.source(f"{shop.directory}/1.png"):
            raise StoreUnavailable("The store does not answer.")
        return await looks(store, key)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, "head", fail)
        with pytest.raises(StoreUnavailable):
            await shop.scan()
    assert await shop.orphans() == []
    await shop.settle()
    assert await shop.orphans() == ["small/1.png"]


async def test_of_very_many_sources_that_are_gone_nothing_is_looked_for(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay known until a later scan finds fewer, or the sources are back."""
    for number in range(5):
        await shop.put_behind(f"{number}.png", image(number))
    await shop.scan()
    await shop.delete_behind(*(f"{number}.png" for number in range(5)))
    with monkeypatch.context() as patch:
        patch.setattr(scan_store, "MAX_UNLISTED", 4)
        await shop.scan()
        assert await shop.orphans() == []
    await shop.scan()
    assert await shop.orphans() == [f"small/{number}.png" for number in range(5)]


async def test_sources_of_orphans_that_an_earlier_scan_has_found_do_not_count_again(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are marked, those that are deleted later are found."""
    monkeypatch.setattr(scan_store, "MAX_UNLISTED", 3)
    names = [f"{number}.png" for number in range(7)]
    for number, name in enumerate(names):
        await shop.put_behind(name, image(number))
    await shop.scan()
    for begin in (0, 3):
        await shop.delete_behind(*names[begin : begin + 3])
        await shop.scan()
        assert await shop.orphans() == [f"small/{name}" for name in names[: begin + 3]]


async def test_orphans_are_listed_in_pages_with_the_state_of_the_scan(shop: Shop, image: Make) -> None:
    """As the API says it."""
    assert (await get(shop.client, "/images/convert/scan"))[1] == {
        "running": False,
        "requested": False,
        "startedAt": None,
        "endedAt": None,
        "sources": 0,
        "submitted": 0,
        "pending": 0,
        "orphaned": 0,
        "moved": 0,
        "trash": [],
        "notMoved": [],
    }
    for number in range(3):
        await shop.put_behind(f"{number}.png", image(number))
    await shop.scan()
    await shop.delete_behind("0.png", "1.png")
    await shop.scan()
    _, scan = await get(shop.client, "/images/convert/scan")
    assert scan["startedAt"] <= scan["endedAt"]
    assert (scan["running"], scan["sources"], scan["submitted"], scan["orphaned"]) == (False, 1, 0, 2)
    _, first = await get(shop.client, "/images/convert/orphans?limit=1")
    _, second = await get(shop.client, f"/images/convert/orphans?limit=1&cursor={first['cursor']}")
    (orphan,) = first["items"]
    assert (orphan["path"], orphan["source"], orphan["formatId"], orphan["since"]) == (
        f"{shop.directory}/small/0.png",
        f"{shop.directory}/0.png",
        "content.imageFormat.small",
        scan["startedAt"],
    )
    assert (first["total"], second["items"][0]["path"]) == (2, f"{shop.directory}/small/1.png")
    assert "cursor" not in second
    status, refused = await get(shop.client, "/images/convert/orphans?limit=0")
    assert (status, refused["type"], refused["field"]) == (400, "invalidValue", "limit")


async def test_a_page_reads_the_orphans_that_it_shows(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of however many; one that is not readable is left out."""
    paths = [f"{shop.directory}/small/{number:02}.png" for number in range(30)]
    await shop.resources.scans.put_orphans(
        Orphan(
            path=path,
            source=path,
            format="content.imageFormat.small",
            bytes=1,
            etag="e",
            since="2026-11-29T12:00:00+00:00",
            seen="2026-11-29T12:00:00+00:00",
        )
        for path in reversed(paths)
    )
    await redis_command(shop.resources.redis, 5, "HSET", keys.ORPHANS, paths[1], "{}")
    commands: list[tuple[object, ...]] = []

    async def record(redis: Redis, retry_timeout: float, *command: Any) -> Any:
        commands.append(command)
        return await redis_command(redis, retry_timeout, *command)

    monkeypatch.setattr(scan_store, "redis_command", record)
    assert (await get(shop.client, "/images/convert/scan"))[1]["orphaned"] == 30
    shown, cursor = [], ""
    while cursor is not None:
        _, page = await get(shop.client, f"/images/convert/orphans?limit=12&cursor={cursor}")
        shown.append([each["path"] for each in page["items"]])
        assert page["total"] == 30
        cursor = page.get("cursor")
    assert shown == [[paths[0], *paths[2:12]], paths[12:24], paths[24:]]
    async with shop.client.get("/console/runs/automatic", headers=ADMIN) as response:
        assert response.status == 200, await response.text()
    assert [(name, len(read)) for name, key, *read in commands if key == keys.ORPHANS] == [
        ("HLEN", 0),
        *[each for size in (12, 12, 6, 30) for each in (("HKEYS", 0), ("HMGET", size))],
    ]
