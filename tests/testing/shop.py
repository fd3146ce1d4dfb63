"""A small shop for tests: its catalog, its files, and reports of earlier days."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from imageconverter import keys
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.importing import import_catalog
from imageconverter.images.image_formats import ImageFormat, ImageFormats, ImageType
from imageconverter.images.subshops import Subshops, same_subshops
from imageconverter.reports import Report, Table, read_rows
from imageconverter.reports.cleanup import CleanupReport, run_cleanup
from imageconverter.reports.commands import CleanupCommand, new_id
from imageconverter.reports.index import rows_of
from imageconverter.reports.report_builder import make_report
from imageconverter.storage.store import ObjectStore

GRACE = timedelta(days=7)


def make_format(name: str, output: str = "keep", kind: ImageType = "product", **values: str) -> ImageFormat:
    """Make a format whose directory has its name by default."""
    given = {"max_width": 9, "max_height": 9, "output": output, "target_directory": name, **values}
    return ImageFormat.model_validate({"id": name, "name": name, "type": kind, **given})


FORMATS = ImageFormats([make_format("keep"), make_format("jpeg", "jpeg"), make_format("c", kind="category")])


@dataclass
class Shop:
    """A shop whose images are in *store*; *folder* is the workspace of reports."""

    store: ObjectStore
    folder: Path
    formats: ImageFormats = field(default_factory=lambda: FORMATS)

    @property
    def subshops(self) -> Subshops:
        """One, which has the formats."""
        return same_subshops(self.formats, ["default"])

    @property
    def workspace(self) -> Workspace:
        """The limits of reports."""
        return Workspace(self.folder, memory_mb=64, threads=1)

    async def sells(self, *names: str, kind: ImageType = "product") -> None:
        """Import a catalog with an active entry for each of *names*."""
        lines = [json.dumps({"id": f"of {name}", "active": True, "images": [name]}) for name in names]
        await import_catalog(self.store, kind, text("\n".join(lines)), "ndjson", self.workspace)

    async def has(self, *paths: str, data: bytes = b"content") -> None:
        """Put files into the target tree."""
        for path in paths:
            await self.store.put(keys.target(path), data, content_type="image/jpeg", metadata={"made-of": "0f"})

    async def report(self, kind: ImageType = "product", *, keep: int = 14, **options: Any) -> Report:
        """Create a report."""
        options = {"listed": ignore_progress, **options}
        return await make_report(self.store, kind, self.subshops, self.workspace, keep=keep, grace=GRACE, **options)

    async def days_pass(self, days: float, kind: ImageType = "product") -> None:
        """Make all reports older by *days*."""
        key = keys.report_index(kind)
        loaded = await self.store.get(key)
        assert loaded is not None
        index = json.loads(bytes(loaded.data))
        for report in index["reports"]:
            report["at"] = (datetime.fromisoformat(report["at"]) - timedelta(days=days)).isoformat()
        await self.store.put(key, json.dumps(index).encode(), content_type="application/json")

    async def clean(
        self,
        kind: ImageType = "product",
        *,
        dry: bool = False,
        share: float = 0,
        command_id: str = "",
        limit: float = 1,
    ) -> CleanupReport:
        """Clean up; *share* is that of the request, *limit* the default one."""
        asked = CleanupCommand(id=command_id or new_id(), kind=kind, dry=dry, share=share)
        return await run_cleanup(self.store, kind, asked, self.subshops, grace=GRACE, share=limit)

    async def rows(self, report: Report, table: Table) -> list[dict[str, Any]]:
        """Read all rows of a report."""
        pages = read_rows(rows_of(self.store, "product", report), table, total=report.total(table))
        return [row async for page in pages for row in page]

    async def unused(self, report: Report) -> list[str]:
        """Return the paths of the unused files of a report."""
        return [row["path"] for row in await self.rows(report, "unused")]

    async def missing(self, report: Report) -> list[str]:
        """Return the paths of the missing images of a report."""
        return [row["path"] for row in await self.rows(report, "missing")]

    async def files(self, prefix: str = keys.TARGET) -> list[str]:
        """Return the keys below *prefix*, relative to it."""
        return [each.key.removeprefix(prefix) async for page in self.store.list(prefix) for each in page]


async def text(content: str) -> AsyncIterator[bytes]:
    """Yield a text as a request body."""
    yield content.encode()


async def ignore_progress(_files: int) -> None:
    """Ignore the progress of the scan."""
