"""Clean-up, trash, restore and repair over HTTP; the rules themselves are tested in `tests/reports`."""

import asyncio
from typing import Any

from tests.testing import image_files
from tests.testing.shop_client import DIRECTORIES, NORMAL, Shop


async def a_shop_with_one_unused_file(shop: Shop) -> None:
    """Create two reports that list `old.jpg` as unused."""
    await shop.send({"1": ["a.jpg"], "2": ["b.jpg"]})
    await shop.put(f"{NORMAL}/a.jpg", f"{NORMAL}/b.jpg", f"{NORMAL}/old.jpg")
    await shop.report()
    await asyncio.sleep(0.01)
    await shop.report()


async def paths(shop: Shop, root: str = "target/") -> list[str]:
    """Return the paths of the objects below *root*."""
    return [stored.key.removeprefix(root) async for page in shop.resources.store.list(root) for stored in page]


async def test_cleanup_is_a_dry_run_by_default(shop: Shop) -> None:
    """It lists the files without moving them."""
    await a_shop_with_one_unused_file(shop)

    status, planned = await shop.ask("DELETE", "/report/products/unused")

    assert status == 200
    assert (planned["dryRun"], planned["files"], planned["first"]) == (True, 1, [f"{NORMAL}/old.jpg"])
    assert (planned["report"], planned["since"], planned["trash"]) == (2, 1, "")
    assert f"{NORMAL}/old.jpg" in await paths(shop)


async def test_a_cleanup_can_be_restored(shop: Shop) -> None:
    """The file is moved to the trash, listed there, and restored unchanged."""
    await a_shop_with_one_unused_file(shop)

    _, done = await shop.ask("DELETE", "/report/products/unused?dryRun=false")
    assert (done["dryRun"], done["files"]) == (False, 1)
    assert sorted(await paths(shop)) == [f"{NORMAL}/a.jpg", f"{NORMAL}/b.jpg"]
    _, trash = await shop.ask("GET", "/report/trash")
    (item,) = trash["items"]
    assert (item["trash"], item["type"], item["files"]) == (done["trash"], "products", 1)
    assert item["deletedAfter"] > item["createdAt"]

    assert await shop.ask("POST", "/report/restore", {"trash": done["trash"]}) == (200, {"files": 1, "kept": 0})
    assert f"{NORMAL}/old.jpg" in await paths(shop)
    assert (await shop.ask("GET", "/report/trash")).body == {"items": []}
    assert (await shop.ask("POST", "/report/restore", {"trash": done["trash"]})).status == 404


async def test_a_cleanup_without_reports_is_a_conflict(shop: Shop) -> None:
    """With a reason; also if there is only one report."""
    assert await shop.ask("DELETE", "/report/products/unused") == (
        409,
        {"error": "Conflict", "reason": "There is no report yet."},
    )
    await shop.send({"1": ["a.jpg"]})
    await shop.report()
    assert (await shop.ask("DELETE", "/report/products/unused?dryRun=false")).status == 409


async def test_a_larger_share_must_be_requested(shop: Shop) -> None:
    """A dry run reports that it would be refused."""
    await shop.send({"1": ["a.jpg"]})
    await shop.put(f"{NORMAL}/a.jpg", f"{NORMAL}/old.jpg", f"{NORMAL}/older.jpg")
    await shop.report()
    await asyncio.sleep(0.01)
    await shop.report()

    _, planned = await shop.ask("DELETE", "/report/products/unused")
    assert "more than the allowed" in planned["refused"]
    status, refused = await shop.ask("DELETE", "/report/products/unused?dryRun=false")
    assert (status, refused["field"]) == (409, "share")
    status, done = await shop.ask("DELETE", "/report/products/unused?dryRun=false&share=0.7")
    assert (status, done["files"]) == (200, 2)


async def test_with_an_empty_catalog_no_file_is_unused(shop: Shop) -> None:
    """The report says why, and a clean-up refuses."""
    await a_shop_with_one_unused_file(shop)
    await shop.send({"1": []})

    report = await shop.report()

    assert report["unusedImages"] == []
    assert report["unusedRefused"]
    status, refused = await shop.ask("DELETE", "/report/products/unused?dryRun=false")
    assert (status, refused["reason"]) == (409, report["unusedRefused"])


async def test_invalid_cleanup_parameters_are_rejected(shop: Shop) -> None:
    """The error has the field."""
    for query, field in (("dryRun=no", "dryRun"), ("share=2", "share"), ("share=nan", "share"), ("share=x", "share")):
        status, refused = await shop.ask("DELETE", f"/report/products/unused?{query}")
        assert (status, refused["field"]) == (400, field)
    status, refused = await shop.ask("POST", "/report/restore", {})
    assert (status, refused["type"]) == (400, "missing")


async def test_repair_converts_missing_images(shop: Shop) -> None:
    """The image with a source is converted to all formats; the other is reported."""
    await shop.send({"1": ["chair.png"], "2": ["gone.png"]})
    source: dict[str, Any] = {"content_type": "image/png"}
    await shop.resources.store.put("source/upload/chair.png", image_files.png(), **source)
    report = await shop.report()
    assert report["totals"]["missing"] == 6

    status, repair = await shop.ask("POST", "/report/products/repair", {})

    assert status == 200
    assert (repair["missing"], repair["converting"], repair["withoutSource"]) == (2, 1, 1)
    async with asyncio.timeout(20):
        while sorted(await paths(shop)) != sorted(f"{each}/chair.png" for each in DIRECTORIES):
            await asyncio.sleep(0.05)
    assert (await shop.report())["totals"]["missing"] == 3


async def test_a_repair_without_a_report_is_not_found(shop: Shop) -> None:
    """Without a report no missing images are known."""
    assert (await shop.ask("POST", "/report/products/repair", {})).status == 404


async def test_a_shrunken_catalog_can_be_accepted(shop: Shop) -> None:
    """With the parameter, the catalog is accepted."""
    await shop.send({str(number): [f"{number}.jpg"] for number in range(5)})
    await shop.put(f"{NORMAL}/0.jpg", f"{NORMAL}/4.jpg")
    await shop.report()
    await shop.send({"0": ["0.jpg"]})
    assert (await shop.report())["unusedImages"] == []

    assert (await shop.ask("POST", "/report", {"shrunken": ["products"]})).status == 200
    await shop.scanned()
    report = (await shop.ask("GET", "/report")).body

    assert report["unusedRefused"] == ""
    assert [row["filename"] for row in report["unusedImages"]] == ["4.jpg"]
    status, refused = await shop.ask("POST", "/report", {"shrunken": "yes"})
    assert (status, refused["field"]) == (400, "shrunken")
