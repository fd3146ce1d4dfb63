"""Listing a directory of a real SeaweedFS: one listing after its last page, and eight ranges at the same time."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bench.servers import running_servers, settings_of
from imageconverter.reports.comparison import RANGES
from imageconverter.reports.ranges import list_ranges
from imageconverter.resources import wait_for_bucket
from imageconverter.settings import StorageSettings
from imageconverter.storage.store import ObjectStore, StoredObject

OBJECTS = 20_000
OBJECTS_LONG = 100_000
ROUNDS = 5
DELAYS = (0, 0.02)  # seconds; the second as from another data center
PREFIX = "target/products/normal/"

_PUTS_AT_ONCE = 64


def main() -> None:
    """Measure, print."""
    asyncio.run(compare(OBJECTS))


def long() -> None:
    """Measure with as many objects as the figures of the documents."""
    asyncio.run(compare(OBJECTS_LONG))


async def compare(count: int) -> None:
    """List *count* objects in both ways by turns, and print the medians."""
    print(f"\n== listing: {count:,} objects in a SeaweedFS, {ROUNDS} rounds")
    async with running_servers(store=True) as environment:
        store = CountingStore(settings_of(environment).storage)
        await wait_for_bucket(store)
        began = time.perf_counter()
        await fill(store, count)
        print(f"putting them took {time.perf_counter() - began:.0f} s, {_PUTS_AT_ONCE} at a time", flush=True)
        bounds = [key(count * part // RANGES) for part in range(1, RANGES)]
        await seconds(store, [], count)  # warm up
        for store.delay in DELAYS:
            store.most = 0
            rounds = [(await seconds(store, [], count), await seconds(store, bounds, count)) for _ in range(ROUNDS)]
            serial = statistics.median(one for one, _ in rounds)
            ranged = statistics.median(many for _, many in rounds)
            print(
                f"{store.delay * 1000:.0f} ms added to each request: one listing {count / serial:,.0f} objects/s, "
                f"1 request in flight; {RANGES} ranges {count / ranged:,.0f} objects/s, up to {store.most} requests "
                f"in flight; ratio {statistics.median(one / many for one, many in rounds):.2f}",
                flush=True,
            )


class CountingStore(ObjectStore):
    """A store that counts how many pages are asked for at the same time, and may seem far away."""

    def __init__(self, settings: StorageSettings) -> None:
        """Count from nothing."""
        super().__init__(settings)
        self.delay = 0.0
        self.most = 0
        self._asked = 0

    @asynccontextmanager
    async def _deadline(self, size: int = 0) -> AsyncIterator[None]:
        self._asked += 1
        self.most = max(self.most, self._asked)
        try:
            await asyncio.sleep(self.delay)
            async with super()._deadline(size):
                yield
        finally:
            self._asked -= 1


def key(number: int) -> str:
    """Return the key of an object; they sort by their numbers."""
    return f"{PREFIX}picture-{number:08}.jpg"


async def fill(store: CountingStore, count: int) -> None:
    """Put *count* small objects."""
    numbers = iter(range(count))

    async def put() -> None:
        for number in numbers:
            await store.put(key(number), b"a small image", content_type="image/jpeg")

    await asyncio.gather(*(put() for _ in range(_PUTS_AT_ONCE)))


async def seconds(store: CountingStore, bounds: list[str], count: int) -> float:
    """List everything once; returns how long it took."""
    listed: list[StoredObject] = []
    began = time.perf_counter()
    async for page in list_ranges(store, PREFIX, bounds):
        listed += page
    took = time.perf_counter() - began
    assert len({each.key for each in listed}) == len(listed) == count  # noqa: S101 - or it measured something else
    return took
