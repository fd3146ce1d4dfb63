"""Listing a directory of SeaweedFS: page after page, compared with eight concurrent ranges."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from bench.servers import running_servers, settings_of
from imageconverter.reports.comparison import RANGES
from imageconverter.reports.ranges import list_ranges
from imageconverter.resources import wait_for_bucket
from imageconverter.settings import StorageSettings
from imageconverter.storage.calls import Calls, Verb
from imageconverter.storage.store import ObjectStore, StoredObject

OBJECTS = 20_000
OBJECTS_LONG = 100_000
ROUNDS = 5
DELAYS = (0, 0.02)  # seconds; the second one like to another data center
PREFIX = "target/products/normal/"

_CONCURRENT_PUTS = 64


def main() -> None:
    """Measure and print."""
    asyncio.run(compare(OBJECTS))


def long() -> None:
    """Measure with the number of objects of docs/benchmarks.md."""
    asyncio.run(compare(OBJECTS_LONG))


async def compare(count: int) -> None:
    """List *count* objects with both methods in alternation, and print the medians."""
    print(f"\n== listing: {count:,} objects in SeaweedFS, {ROUNDS} rounds")
    async with running_servers(store=True) as environment:
        store = CountingStore(settings_of(environment).storage)
        await wait_for_bucket(store)
        began = time.perf_counter()
        await fill(store, count)
        print(f"uploading them took {time.perf_counter() - began:.0f} s, {_CONCURRENT_PUTS} concurrently", flush=True)
        bounds = [key(count * part // RANGES) for part in range(1, RANGES)]
        await seconds(store, [], count)  # warm up
        for store.calls.delay in DELAYS:
            store.calls.max_requests = 0
            rounds = [(await seconds(store, [], count), await seconds(store, bounds, count)) for _ in range(ROUNDS)]
            serial = statistics.median(one for one, _ in rounds)
            ranged = statistics.median(many for _, many in rounds)
            ratio = statistics.median(one / many for one, many in rounds)
            print(
                f"{store.calls.delay * 1000:.0f} ms added to each request: "
                f"one listing {count / serial:,.0f} objects/s, 1 request at a time; "
                f"{RANGES} ranges {count / ranged:,.0f} objects/s, "
                f"up to {store.calls.max_requests} concurrent requests; ratio {ratio:.2f}",
                flush=True,
            )


class CountingCalls(Calls):
    """Calls that are counted while they are in progress, with a delay added to each."""

    delay = 0.0
    max_requests = 0
    _requests = 0

    @asynccontextmanager
    async def deadline(self, verb: Verb, size: int = 0, *, changes: Iterable[str] = ()) -> AsyncIterator[None]:
        """Measure a call like any other one."""
        self._requests += 1
        self.max_requests = max(self.max_requests, self._requests)
        try:
            await asyncio.sleep(self.delay)
            async with super().deadline(verb, size, changes=changes):
                yield
        finally:
            self._requests -= 1


class CountingStore(ObjectStore):
    """A store that counts its concurrent requests."""

    def __init__(self, settings: StorageSettings) -> None:
        """Start with no requests and no delay."""
        super().__init__(settings)
        self._calls = self.calls = CountingCalls(
            settings.timeout_seconds, lambda *_: None, self._probe, self._probe_writing
        )


def key(number: int) -> str:
    """Return the key of an object; keys sort by number."""
    return f"{PREFIX}image-{number:08}.jpg"


async def fill(store: CountingStore, count: int) -> None:
    """Upload *count* small objects."""
    numbers = iter(range(count))

    async def put() -> None:
        for number in numbers:
            await store.put(key(number), b"a small image", content_type="image/jpeg")

    await asyncio.gather(*(put() for _ in range(_CONCURRENT_PUTS)))


async def seconds(store: CountingStore, bounds: list[str], count: int) -> float:
    """List all objects once; returns the duration in seconds."""
    listed: list[StoredObject] = []
    began = time.perf_counter()
    async for page in list_ranges(store, PREFIX, bounds):
        listed += page
    duration = time.perf_counter() - began
    assert len({each.key for each in listed}) == len(listed) == count  # noqa: S101 - else the result is meaningless
    return duration
