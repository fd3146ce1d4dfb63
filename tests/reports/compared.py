"""Reports of small shops: entries of a catalog are compared with files."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from imageconverter.catalog import Entry
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.writing import write_version
from imageconverter.images.image_formats import ImageFormat, ImageFormats, ImageType
from imageconverter.images.subshops import Subshops, same_subshops
from imageconverter.reports import CatalogSize, Summary, Table
from imageconverter.reports.comparison import compare
from imageconverter.reports.listing import Listing
from imageconverter.reports.results import part_names
from imageconverter.storage.store import StoredObject
from tests.catalog.test_writing import batches
from tests.testing.shop import make_format

MODIFIED = datetime(2025, 4, 25, 15, 55, 39, 123_000, tzinfo=UTC)
KEEP = make_format("keep")


def entry(number: int, *images: str, active: bool = True) -> Entry:
    """Make an entry whose id contains its number."""
    return Entry(number, f"p{number}", active=active, images=images)


class Report(NamedTuple):
    """A whole report."""

    summary: Summary
    missing: list[dict[str, Any]]
    unused: list[dict[str, Any]]

    @property
    def missing_paths(self) -> list[str]:
        """Where files are missing."""
        return [row["path"] for row in self.missing]

    @property
    def unused_paths(self) -> list[str]:
        """Where files are unused."""
        return [row["path"] for row in self.unused]


async def report(
    entries: Sequence[Entry],
    files: Sequence[str],
    *,
    formats: Sequence[ImageFormat] = (KEEP,),
    subshops: Subshops | None = None,
    kind: ImageType = "product",
    previous: CatalogSize | None = None,
) -> Report:
    """Compare *entries* with *files*, which are paths in the target tree, each as many bytes as its path is long."""
    with TemporaryDirectory() as made:
        folder = Path(made)
        workspace = Workspace(folder, memory_mb=64, threads=1)
        (folder / "catalogue").mkdir()
        version = await write_version(batches(entries), folder / "catalogue", workspace)
        assert version.parts == 1
        results = folder / "results"
        summary = await compare(
            kind,
            subshops or same_subshops(ImageFormats(formats), ["default"]),
            [folder / "catalogue" / "entries-00000.parquet"],
            listing_of(files),
            previous=previous,
            workspace=workspace,
            results=results,
        )
        assert {path.name for path in folder.iterdir()} == {"catalogue", "results"}
        return Report(summary, rows(results, "missing", summary.missing), rows(results, "unused", summary.unused))


def listing_of(files: Sequence[str]) -> Listing:
    """List as the store does, three files a page."""

    async def listing(directory: str, _parting: Sequence[str]) -> AsyncIterator[list[StoredObject]]:
        found = sorted({f"target/{path}" for path in files if path.startswith(f"{directory}/")})
        for start in range(0, len(found), 3):
            yield [StoredObject(key, len(key) - 7, '"etag"', MODIFIED) for key in found[start : start + 3]]

    return listing


def rows(folder: Path, table: Table, total: int) -> list[dict[str, Any]]:
    """Read all rows of a table."""
    lines = [line for name in part_names(table, total) for line in (folder / name).read_bytes().splitlines()]
    assert len(lines) == total
    return [json.loads(line) for line in lines]
