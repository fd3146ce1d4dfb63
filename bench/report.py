"""The comparison of a report: relative to a difference of Python sets, and its growth to ten million names."""

import asyncio
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from imageconverter.catalog import read_entries
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.version import part_name
from imageconverter.catalog.writing import write_version
from imageconverter.images.formats_file import load_formats
from imageconverter.images.image_formats import ImageFormats
from imageconverter.images.subshops import same_subshops
from imageconverter.reports.comparison import compare
from imageconverter.storage.store import StoredObject

MILLION = 1_000_000
SIZES = (1, 3, 10)  # millions of names in the catalog, and as many files
ROUNDS = 3
DIFFERENCE = 100  # one in this number of files is missing, and one is unused
WORKSPACE_MB = 256
PAGE = 1000

_MODIFIED = datetime(2025, 4, 25, tzinfo=UTC)
_FORMAT = "content.imageFormat.normalProduct"


class Cost(NamedTuple):
    """The cost of a comparison in a process of its own."""

    feed: float
    """Seconds to generate, read, check and store the catalog."""
    listing: float
    """Seconds to generate the pages of the listing, which a store would send."""
    reading: float
    """Seconds to read these pages."""
    comparison: float
    """Seconds for the rest."""
    cpu: float
    """CPU seconds to read the pages and for the rest."""
    peak: float
    """Peak memory, in MiB."""

    @property
    def total(self) -> float:
        """Seconds without the catalog and the generation of pages."""
        return self.reading + self.comparison


def main() -> None:
    """Measure and print."""
    print(f"\n== report: names in a catalog compared with as many files, {100 / DIFFERENCE:.0f} % of both unmatched")
    pairs = [(measure("sets", 1), measure("report", 1)) for _ in range(ROUNDS)]
    seconds = statistics.median(own.total / sets.total for sets, own in pairs)
    memory = statistics.median(own.peak / sets.peak for sets, own in pairs)
    sets = pairs[0][0]
    print(
        f"1 million compared with a difference of Python sets ({sets.total:.1f} s, {sets.peak:.0f} MiB): "
        f"ratio of time {seconds:.2f}, of peak memory {memory:.2f}"
    )
    for millions in SIZES:
        cost = pairs[0][1] if millions == 1 else measure("report", millions)
        print(
            f"{millions} million: comparison {cost.comparison:.1f} s, "
            f"{cost.comparison / millions:.2f} s per million; "
            f"peak {cost.peak:.0f} MiB; before that, reading the listing {cost.reading:.1f} s "
            f"(CPU of both {cost.cpu:.1f} s) and generating and storing the catalog {cost.feed:.0f} s"
            + (" (targets: 60 s, 512 MiB)" if millions == SIZES[-1] else ""),
            flush=True,
        )


def measure(method: str, millions: int) -> Cost:
    """Measure in a new process, because the peak of memory never decreases."""
    command = [sys.executable, "-m", "bench.report", method, str(millions)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Cost(*map(float, output.split()))


def peak() -> float:
    """Return the peak memory of this process, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def name(number: int) -> str:
    """Return the name of a file; the names do not sort by number."""
    return f"image-{number * 7919 % 1_000_000_007:010}.jpg"


async def feed(count: int) -> AsyncIterator[bytes]:
    """Yield a catalog of *count* entries like a client."""
    for start in range(0, count, PAGE):
        yield "".join(
            f'{{"id":"product-{number:08}","active":true,"images":["{name(number)}"]}}\n'
            for number in range(start, start + PAGE)
        ).encode()


class SimulatedListing:
    """Generates the pages of a listing and measures the time for that."""

    def __init__(self, count: int) -> None:
        """Simulate *count* files; the first ones of the catalog are missing."""
        self._count = count
        self.seconds = 0.0
        self.cpu = 0.0
        self.reading = 0.0

    async def __call__(self, directory: str, _bounds: Sequence[str] = ()) -> AsyncIterator[list[StoredObject]]:
        """List the files of a directory."""
        first, started = self._count // DIFFERENCE, time.perf_counter()
        for start in range(first, first + self._count, PAGE):
            began, used = time.perf_counter(), time.process_time()
            page = [
                StoredObject(f"target/{directory}/{name(number)}", 50_000, '"etag"', _MODIFIED)
                for number in range(start, start + PAGE)
            ]
            self.seconds += time.perf_counter() - began
            self.cpu += time.process_time() - used
            yield page
        self.reading = time.perf_counter() - started - self.seconds


async def with_report(count: int) -> Cost:
    """Compare like the reporter."""
    formats = ImageFormats([load_formats(None)[_FORMAT]])
    listing = SimulatedListing(count)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        workspace = Workspace(folder, memory_mb=WORKSPACE_MB)
        (folder / "catalog").mkdir()
        began = time.perf_counter()
        version = await write_version(read_entries(feed(count), "ndjson"), folder / "catalog", workspace)
        read, used = time.perf_counter(), time.process_time()
        summary = await compare(
            "product",
            same_subshops(formats, ["default"]),
            [folder / "catalog" / part_name(number) for number in range(version.parts)],
            listing,
            previous=None,
            workspace=workspace,
            results=folder / "results",
        )
        ended, used = time.perf_counter(), time.process_time() - used - listing.cpu
    assert summary.missing == summary.unused == count // DIFFERENCE  # noqa: S101 - else the result is meaningless
    rest = ended - read - listing.seconds - listing.reading
    return Cost(read - began, listing.seconds, listing.reading, rest, used, peak())


async def with_sets(count: int) -> Cost:
    """Compare two sets of names in memory."""
    began = time.perf_counter()
    expected = {name(number) for number in range(count)}
    read, used = time.perf_counter(), time.process_time()
    listing = SimulatedListing(count)
    prefix = len("target/d/")
    existing = {stored.key[prefix:]: stored.size async for page in listing("d") for stored in page}
    missing = sorted(expected - existing.keys())
    unused = sorted(existing.keys() - expected)
    ended, used = time.perf_counter(), time.process_time() - used - listing.cpu
    assert len(missing) == len(unused) == count // DIFFERENCE  # noqa: S101 - else the result is meaningless
    rest = ended - read - listing.seconds - listing.reading
    return Cost(read - began, listing.seconds, listing.reading, rest, used, peak())


if __name__ == "__main__":
    method = with_sets if sys.argv[1] == "sets" else with_report
    print(*asyncio.run(method(int(sys.argv[2]) * MILLION)))
