"""The report index: which reports are kept, and the deletion of the others."""

from datetime import timedelta

import pytest

from imageconverter import keys
from imageconverter.errors import StoreUnavailable
from imageconverter.reports import index, list_reports, read_page
from imageconverter.reports.index import Report, publish_report, rows_of
from imageconverter.reports.results import RowWriter
from imageconverter.reports.summary import CatalogSize, Summary
from imageconverter.storage.store import ObjectStore
from tests.testing.shop import GRACE, Shop

ROW = {"filename": "x.jpg", "path": "keep/x.jpg", "size": 7, "modified": "2025-04-25T15:55:39.000Z"}


async def publish(shop: Shop, *, keep: int, refused: str = "") -> Report:
    """Publish a report of one unused file."""
    summary = Summary(
        catalog=CatalogSize(1, 1),
        files=100,
        file_bytes=700,
        ignored=0,
        missing=0,
        missing_but_near=0,
        unused=1,
        unused_bytes=7,
        formats={},
        unused_refused=refused,
        shared_directories=(),
    )
    rows = shop.folder / "rows"
    rows.mkdir(exist_ok=True)
    with RowWriter(rows, "unused") as writer:
        writer.write(ROW)
    return await publish_report(
        shop.store, "product", rows, catalog="of the day", formats="", summary=summary, keep=keep, grace=GRACE
    )


async def ids(store: ObjectStore) -> list[int]:
    """Return the reports that are kept."""
    return [report.id for report in await list_reports(store, "product")]


async def test_the_newest_report_answers_first(shop: Shop) -> None:
    """Numbers go on, rows are read back, and each type has its own index."""
    assert await list_reports(shop.store, "product") == []
    first, second = await publish(shop, keep=5), await publish(shop, keep=5)

    assert await list_reports(shop.store, "product") == [second, first]
    assert await list_reports(shop.store, "category") == []
    page = await read_page(rows_of(shop.store, "product", first), "unused", total=1, cursor="", limit=5)
    assert page == ([ROW], "")


async def test_the_last_reports_are_kept(shop: Shop) -> None:
    """So many, where they reach back far enough."""
    for _ in range(5):
        await publish(shop, keep=3)
        await shop.days_pass(4)

    assert await ids(shop.store) == [5, 4, 3]


async def test_numbers_do_not_change_when_a_report_leaves_the_index(shop: Shop) -> None:
    """Numbers are not used twice."""
    for _ in range(4):
        await publish(shop, keep=1)
        await shop.days_pass(20)

    assert (await list_reports(shop.store, "product"))[0].id == 4


@pytest.mark.parametrize("keep", [1, 2, 10])
@pytest.mark.parametrize("days", [0.25, 1, 3, 6.9, 7, 10])
async def test_a_clean_up_is_always_possible_once_the_grace_period_has_passed(
    shop: Shop, keep: int, days: float
) -> None:
    """However few reports are kept and however often one is made, one that is old enough stays, and none too many."""
    passed = 0.0
    for _ in range(int(22 / days) + 1):
        await publish(shop, keep=keep)
        reports = await list_reports(shop.store, "product")
        assert len(reports) <= keep + int(7 / days) + 2  # all within the grace period, and one before it
        old = [each for each in reports if each.at <= reports[0].at - GRACE]
        assert bool(old) == (passed >= 7)
        await shop.days_pass(days)
        passed += days


async def test_reports_that_were_refused_do_not_take_the_place_of_others(shop: Shop) -> None:
    """Neither for a clean-up, nor as the measure for the next catalog."""
    for refused in ("", "", "too small", "too small", "too small", ""):
        await publish(shop, keep=2, refused=refused)
        await shop.days_pass(3)

    reports = await list_reports(shop.store, "product")
    assert [each.id for each in reports if not each.summary.unused_refused] == [6, 2]


async def test_the_last_catalog_that_was_believed_stays_the_measure(shop: Shop) -> None:
    """However many were refused since, and though an older report is kept for clean-ups."""
    for refused in ("", "", "too small", "too small", "too small"):
        await publish(shop, keep=1, refused=refused)
        await shop.days_pass(1)

    assert await ids(shop.store) == [5, 2, 1]


async def test_a_broken_index_is_an_error_and_not_an_empty_one(shop: Shop) -> None:
    """A new first report would forget all others."""
    await shop.store.put(keys.report_index("product"), b"{", content_type="application/json")

    with pytest.raises(StoreUnavailable, match="broken"):
        await list_reports(shop.store, "product")
    with pytest.raises(StoreUnavailable, match="broken"):
        await publish(shop, keep=1)


async def test_old_rows_of_reports_outside_the_index_are_swept(shop: Shop) -> None:
    """Rows of reports in the index are kept, and so are recent ones, which may be of a report being made."""
    for _ in range(4):
        await publish(shop, keep=1)
        await shop.days_pass(10)
    await publish(shop, keep=1)
    rows = [f"{each.folder}/unused-000000.ndjson" for each in await list_reports(shop.store, "product")]
    await shop.store.put("reports/category/another/x", b"1", content_type="text/plain")

    assert await index.sweep(shop.store, "product") == 0
    assert await index.sweep(shop.store, "product", age=timedelta(seconds=-1)) == 3
    assert await shop.files("reports/product/") == [*sorted(rows), "shelf.json"]
    assert await shop.files("reports/category/") == ["another/x"]
