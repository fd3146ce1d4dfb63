"""`images/report`: missing and unused images, for a shop with its own reporter."""

import csv
import io
import json
from typing import Any

import pytest
from aiohttp import ClientError

from imageconverter import keys
from tests.conftest import ADMIN
from tests.testing import drawings, image_files
from tests.testing.shop_client import LARGE, NORMAL, THUMBNAIL, Shop


async def test_before_the_first_report_there_are_no_rows(shop: Shop) -> None:
    """An empty report, under all paths."""
    empty: dict[str, Any] = {"createdAt": None, "id": 0, "missingImages": [], "unusedImages": []}
    for path in ("/report", "/report/", "/report/products", "/report/categories", "/report/appImages"):
        assert (await shop.ask("GET", path)).body == empty


async def test_a_report_lists_missing_and_unused_images_by_format(shop: Shop) -> None:
    """A file of one format is missing in the other; one without a reference is unused."""
    await shop.send({"4711": ["chair.jpg"], "4712": ["chair.jpg", "table.jpg"]})
    await shop.put_everywhere("chair.jpg")
    await shop.put(f"{NORMAL}/old.jpg", f"{THUMBNAIL}/table.jpg", f"{LARGE}/table.jpg")

    report = await shop.report()

    assert [*report][:4] == ["createdAt", "id", "missingImages", "unusedImages"]
    assert report["createdAt"].endswith("Z")
    assert report["id"] == 1
    (missing,) = report["missingImages"]
    assert missing["path"] == f"{NORMAL}/table.jpg"
    assert (missing["format"], missing["products"]) == ("content.imageFormat.normalProduct", ["4712"])
    (unused,) = report["unusedImages"]
    assert (unused["filename"], unused["format"]) == ("old.jpg", "content.imageFormat.normalProduct")
    assert unused["size"] == report["totals"]["unusedBytes"] == len(b"content")
    assert report["totals"]["files"] == 6


async def test_each_type_has_its_own_report(shop: Shop) -> None:
    """Categories too; a type without a catalog has none."""
    await shop.send({"sofas": ["sofas.jpg"]}, "categories")

    report = await shop.report("categories")

    assert [row["filename"] for row in report["missingImages"]] == ["sofas.jpg"]
    assert (await shop.ask("GET", "/report")).body["id"] == 0


async def test_a_scan_without_a_catalog_reports_why(shop: Shop) -> None:
    """The status has the reason; there is no report."""
    report = await shop.report()

    assert report["id"] == 0
    status = await shop.scanned()
    assert status["failure"].startswith("There is no catalog")
    assert status["end"] >= status["start"] > 0


async def test_the_newest_report_is_returned_and_ids_increase(shop: Shop) -> None:
    """The second report has no missing image."""
    await shop.send({"1": ["a.jpg"]})
    first = await shop.report()
    await shop.put_everywhere("a.jpg")

    second = await shop.report()

    assert (first["totals"]["missing"], second["totals"]["missing"]) == (3, 0)
    assert (first["id"], second["id"]) == (1, 2)


async def test_the_history_has_the_totals_of_the_last_reports(shop: Shop) -> None:
    """The newest first, as many as requested, of one type only."""
    await shop.send({"1": ["a.jpg"]})
    await shop.put(f"{NORMAL}/old.jpg", data=b"0123456789")
    reports = [await shop.report(), await shop.report()]

    _, history = await shop.ask("GET", "/report/products/history")
    assert [each["id"] for each in history["items"]] == [2, 1]
    assert [each["totals"] for each in history["items"]] == [each["totals"] for each in reversed(reports)]
    assert history["items"][0]["totals"]["unusedBytes"] == 10
    assert reports[1]["directories"][NORMAL] == {
        "files": 1, "bytes": 10, "missing": 1, "unused": 1, "unusedBytes": 10,
    }  # fmt: skip

    _, newest = await shop.ask("GET", "/report/products/history?limit=1")
    assert newest["items"] == history["items"][:1]
    assert (await shop.ask("GET", "/report/categories/history")).body == {"items": []}
    status, refused = await shop.ask("GET", "/report/products/history?limit=1001")
    assert (status, refused["field"]) == (400, "limit")


async def test_pages_of_a_report_stay_consistent_after_a_newer_one(shop: Shop) -> None:
    """A cursor stays with its report."""
    await shop.send({"1": ["b.jpg"], "2": [f"m{number}.jpg" for number in range(5)]})
    await shop.put_everywhere("b.jpg")
    await shop.put(*(f"{NORMAL}/u{number}.jpg" for number in range(3)))
    whole = await shop.report()

    found: dict[str, list[str]] = {"missingImages": [], "unusedImages": []}
    _, page = await shop.ask("GET", "/report?limit=2")
    await shop.send({"1": ["b.jpg"], "2": ["another.jpg"], "3": ["m1.jpg"]})
    await shop.report()
    pages = 0
    while True:
        pages += 1
        for table, rows in found.items():
            assert len(page[table]) <= 2
            rows += [row["path"] for row in page[table]]
        if "cursor" not in page:
            break
        status, page = await shop.ask("GET", f"/report?limit=2&cursor={page['cursor']}")
        assert (status, page["id"]) == (200, whole["id"])

    assert pages == 8  # fifteen are missing: five in three formats
    for table, rows in found.items():
        assert rows == [row["path"] for row in whole[table]]


async def test_a_download_has_all_rows(shop: Shop) -> None:
    """As NDJSON or CSV, by the Accept header or the query; one kind only if requested."""
    await shop.send({"1": ["=HYPERLINK(1).jpg", "a.jpg"]})
    await shop.put_everywhere("a.jpg")
    await shop.put(f"{NORMAL}/old.jpg")
    report = await shop.report()

    async with shop.client.get("/images/report", headers={**ADMIN, "Accept": "application/x-ndjson"}) as response:
        rows = [json.loads(line) for line in (await response.text()).splitlines()]
        assert response.headers["Content-Disposition"] == 'attachment; filename="report-products-1.ndjson"'
    assert [row.pop("kind") for row in rows] == ["missing"] * 3 + ["unused"]
    assert rows == report["missingImages"] + report["unusedImages"]

    async with shop.client.get("/images/report/products?as=csv&only=missing", headers=ADMIN) as response:
        cells = list(csv.DictReader(io.StringIO(await response.text(), newline="")))
    assert [row["path"] for row in cells] == [row["path"] for row in report["missingImages"]]
    assert {row["products"] for row in cells} == {"1"}
    assert cells[0]["filename"] == "'=HYPERLINK(1).jpg"

    async with shop.client.get("/images/report/categories?as=ndjson", headers=ADMIN) as response:
        assert (response.status, await response.text()) == (200, "")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=10001", "limit"),
        ("limit=two", "limit"),
        ("as=xml", "as"),
        ("only=both", "only"),
        ("cursor=", "cursor"),
        ("cursor=1", "cursor"),
        ("cursor=99-0-0", "cursor"),
        ("cursor=1-x-0", "cursor"),
        ("cursor=1-0-999", "cursor"),
        ("cursor=1-0", "cursor"),
        ("only=similar&cursor=1-0-0", "cursor"),
        ("only=similar&cursor=1-9", "cursor"),
    ],
)
async def test_an_invalid_report_query_is_rejected(shop: Shop, query: str, field: str) -> None:
    """The error has the parameter."""
    await shop.send({"1": ["a.jpg"]})
    await shop.report()

    status, refused = await shop.ask("GET", f"/report?{query}")

    assert (status, refused["type"], refused["field"]) == (400, "invalidValue", field)


async def test_requesting_a_report_joins_the_running_scan(shop: Shop) -> None:
    """Many requests result in one report."""
    await shop.send({"1": ["a.jpg"]})
    for _ in range(5):
        assert (await shop.ask("POST", "/report", {})).status == 200
    await shop.scanned()

    assert (await shop.ask("GET", "/report")).body["id"] in {1, 2}


async def test_a_report_body_that_is_not_an_object_is_rejected(shop: Shop) -> None:
    """Without a type, like every body that cannot be loaded."""
    status, refused = await shop.ask("POST", "/report", b"[]")

    assert (status, "type" in refused) == (400, False)


async def test_reports_need_their_permissions(shop: Shop) -> None:
    """Without a key the response is a 401."""
    for method, path in (
        ("GET", "/report"),
        ("POST", "/report"),
        ("GET", "/report/status"),
        ("GET", "/report/trash"),
        ("POST", "/report/restore"),
        ("DELETE", "/report/products/unused"),
        ("POST", "/report/products/repair"),
        ("PUT", "/catalog/products"),
        ("GET", "/catalog/products"),
    ):
        async with shop.client.request(method, f"/images{path}") as response:
            assert response.status == 401


async def test_periodic_tasks_have_metrics(shop: Shop) -> None:
    """Labeled by name, with the time of the last execution."""
    await shop.resources.redis.delete(keys.TASK_COUNTS, keys.TASK_TIMES)
    await shop.resources.queue.record_periodic_run("sweep-trash", 3)

    async with shop.client.get("/metrics") as response:
        text = await response.text()

    assert 'imageconverter_recurring_things_total{task="sweep-trash"} 3.0' in text
    assert 'imageconverter_recurring_last_seconds{task="sweep-trash"} 1' in text


async def test_head_of_a_download_has_no_body(shop: Shop) -> None:
    """On a kept-alive connection a client would read it as the next response."""
    await shop.send({"1": ["a.jpg"]})
    await shop.report()

    async with shop.client.head("/images/report?as=csv", headers=ADMIN) as response:
        assert (response.status, await response.read()) == (200, b"")
    assert (await shop.ask("GET", "/report/status")).status == 200


async def test_an_interrupted_download_is_aborted(shop: Shop) -> None:
    """If rows cannot be read, the connection is aborted."""
    await shop.send({"1": ["a.jpg"]})
    await shop.put(f"{NORMAL}/old.jpg")
    await shop.report()
    gone = [s.key async for page in shop.resources.store.list("reports/") for s in page if "unused-" in s.key]
    await shop.resources.store.delete(gone)

    async def download() -> bytes:
        async with shop.client.get("/images/report?as=ndjson", headers=ADMIN) as response:
            return await response.read()

    with pytest.raises(ClientError):
        await download()


async def test_sources_that_look_alike_are_listed_if_requested(shop: Shop) -> None:
    """In pages, and as a file; not among the other rows."""
    await shop.send({"1": ["a.jpg"]})
    photograph = drawings.photo((300, 200))
    for name, image in (
        ("a.png", photograph),
        ("b.jpg", photograph.resize((150, 100))),
        ("c.png", drawings.corners()),
    ):
        data = image_files.jpeg(image=image) if name.endswith("jpg") else image_files.png(image=image)
        async with shop.client.put(
            f"/images/sources/products/{name}", data=io.BytesIO(data), headers=ADMIN
        ) as response:
            assert response.status == 200
    status, known = await shop.ask("POST", "/sources/facts", {"directory": "products"})
    assert (status, [each["state"] for each in known["items"]]) == (200, ["known"] * 3)
    report = await shop.report()
    assert "similarImages" not in report

    _, first = await shop.ask("GET", "/report?only=similar&limit=1")
    _, second = await shop.ask("GET", f"/report?only=similar&limit=1&cursor={first['cursor']}")
    assert "cursor" not in second
    rows = [*first["similarImages"], *second["similarImages"]]
    assert [(row["group"], row["path"]) for row in rows] == [(1, "products/a.png"), (1, "products/b.jpg")]
    assert (rows[0]["width"], rows[0]["height"], rows[0]["distance"]) == (300, 200, 0)
    assert first["similar"] == {"compared": 3, "groups": 1, "images": 2}
    assert (first["missingImages"], first["unusedImages"]) == ([], [])

    async with shop.client.get("/images/report?as=csv&only=similar", headers=ADMIN) as response:
        cells = list(csv.DictReader(io.StringIO(await response.text(), newline="")))
    assert [(row["kind"], row["group"], row["path"]) for row in cells] == [
        ("similar", "1", "products/a.png"), ("similar", "1", "products/b.jpg"),
    ]  # fmt: skip
