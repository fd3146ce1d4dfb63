"""Listing in ranges: every object once, wherever the bounds are, or nothing at all."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.reports.ranges import list_ranges
from imageconverter.storage.store import ObjectStore, StoredObject

NAMES = [
    *(f"image-{number:04}.jpg" for number in range(40)),
    "Z.jpg", "a.jpg", "b.jpg", "b-1.jpg", "b-5.jpg", "b0.jpg", "z.jpg", "Ä.jpg", "ä.jpg", "\U0001f600.jpg",
    # Folders, which stores have in different places among files.
    "b/x.jpg", "b/y.jpg", "b b/q.jpg", "b-5.jpg-/q.jpg", "image/x.jpg", "image-0010/deep/x.jpg", "a.jpg0/x.jpg",
]  # fmt: skip

MODIFIED = datetime(2025, 4, 25, tzinfo=UTC)


@pytest.fixture
async def listed(store: ObjectStore) -> ObjectStore:
    """A store with all names, and with others beside them."""
    await asyncio.gather(
        *(store.put(f"ranges/d/{name}", b"1", content_type="image/jpeg") for name in NAMES),
        *(store.put(f"ranges/{name}", b"1", content_type="image/jpeg") for name in ("d-", "d.jpg", "c/x", "e/x")),
    )
    return store


async def names(store: ObjectStore, bounds: Sequence[str]) -> list[str]:
    """List in ranges; returns all names that came."""
    pages = list_ranges(store, "ranges/d/", [f"ranges/d/{bound}" for bound in bounds])
    return [each.key.removeprefix("ranges/d/") async for page in pages for each in page]


@pytest.mark.parametrize(
    "bounds",
    [
        [],
        ["image-0010.jpg"],
        ["image-0010.jpg", "image-0020.jpg", "image-0030.jpg"],
        ["b-1.jpg", "image-0011", "image-0011.jpg0", "ä.jpg"],  # some do not exist
        ["0", "00"],  # all before the first
        ["\U0010fffd", "\U0010fffe"],  # all behind the last
        ["Z.jpg", "\U0001f600.jpg"],  # the first and the last
        ["a.jpg", "a.jpg"],
        ["z.jpg", "b.jpg"],
        ["b"], ["b "], ["b b"], ["b-"], ["b-4"], ["b-5.jpg"], ["b-5.jpg-"], ["b-5.jpg-0"], ["b.jpg"], ["b0"],
        ["b-1.jpg", "b-5.jpg", "b.jpg"],
        ["a.jpg", "image", "image-0010", "image-0010.jpg"],
        ["o\u0308.jpg", "\u00f6.jpg"],
    ],
)  # fmt: skip
async def test_every_object_comes_once(listed: ObjectStore, bounds: list[str]) -> None:
    """Bounds may exist or not, be outside of all, the same or in no order, or be near a folder."""
    assert sorted(await names(listed, bounds)) == sorted(NAMES)


async def test_a_bound_may_be_at_the_border_of_a_page(store: ObjectStore) -> None:
    """The last of a page, the first of the next, and the one before."""
    expected = [f"{number:05}" for number in range(2100)]
    for start in range(0, len(expected), 100):
        wanted = expected[start : start + 100]
        await asyncio.gather(*(store.put(f"ranges/d/{name}", b"1", content_type="image/jpeg") for name in wanted))

    for bounds in (["00998", "00999", "01000", "01999"], ["01099"], ["02099"], ["02100"]):
        assert sorted(await names(store, bounds)) == expected


class Listings(ObjectStore):
    """Ten thousand objects, one a page; it counts how many listings wait at the same time."""

    def __init__(self, *, breaking: int = 10_000, hiccups: bool = False) -> None:
        self._breaking = breaking
        self._hiccups = hiccups
        self.list_pending = self.most = self.asked = 0

    async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
        """List what comes behind *after*; from *breaking* on, nothing of that range is to be had."""
        first = int(after.removeprefix("d/")) + 1 if after else 0
        for number in range(first, 10_000 if prefix == "d/" else 0):
            self.asked += 1
            self.list_pending += 1
            self.most = max(self.most, self.list_pending)
            await asyncio.sleep(0)
            self.list_pending -= 1
            if self._breaking <= number < self._breaking + 1250 or (self._hiccups and number == first + 7):
                raise StoreUnavailable("The object store did not answer in time.")
            yield [StoredObject(f"{prefix}{number:04}", 1, "", MODIFIED)]

    async def asks_no_more(self) -> bool:
        """Whether no listing goes on."""
        asked = self.asked
        for _ in range(100):
            await asyncio.sleep(0)
        return self.asked == asked


BOUNDS = ["d/2500", "d/5000", "d/7500"]


async def test_all_ranges_are_listed_at_the_same_time() -> None:
    """And each ends where the next begins."""
    store = Listings()
    found = [each.key async for page in list_ranges(store, "d/", BOUNDS) for each in page]

    assert sorted(found) == [f"d/{number:04}" for number in range(10_000)]
    assert (store.most, store.asked) == (4, 10_000)


async def test_a_listing_that_breaks_off_goes_on_where_it_was() -> None:
    """As often as it does: a large directory takes an hour, in which something always happens."""
    found = [each.key async for page in list_ranges(Listings(hiccups=True), "d/", BOUNDS) for each in page]

    assert sorted(found) == [f"d/{number:04}" for number in range(10_000)]


@pytest.mark.parametrize("breaking", [1250, 6250, 8750])
async def test_one_listing_that_fails_again_and_again_ends_all(breaking: int) -> None:
    """What came before is of no use; the others are canceled."""
    store = Listings(breaking=breaking)
    with pytest.raises(StoreUnavailable):
        async for _ in list_ranges(store, "d/", BOUNDS):
            pass

    assert store.asked < 5100
    assert await store.asks_no_more()


async def test_pages_wait_for_who_takes_them() -> None:
    """One page of each range is ahead, whatever the directory holds; who takes no more leaves nothing behind."""
    store = Listings()
    pages = list_ranges(store, "d/", BOUNDS)
    await anext(pages)
    await store.asks_no_more()
    assert store.asked <= 2 * len(["", *BOUNDS])

    del pages
    assert await store.asks_no_more()


async def test_who_is_canceled_is_not_kept_waiting() -> None:
    """A reporter that stops does not wait for a listing that hangs."""

    class Hanging(Listings):
        async def list(self, prefix: str, *, after: str = "") -> AsyncIterator[list[StoredObject]]:
            async for page in super().list(prefix, after=after):
                yield page
                await asyncio.Event().wait()

    pages = list_ranges(Hanging(), "d/", BOUNDS)
    async with asyncio.timeout(10):
        for _ in ["", *BOUNDS]:
            await anext(pages)
    taking = asyncio.ensure_future(anext(pages))
    await asyncio.wait([taking], timeout=0.05)
    taking.cancel()
    await asyncio.wait([taking], timeout=10)
    assert taking.cancelled()
