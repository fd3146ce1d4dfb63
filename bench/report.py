"""The comparison of a report: beside a plain difference of Python sets, and how it grows to ten million."""

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
from imageconverter.images.formats import ImageFormats, load_formats
from imageconverter.reports.comparison import compare
from imageconverter.storage.store import StoredObject

MILLION = 1_000_000
SIZES = (1, 3, 10)  # millions of names in the catalog, and as many files
ROUNDS = 3
AMISS = 100  # one of so many files is missing, and as many are unused
WORKSPACE_MB = 256
PAGE = 1000

_MODIFIED = datetime(2025, 4, 25, tzinfo=UTC)
_FORMAT = "content.imageFormat.normalProduct"


class Cost(NamedTuple):
    """What something took in a process of its own."""

    feed: float
    """Seconds to read, check and keep the catalog, its making included."""
    listing: float
    """Seconds to make the pages of the listing, which a store would send."""
    taking: float
    """Seconds to take these pages in."""
    comparison: float
    """Seconds for the rest."""
    cpu: float
    """Seconds of all cores to take the pages in and for the rest."""
    peak: float
    """Memory, in MiB."""

    @property
    def total(self) -> float:
        """Seconds for all but the catalog and the making of pages."""
        return self.taking + self.comparison


def main() -> None:
    """Measure, print."""
    print(f"\n== report: names in a catalog beside as many files, {100 / AMISS:.0f} % of both without the other")
    pairs = [(measured("sets", 1), measured("report", 1)) for _ in range(ROUNDS)]
    seconds = statistics.median(ours.total / sets.total for sets, ours in pairs)
    memory = statistics.median(ours.peak / sets.peak for sets, ours in pairs)
    sets = pairs[0][0]
    print(
        f"1 million beside a difference of Python sets ({sets.total:.1f} s, {sets.peak:.0f} MiB): "
        f"ratio of time {seconds:.2f}, of peak memory {memory:.2f}"
    )
    for millions in SIZES:
        cost = pairs[0][1] if millions == 1 else measured("report", millions)
        print(
            f"{millions} million: comparison {cost.comparison:.1f} s, {cost.comparison / millions:.2f} s a million; "
            f"peak {cost.peak:.0f} MiB; before, taking the listing in {cost.taking:.1f} s "
            f"(CPU of both {cost.cpu:.1f} s) and the catalog, with its making, {cost.feed:.0f} s"
            + (" (targets: 60 s, 512 MiB)" if millions == SIZES[-1] else ""),
            flush=True,
        )


def measured(what: str, millions: int) -> Cost:
    """Measure in a fresh process, for peaks of memory never come down."""
    command = [sys.executable, "-m", "bench.report", what, str(millions)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Cost(*map(float, output.split()))


def peak() -> float:
    """Return the most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def name(number: int) -> str:
    """Return the name of a file; those that follow each other do not sort so."""
    return f"picture-{number * 7919 % 1_000_000_007:010}.jpg"


async def feed(count: int) -> AsyncIterator[bytes]:
    """Send a catalog of *count* entries as a client would."""
    for start in range(0, count, PAGE):
        yield "".join(
            f'{{"id":"product-{number:08}","active":true,"images":["{name(number)}"]}}\n'
            for number in range(start, start + PAGE)
        ).encode()


class SimulatedListing:
    """Makes the pages of a listing, and tells how long that took."""

    def __init__(self, count: int) -> None:
        """Make *count* files, of which the first in the catalog are missing."""
        self._count = count
        self.seconds = 0.0
        self.cpu = 0.0
        self.taking = 0.0

    async def __call__(self, directory: str, _parting: Sequence[str] = ()) -> AsyncIterator[list[StoredObject]]:
        """List the files of a directory."""
        first, asked = self._count // AMISS, time.perf_counter()
        for start in range(first, first + self._count, PAGE):
            began, used = time.perf_counter(), time.process_time()
            page = [
                StoredObject(f"target/{directory}/{name(number)}", 50_000, '"etag"', _MODIFIED)
                for number in range(start, start + PAGE)
            ]
            self.seconds += time.perf_counter() - began
            self.cpu += time.process_time() - used
            yield page
        self.taking = time.perf_counter() - asked - self.seconds


async def with_report(count: int) -> Cost:
    """Compare as the reporter does."""
    formats = ImageFormats([load_formats(None)[_FORMAT]])
    listing = SimulatedListing(count)
    with TemporaryDirectory() as made:
        folder = Path(made)
        workspace = Workspace(folder, memory_mb=WORKSPACE_MB)
        (folder / "catalogue").mkdir()
        began = time.perf_counter()
        version = await write_version(read_entries(feed(count), "ndjson"), folder / "catalogue", workspace)
        read, used = time.perf_counter(), time.process_time()
        summary = await compare(
            "product",
            formats,
            [folder / "catalogue" / part_name(number) for number in range(version.parts)],
            listing,
            previous=None,
            workspace=workspace,
            results=folder / "results",
        )
        ended, used = time.perf_counter(), time.process_time() - used - listing.cpu
    assert summary.missing == summary.unused == count // AMISS  # noqa: S101 - or it measured something else
    rest = ended - read - listing.seconds - listing.taking
    return Cost(read - began, listing.seconds, listing.taking, rest, used, peak())


async def with_sets(count: int) -> Cost:
    """Compare as one would without a thought: two sets in memory, of the names alone."""
    began = time.perf_counter()
    named = {name(number) for number in range(count)}
    read, used = time.perf_counter(), time.process_time()
    listing = SimulatedListing(count)
    prefix = len("target/d/")
    there = {stored.key[prefix:]: stored.size async for page in listing("d") for stored in page}
    missing = sorted(named - there.keys())
    unused = sorted(there.keys() - named)
    ended, used = time.perf_counter(), time.process_time() - used - listing.cpu
    assert len(missing) == len(unused) == count // AMISS  # noqa: S101 - or it measured something else
    rest = ended - read - listing.seconds - listing.taking
    return Cost(read - began, listing.seconds, listing.taking, rest, used, peak())


if __name__ == "__main__":
    way = with_sets if sys.argv[1] == "sets" else with_report
    print(*asyncio.run(way(int(sys.argv[2]) * MILLION)))
