"""Scans of a real store: whole reports, or none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit

import pytest

from imageconverter import keys
from imageconverter.errors import DatabaseFailed, NoCatalog, QueueUnavailable, StoreUnavailable
from imageconverter.reports import comparison, list_reports
from imageconverter.storage.store import ObjectStore, StoredObject
from tests.conftest import storage_settings
from tests.testing.faults import Mode, fault_proxy
from tests.testing.shop import Shop


async def test_a_report_lists_missing_and_unused_files(shop: Shop) -> None:
    """Of the catalog that counts and of what lies in the store now; markers and empty files are none."""
    await shop.sells("a.jpg", "b.jpg")
    await shop.has("keep/a.jpg", "jpeg/b.jpg", "keep/x.jpg", "keep/.directory", "elsewhere/y.jpg")
    await shop.has("keep/b.jpg", data=b"")
    report = await shop.report()

    assert await shop.missing(report) == ["jpeg/a.jpg", "keep/b.jpg"]
    assert await shop.unused(report) == ["keep/x.jpg"]
    assert (report.id, report.summary.files, report.summary.missing) == (1, 3, 2)
    assert await list_reports(shop.store, "product") == [report]
    assert list(shop.folder.iterdir()) == []


async def test_without_a_catalog_there_is_no_report(shop: Shop) -> None:
    """Everything would be unused."""
    await shop.has("keep/x.jpg")
    with pytest.raises(NoCatalog):
        await shop.report()
    assert await list_reports(shop.store, "product") == []


async def test_a_large_directory_is_listed_in_ranges(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between names that the catalog has; the report is the same."""
    monkeypatch.setattr(comparison, "_MIN_STEP", 1)
    names = [f"{number:03}.jpg" for number in range(60)]
    await shop.sells(*names)
    await asyncio.gather(*(shop.has(f"keep/{name}") for name in [*names[5:], "x.jpg", "0.jpg"]))
    listings: list[tuple[str, str]] = []

    class Watched(ObjectStore):
        def __init__(self) -> None:
            self.__dict__.update(shop.store.__dict__)

        def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
            listings.append((prefix, after))
            return super().list(prefix, after=after)

    report = await Shop(Watched(), shop.folder).report()

    assert [row["path"] for row in await shop.rows(report, "missing") if row["path"].startswith("keep/")] == [
        f"keep/{name}" for name in names[:5]
    ]
    assert await shop.unused(report) == ["keep/0.jpg", "keep/x.jpg"]
    assert report.summary.files == 57
    begins = sorted(after for prefix, after in listings if prefix == keys.target("keep/"))
    assert len(begins) == comparison.RANGES
    assert begins == ["", *(keys.target(f"keep/{number:03}.jpg") for number in range(7, 50, 7))]


class Failing(ObjectStore):
    """A store whose verb fails for keys that begin like one."""

    def __init__(self, real: ObjectStore, *, listing: str = "-", reading: str = "-", writing: str = "-") -> None:
        self.__dict__.update(real.__dict__)
        self._failing = {"list": listing, "open": reading, "put": writing}

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """Give one page, and break off; then no more."""
        if after:
            self._fail("list", prefix)
        async for page in super().list(prefix, after=after):
            yield page
            self._fail("list", prefix)

    async def open(self, key, *, span=None):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as it is
        """Open or fail."""
        self._fail("open", key)
        return await super().open(key, span=span)

    async def put(self, key, data, **options):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201 - as it is
        """Put or fail."""
        self._fail("put", key)
        return await super().put(key, data, **options)

    async def replace(self, key, data, **options):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN003, ANN201
        """Replace or fail."""
        self._fail("put", key)
        return await super().replace(key, data, **options)

    def _fail(self, verb: str, key: str) -> None:
        if key.startswith(self._failing[verb]):
            raise StoreUnavailable("The object store did not answer in time.")


@pytest.mark.parametrize(
    "failing",
    [
        {"listing": "target/keep/"},
        {"listing": "target/jpeg/"},
        {"reading": "catalog/"},
        {"writing": "reports/product/0"},
        {"writing": "reports/product/shelf"},
    ],
)
async def test_a_scan_that_fails_never_becomes_a_report(shop: Shop, failing: dict[str, str]) -> None:
    """Whatever it failed at; the reports before stay, the work folder is empty, and the next scan is as good."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg", "jpeg/a.jpg")
    before = await shop.report()
    with pytest.raises(StoreUnavailable):
        await Shop(Failing(shop.store, **failing), shop.folder).report()

    assert await list_reports(shop.store, "product") == [before]
    assert list(shop.folder.iterdir()) == []
    assert await shop.unused(await shop.report()) == ["keep/x.jpg"]


async def test_a_store_that_goes_away_half_way_through_ends_the_scan(shop: Shop, servers: dict[str, str]) -> None:
    """On the network, with most of the listing taken already."""
    await shop.sells("a.jpg")
    await asyncio.gather(*(shop.has(f"keep/{number}.jpg") for number in range(1200)))
    port = urlsplit(servers["IMAGECONVERTER_S3_ENDPOINT"]).port
    assert port is not None
    async with fault_proxy(port) as proxy:

        async def cut(files: int) -> None:
            assert files
            proxy.fail(Mode.REFUSE)

        address = f"http://127.0.0.1:{proxy.port}"
        settings = storage_settings(servers, bucket="reports", endpoint=address, timeout_seconds=1)
        with pytest.raises(StoreUnavailable):
            await Shop(ObjectStore(settings), shop.folder).report(listed=cut)

    assert await list_reports(shop.store, "product") == []
    assert list(shop.folder.iterdir()) == []


async def test_too_little_room_ends_the_scan(shop: Shop) -> None:
    """As a temporary error, without leftovers."""
    await shop.sells(*(f"{number:0200}.jpg" for number in range(5000)))
    with pytest.raises(DatabaseFailed):
        await Tight(shop.store, shop.folder).report()

    assert await list_reports(shop.store, "product") == []
    assert list(shop.folder.iterdir()) == []


class Tight(Shop):
    """A shop with next to no memory."""

    @property
    def workspace(self):  # type: ignore[no-untyped-def] # noqa: ANN201 - as it is
        """What reports may take."""
        return type(super().workspace)(self.folder, memory_mb=1, disk_mb=0, threads=1)


async def test_a_scan_that_is_canceled_leaves_nothing(shop: Shop) -> None:
    """The reporter stops while files are listed."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    reached = asyncio.Event()

    async def wait(_files: int) -> None:
        reached.set()
        await asyncio.Event().wait()

    scanning = asyncio.ensure_future(shop.report(listed=wait))
    await asyncio.wait_for(reached.wait(), 20)
    scanning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await scanning

    assert await list_reports(shop.store, "product") == []
    assert list(shop.folder.iterdir()) == []


async def test_an_error_while_recording_the_progress_ends_the_scan(shop: Shop) -> None:
    """A reporter that has lost Redis has lost its job, which another one may have taken."""

    async def away(_files: int) -> None:
        raise QueueUnavailable("The job queue does not answer.")

    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    with pytest.raises(QueueUnavailable):
        await shop.report(listed=away)
    assert await list_reports(shop.store, "product") == []


async def test_progress_counts_all_files_of_all_directories(shop: Shop) -> None:
    """It never goes back."""
    counts: list[int] = []

    async def listed(files: int) -> None:
        counts.append(files)

    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg", "keep/y.jpg", "jpeg/x.jpg", "keep/.directory")
    await shop.report(listed=listed)

    assert counts[-1] == 3
    assert counts == sorted(counts)


def during_the_scan(change: Callable[[], Awaitable[object]]) -> Callable[[int], Awaitable[None]]:
    """Do something once the first files were listed."""
    done: list[bool] = []

    async def listed(_files: int) -> None:
        if not done:
            done.append(True)
            await change()

    return listed


async def test_files_that_change_during_a_scan_are_reported_as_listed(shop: Shop) -> None:
    """The first directory was listed before, the second is after; each file is in one state, and none is lost."""
    await shop.sells("a.jpg", "b.jpg")
    await shop.has("keep/a.jpg", "keep/x.jpg", "jpeg/b.jpg", "jpeg/y.jpg")

    async def change() -> None:
        await shop.store.delete([keys.target("keep/x.jpg"), keys.target("jpeg/y.jpg"), keys.target("jpeg/b.jpg")])
        await shop.has("keep/b.jpg", "jpeg/a.jpg", "jpeg/z.jpg")
        await shop.has("keep/a.jpg", data=b"another image")

    report = await shop.report(listed=during_the_scan(change))
    assert await shop.missing(report) == ["jpeg/b.jpg", "keep/b.jpg"]
    assert await shop.unused(report) == ["jpeg/z.jpg", "keep/x.jpg"]

    after = await shop.report()
    assert await shop.missing(after) == ["jpeg/b.jpg"]
    assert await shop.unused(after) == ["jpeg/z.jpg"]


async def test_a_catalog_that_comes_during_a_scan_waits_for_the_next(shop: Shop) -> None:
    """A report is on one catalog, which it names."""
    await shop.sells("a.jpg")
    await shop.has("keep/x.jpg")
    report = await shop.report(listed=during_the_scan(lambda: shop.sells("x.jpg")))

    assert await shop.unused(report) == ["keep/x.jpg"]
    after = await shop.report()
    assert after.catalog != report.catalog
    assert await shop.unused(after) == []


async def test_a_shrunken_catalog_is_measured_by_the_last_that_was_believed(shop: Shop) -> None:
    """Also by the second report on it, and when the reports that are kept are all refused ones."""
    await shop.sells("a.jpg", "b.jpg", "c.jpg")
    await shop.has("keep/x.jpg")
    await shop.report(keep=2)
    await shop.sells("a.jpg")
    for _ in range(4):
        await shop.days_pass(8)
        report = await shop.report(keep=2)
        assert "less than half of the previous 3" in report.summary.unused_refused
        assert await shop.unused(report) == []

    await shop.sells("a.jpg", "b.jpg")
    assert await shop.unused(await shop.report(keep=2)) == ["keep/x.jpg"]


async def test_a_shrunken_catalog_is_believed_by_an_explicit_word(shop: Shop) -> None:
    """A shop may really have become so small; an empty one is never believed."""
    await shop.sells("a.jpg", "b.jpg", "c.jpg")
    await shop.has("keep/x.jpg")
    await shop.report()
    await shop.sells("a.jpg")

    assert await shop.unused(await shop.report(accept_shrinkage=True)) == ["keep/x.jpg"]
    assert await shop.unused(await shop.report()) == ["keep/x.jpg"]
    await shop.sells()
    assert "No active entry" in (await shop.report(accept_shrinkage=True)).summary.unused_refused
