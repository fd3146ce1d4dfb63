"""Outputs whose sources are gone are moved to the trash, within bounds."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime

import pytest

from imageconverter import keys
from imageconverter.automatic import scan_store, trashing
from imageconverter.errors import StoreUnavailable
from imageconverter.reports import trash
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.automatic.conftest import Shop
from tests.conftest import ADMIN
from tests.testing.runs import get, post

pytestmark = pytest.mark.usefixtures("worker", "no_run")

Make = Callable[[int], bytes]
SCAN = "/images/convert/scan"


@pytest.fixture
def follow() -> str:
    """Outputs are moved to the trash."""
    return "trash"


async def put_many(shop: Shop, image: Make, count: int) -> list[str]:
    """Store and convert sources; returns their names."""
    names = [f"{number:02}.png" for number in range(count)]
    for number, name in enumerate(names):
        await shop.put_behind(name, image(number))
    await shop.scan()
    return names


async def there(shop: Shop, names: list[str]) -> list[str]:
    """Return those of *names* that have an output."""
    return [name for name in names if await shop.output(name) is not None]


async def test_the_second_scan_moves_an_orphan_to_the_trash(shop: Shop, image: Make) -> None:
    """It can be restored from there, and stays then."""
    names = await put_many(shop, image, 3)
    await shop.delete_behind(names[0])
    await shop.scan()
    assert (await there(shop, names), await shop.orphans()) == (names, ["small/00.png"])
    await shop.scan()
    assert (await there(shop, names), await shop.orphans()) == (names[1:], [])

    _, scan = await get(shop.client, SCAN)
    assert (scan["moved"], scan["orphaned"], scan["notMoved"]) == (1, 0, [])
    _, listed = await get(shop.client, "/images/report/trash")
    (batch,) = [each for each in listed["items"] if each["trash"] in scan["trash"]]
    assert (batch["type"], batch["files"], "report" in batch) == ("products", 1, False)
    assert (await trash.restore(shop.resources.store, batch["trash"])).files == 1
    for _ in range(3):
        await shop.scan()
    assert (await there(shop, names), await shop.orphans()) == (names, [])


async def test_a_source_that_comes_back_is_converted_again(shop: Shop, image: Make) -> None:
    """The same bytes as before, by another program."""
    names = await put_many(shop, image, 2)
    await shop.delete_behind(names[0])
    await shop.scan()
    await shop.scan()
    assert await there(shop, names) == names[1:]
    await shop.put_behind(names[0], image(0))
    await shop.scan()
    assert await there(shop, names) == names


async def test_a_renamed_source_gets_a_new_output_and_loses_the_old_one(shop: Shop, image: Make) -> None:
    """By the API."""
    await put_many(shop, image, 2)
    body = {"from": f"{shop.directory}/00.png", "to": f"{shop.directory}/renamed.png"}
    assert (await post(shop.client, "/images/sources/move", body))[0] == 200
    await shop.scan()
    await shop.scan()
    assert await there(shop, ["00.png", "01.png", "renamed.png"]) == ["01.png", "renamed.png"]


async def test_more_than_the_allowed_share_stays_and_is_marked(shop: Shop, image: Make) -> None:
    """Until a person allows it."""
    names = await put_many(shop, image, 15)
    await shop.delete_behind(*names[:11])
    for _ in range(3):
        await shop.scan()
    assert await there(shop, names) == names
    _, scan = await get(shop.client, SCAN)
    reason = "11 of 15 images have no source any more, which is more than the allowed 10 %."
    assert scan["notMoved"] == [{"formatId": "content.imageFormat.small", "reason": reason}]
    assert (scan["orphaned"], scan["moved"], scan["trash"]) == (11, 0, [])

    assert (await post(shop.client, SCAN, {"share": 0.8}))[0] == 200
    await shop.settle()
    assert await there(shop, names) == names[11:]
    _, scan = await get(shop.client, SCAN)
    assert (scan["orphaned"], scan["moved"], scan["notMoved"]) == (0, 11, [])


async def test_a_directory_that_is_empty_loses_no_outputs(shop: Shop, image: Make) -> None:
    """It may not have been mounted, or was synchronized with nothing; unless a person allows it."""
    names = await put_many(shop, image, 3)
    await shop.delete_behind(*names)
    for _ in range(3):
        await shop.scan()
    assert await there(shop, names) == names
    _, scan = await get(shop.client, SCAN)
    assert scan["notMoved"][0]["reason"] == f"The directory {shop.directory} has no sources any more."
    assert (await post(shop.client, SCAN, {"share": 1}))[0] == 200
    await shop.settle()
    assert await there(shop, names) == []


async def test_very_many_at_once_stay_until_a_person_allows_all(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if each scan finds some of them: they are not allowed bit by bit."""
    listing = ObjectStore.list

    async def one_by_one(store: ObjectStore, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        async for page in listing(store, prefix, after=after):
            for each in page:
                yield [each]

    monkeypatch.setattr(ObjectStore, "list", one_by_one)
    monkeypatch.setattr(scan_store, "MAX_UNLISTED", 2)
    names = await put_many(shop, image, 6)
    await shop.delete_behind(*names[:5:2])
    for _ in range(3):
        await shop.scan()
        assert await shop.orphans() == []
    _, scan = await get(shop.client, SCAN)
    assert scan["notMoved"][0]["reason"] == "More than 2 sources are not there any more."
    assert await there(shop, names) == names

    assert (await post(shop.client, SCAN, {"share": 1}))[0] == 200
    await shop.settle()
    assert len(await shop.orphans()) == 3
    await shop.scan()
    assert await there(shop, names) == names[1::2]


async def test_at_most_so_many_are_moved_by_one_scan(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next one moves the rest."""
    names = await put_many(shop, image, 6)
    await shop.delete_behind(*names[:5])
    await shop.scan()
    monkeypatch.setattr(trashing, "MAX_MOVED", 2)
    left = []
    for _ in range(3):
        await shop.scan()
        left.append(len(await there(shop, names)))
    assert left == [4, 2, 1]


async def test_outputs_of_one_source_may_be_moved_by_different_scans(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that are left stay orphans."""
    for name in ("large/a.png", "large/b.png"):
        await shop.put_behind(name, image(1))
    await shop.scan()
    await shop.delete_behind("large/a.png")
    await shop.scan()
    monkeypatch.setattr(trashing, "MAX_MOVED", 1)
    left = []
    for _ in range(3):
        await shop.scan()
        left.append(await shop.orphans())
    assert left == [["large/a.png"], [], []]
    for format_id in ("small", "large"):
        assert await shop.output("a.png", format_id) is None
        assert await shop.output("b.png", format_id) is not None


@pytest.mark.parametrize("method", ["copy", "delete_unchanged"])
async def test_an_outage_while_outputs_are_moved_loses_none(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    """The scan goes on with the same trash batch, from which all can be restored."""
    names = await put_many(shop, image, 6)
    before = {name: (await shop.output(name)) for name in names}
    await shop.delete_behind(*names[:4])
    await shop.scan()
    works, calls = getattr(ObjectStore, method), 0

    async def fail(store: ObjectStore, *arguments: object) -> object:
        nonlocal calls
        calls += 1
        if calls % 2 == 0:
            raise StoreUnavailable("The store does not answer.")
        return await works(store, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(ObjectStore, method, fail)
        with pytest.raises(StoreUnavailable):
            await shop.scan()
    await shop.settle()
    assert await there(shop, names) == names[4:]
    _, scan = await get(shop.client, SCAN)
    restored = [await trash.restore(shop.resources.store, each) for each in scan["trash"]]
    assert [each.files for each in restored] == [4]
    after = {name: (await shop.output(name)) for name in names}
    assert {name: each and each.etag for name, each in after.items()} == {
        name: each and each.etag for name, each in before.items()
    }


async def test_what_was_replaced_or_is_back_when_it_is_moved_stays(
    shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the scan's last look at it and the move."""
    names = await put_many(shop, image, 6)
    await shop.delete_behind(*names[:3])
    await shop.scan()
    begin = trash.begin_batch

    async def change(store: ObjectStore, batch: trash.TrashBatch) -> None:
        await begin(store, batch)
        await shop.put_behind(names[0], image(0))
        await store.put(keys.target(f"{shop.directory}/small/{names[1]}"), image(9), content_type="image/png")

    with monkeypatch.context() as patch:
        patch.setattr("imageconverter.automatic.trashing.begin_batch", change)
        await shop.scan()
    assert await there(shop, names) == [*names[:2], *names[3:]]
    assert (await get(shop.client, SCAN))[1]["moved"] == 1


async def test_clocks_do_not_matter(shop: Shop, image: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of the store is years behind: an orphan is one that an earlier scan has found, whenever it was made."""

    async def now(_: ObjectStore) -> datetime:
        return datetime(2001, 1, 1, tzinfo=UTC)

    monkeypatch.setattr(ObjectStore, "now", now)
    names = await put_many(shop, image, 2)
    await shop.delete_behind(names[0])
    await shop.scan()
    assert await there(shop, names) == names
    await shop.scan()
    assert await there(shop, names) == names[1:]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"share": 1.01}, ("invalidValue", "share")),
        ({"share": "all"}, ("invalidFormat", "share")),
        ({"shares": 1}, ("unknownDataField", "shares")),
        ([], (None, None)),
    ],
)
async def test_an_invalid_request_for_a_scan_is_refused(
    shop: Shop, body: object, expected: tuple[str | None, str | None]
) -> None:
    """It names the field."""
    async with shop.client.post(SCAN, json=body, headers=ADMIN) as response:
        refused = await response.json()
    assert response.status == 400
    assert (refused.get("type"), refused.get("field")) == expected
    assert not (await shop.resources.pending_sources.state()).is_requested
