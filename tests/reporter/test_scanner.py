"""The scan: sources are read when it begins, types do not disturb each other, and half of it is nothing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from imageconverter.catalog import current, pending_imports
from imageconverter.errors import StoreUnavailable, Unavailable
from imageconverter.jobs import QueueName
from imageconverter.reports import commands, list_reports, ranges
from imageconverter.resources import Resources
from imageconverter.settings import ReportSettings, SettingsError
from imageconverter.storage.store import ObjectStore, StoredObject
from services.reporter.scanner import catalog_sources
from services.reporter.tasks import ReporterTasks
from tests.reporter.conftest import make_scanner
from tests.testing.feeds import serving

LINE = b'{"id": "1", "active": true, "images": ["a.jpg"]}\n'


async def put(resources: Resources, key: str, data: bytes = LINE) -> None:
    """Store an object."""
    await resources.store.put(key, data, content_type="application/octet-stream")


async def test_a_source_in_the_store_is_read_when_the_scan_begins(opened: Resources, tmp_path: Path) -> None:
    """Its new contents count in the next scan."""
    scanner = make_scanner(opened, tmp_path, products_source="s3:shop/products.ndjson")
    await put(opened, "shop/products.ndjson")
    await scanner.scan()
    await put(opened, "shop/products.ndjson", LINE + LINE.replace(b'"1"', b'"2"').replace(b"a.jpg", b"b.jpg"))
    await scanner.scan()

    newest, first = await list_reports(opened.store, "product")
    assert (first.summary.catalog.entries, newest.summary.catalog.entries) == (1, 2)
    assert (await scanner.progress.state()).failure == ""


async def test_a_feed_is_read_where_its_host_is_allowed(opened: Resources, tmp_path: Path) -> None:
    """Loopback is private: without the setting there is no report, and the status says why."""

    async def feed(_request: web.Request) -> web.Response:
        return web.Response(body=LINE)

    async with serving(feed) as address:
        await make_scanner(opened, tmp_path, products_source=f"{address}/feed").scan()
        assert await list_reports(opened.store, "product") == []
        scanner = make_scanner(opened, tmp_path, products_source=f"{address}/feed", private_hosts="127.0.0.1")
        assert "product: " in (await scanner.progress.state()).failure
        await scanner.scan()

    assert len(await list_reports(opened.store, "product")) == 1
    assert (await scanner.progress.state()).failure == ""


async def test_a_feed_that_hangs_ends_in_time_and_the_other_types_go_on(opened: Resources, tmp_path: Path) -> None:
    """Temporary errors are raised, so that the scan is retried; reports that are made are not made again."""

    async def hang(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(LINE)
        await asyncio.sleep(60)
        return response

    await put(opened, "shop/categories.ndjson")
    async with serving(hang) as address:
        settings = {
            "products_source": address,
            "private_hosts": "127.0.0.1",
            "source_seconds": 0.5,
            "categories_source": "s3:shop/categories.ndjson",
        }
        scanner = make_scanner(opened, tmp_path, **settings)
        for _ in range(2):
            with pytest.raises(Unavailable):
                await scanner.scan()

    assert await list_reports(opened.store, "product") == []
    assert len(await list_reports(opened.store, "category")) == 1
    await scanner.fail()
    assert (await scanner.progress.state()).failure.startswith("product: ")
    assert list(tmp_path.iterdir()) == []


async def test_a_source_with_a_broken_line_leaves_what_counted_before(opened: Resources, tmp_path: Path) -> None:
    """There is no new report: it would be about a catalog that the shop has replaced."""
    scanner = make_scanner(opened, tmp_path, products_source="s3:shop/products.ndjson")
    await put(opened, "shop/products.ndjson")
    await scanner.scan()
    await put(opened, "shop/products.ndjson", LINE + b"{}\n")
    await scanner.scan()

    assert len(await list_reports(opened.store, "product")) == 1
    assert "Line 2" in (await scanner.progress.state()).failure
    assert "Line 2" in (await scanner.progress.last_import("product")).failure


async def test_a_listing_that_fails_half_way_makes_no_report(opened: Resources, tmp_path: Path) -> None:
    """Whole or not at all; the next try makes it."""
    await put(opened, "shop/products.ndjson")
    await put(opened, "target/products/normal/a.jpg")
    scanner = make_scanner(opened, tmp_path, products_source="s3:shop/products.ndjson")
    whole = ObjectStore.list

    async def broken(store: ObjectStore, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        if after:
            raise StoreUnavailable("The object store has gone.")
        async for page in whole(store, prefix):
            yield page
            if prefix.startswith("target/"):
                raise StoreUnavailable("The object store has gone.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ObjectStore, "list", broken)
        patch.setattr(ranges, "_PAUSES", (0,))
        with pytest.raises(StoreUnavailable):
            await scanner.scan()
    assert await list_reports(opened.store, "product") == []
    assert [stored async for page in opened.store.list("reports/") for stored in page] == []

    await scanner.scan()
    (report,) = await list_reports(opened.store, "product")
    assert report.summary.files == 1


@pytest.mark.parametrize(
    ("source", "query"),
    [("ftp://shop/feed", ""), ("postgresql://shop/db", ""), ("s3:", ""), ("http://", "")],
)
def test_a_source_that_can_be_none_is_refused_at_the_start(source: str, query: str) -> None:
    """By the name of the setting, without the address: there may be a password in it."""
    with pytest.raises(SettingsError, match="IMAGECONVERTER_REPORT_CATEGORIES_SOURCE") as refused:
        catalog_sources(ReportSettings(categories_source=source, categories_query=query))

    assert "shop" not in str(refused.value)


async def test_a_received_catalog_is_taken_over_though_redis_has_lost_the_order(
    opened: Resources, tmp_path: Path
) -> None:
    """By the order that is made anew; once, however often it is asked for."""

    async def chunks() -> AsyncIterator[bytes]:
        yield LINE

    pending = await pending_imports.receive(opened.store, "product", chunks(), "ndjson")
    assert await commands.requeue_imports(opened.store, opened.queue) == 1
    assert await commands.requeue_imports(opened.store, opened.queue) == 1
    assert await opened.queue.depth(QueueName.SCAN) == 1

    scanner = make_scanner(opened, tmp_path)
    tasks = ReporterTasks(
        opened.store,
        opened.queue,
        opened.formats,
        ReportSettings(),
        scanner.workspace,
        scanner.progress,
        scanner,
        opened.outbox,
        opened.runs,
    ).tasks()
    command = commands.ImportCommand.of(pending).model_dump()
    await tasks[commands.IMPORT]({"job_id": pending.id, "job_try": 1}, command)
    version = await current(opened.store, "product")
    assert version is not None
    assert await commands.requeue_imports(opened.store, opened.queue) == 0

    await tasks[commands.IMPORT]({"job_id": pending.id, "job_try": 2}, command)
    assert await current(opened.store, "product") == version
