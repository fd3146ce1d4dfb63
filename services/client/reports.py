"""Catalogs of the images that a shop references, and reports of missing and unused images."""

from collections.abc import AsyncGenerator, Sequence
from typing import Literal, cast

from services.client.content import Content
from services.client.responses import (
    Catalog,
    Cleanup,
    CleanupAccepted,
    ImportAccepted,
    PastReport,
    PastReportList,
    Repair,
    ReportPage,
    Restore,
    Scan,
    Schedule,
    SimilarImage,
    Trash,
    TrashList,
)
from services.client.transport import Request, Transport, in_url


class Catalogs:
    """Operations on catalogs; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def get(self, type_id: str, *, import_id: str = "") -> Catalog:
        """Return the state of the current catalog, version "" if there is none, and of the import *import_id*."""
        query = {"import": import_id}
        return cast(
            "Catalog", await self._transport.json(Request("GET", f"/images/catalog/{in_url(type_id)}", query))
        )

    async def replace(
        self, type_id: str, content: Content, *, notation: Literal["csv", "ndjson"] = "ndjson"
    ) -> Catalog | ImportAccepted:
        """Replace the catalog of a type; returns its new state, or the id of the import while that continues.

        Not repeated: an invalid line would be rejected again.
        """
        path = f"/images/catalog/{in_url(type_id)}"
        request = Request("PUT", path, {"as": notation}, content=content, repeat="never")
        return cast("Catalog | ImportAccepted", await self._transport.json(request))


class Reports:
    """Operations on reports; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def start(self, *, shrunken: Sequence[str] = ()) -> None:
        """Start a scan that creates reports, or join the running one; accept the shrinkage of *shrunken* types."""
        await self._transport.json(Request("POST", "/images/report", json={"shrunken": list(shrunken)}))

    async def progress(self) -> Scan:
        """Return the progress of the scan."""
        return cast("Scan", await self._transport.json(Request("GET", "/images/report/status")))

    async def get(self, type_id: str, *, limit: int = 100) -> ReportPage:
        """Return the newest report with up to *limit* missing and *limit* unused images."""
        request = Request("GET", f"/images/report/{in_url(type_id)}", {"limit": str(limit)})
        return cast("ReportPage", await self._transport.json(request))

    async def similar(self, type_id: str) -> AsyncGenerator[SimilarImage, None]:
        """Yield the sources of the newest report that look alike, group by group."""
        query = {"only": "similar"}
        while True:
            request = Request("GET", f"/images/report/{in_url(type_id)}", query)
            page = cast("ReportPage", await self._transport.json(request))
            for row in page.get("similarImages", ()):
                yield row
            if "cursor" not in page:
                return
            query = {**query, "cursor": page["cursor"]}

    async def history(self, type_id: str, *, limit: int = 30) -> list[PastReport]:
        """Return the totals of up to *limit* last reports, the newest first."""
        request = Request("GET", f"/images/report/{in_url(type_id)}/history", {"limit": str(limit)})
        return cast("PastReportList", await self._transport.json(request))["items"]

    async def clean(
        self, type_id: str, *, dry_run: bool = True, share: float | None = None
    ) -> Cleanup | CleanupAccepted:
        """Move unused files to the trash, if it is a *dry_run* only count them. Moving is not repeated."""
        query = {"dryRun": "true" if dry_run else "false"} | ({} if share is None else {"share": str(share)})
        path = f"/images/report/{in_url(type_id)}/unused"
        request = Request("DELETE", path, query, repeat="always" if dry_run else "never")
        return cast("Cleanup | CleanupAccepted", await self._transport.json(request))

    async def schedule(self) -> Schedule:
        """Return the schedule of reports and its next times."""
        return cast("Schedule", await self._transport.json(Request("GET", "/images/report/schedule")))

    async def set_schedule(self, cron: str, *, time_zone: str = "") -> Schedule:
        """Make reports by a cron expression of five fields, "" for only on request."""
        body = {"cron": cron, "timeZone": time_zone}
        return cast("Schedule", await self._transport.json(Request("PUT", "/images/report/schedule", json=body)))

    async def trash(self) -> list[Trash]:
        """Return the trash batches that can be restored."""
        return cast("TrashList", await self._transport.json(Request("GET", "/images/report/trash")))["items"]

    async def restore(self, trash: str) -> Restore | None:
        """Restore a trash batch; returns None if that continues in the background."""
        request = Request("POST", "/images/report/restore", json={"trash": trash})
        return cast("Restore", await self._transport.json(request)) or None

    async def repair(self, type_id: str) -> Repair | None:
        """Convert missing images again; returns None if that continues in the background."""
        request = Request("POST", f"/images/report/{in_url(type_id)}/repair", json={})
        return cast("Repair", await self._transport.json(request)) or None
