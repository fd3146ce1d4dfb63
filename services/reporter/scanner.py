"""The scan: one report after the other, of each type that has a catalog."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, get_args

import structlog

from imageconverter import audit
from imageconverter.catalog import current
from imageconverter.catalog.database import Workspace
from imageconverter.catalog.importing import import_catalog
from imageconverter.errors import Unavailable, UserError
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.images.image_formats import ImageType
from imageconverter.reports import Report, list_reports
from imageconverter.reports.progress import ScanProgress
from imageconverter.reports.report_builder import make_report
from imageconverter.settings import ReportSettings, SettingsError
from imageconverter.storage.store import ObjectStore
from imageconverter.webhooks import Outbox
from imageconverter.webhooks.payloads import ReadyReport
from services.reporter.sources import SourceLimits, check_address, open_source

if TYPE_CHECKING:
    from pydantic import SecretStr

_log = structlog.get_logger(__name__)

_NO_CATALOG = "There is no catalog: upload one, or configure a source."


@dataclass(frozen=True)
class CatalogSource:
    """The source of the catalog of a type, read before each report."""

    address: str = field(repr=False)  # may contain a password
    query: str


def catalog_sources(settings: ReportSettings) -> dict[ImageType, CatalogSource]:
    """Return the configured sources by type; raises SettingsError if one is invalid."""
    given: tuple[tuple[ImageType, str, SecretStr | None, str], ...] = (
        ("product", "PRODUCTS", settings.products_source, settings.products_query),
        ("category", "CATEGORIES", settings.categories_source, settings.categories_query),
        ("app", "APP_IMAGES", settings.app_images_source, settings.app_images_query),
    )
    sources = {}
    for kind, name, address, query in given:
        if address is None or not address.get_secret_value():
            continue
        try:
            check_address(address.get_secret_value(), query)
        except SettingsError as error:
            raise SettingsError(f"IMAGECONVERTER_REPORT_{name}_SOURCE: {error}") from None
        sources[kind] = CatalogSource(address.get_secret_value(), query)
    return sources


@dataclass(frozen=True)
class Scanner:
    """Makes reports."""

    store: ObjectStore
    formats: CurrentFormats
    settings: ReportSettings
    sources: dict[ImageType, CatalogSource]
    workspace: Workspace
    progress: ScanProgress
    outbox: Outbox

    async def scan(self, *, accept_shrinkage: Collection[ImageType] = ()) -> None:
        """Make a report of each type; one that fails does not prevent the others.

        The catalogs of the types *accept_shrinkage* may have lost more than half of their entries. A scan that was
        interrupted continues after the last report it made. Raises Unavailable if a retry may succeed.
        """
        made = await self.progress.start()
        unavailable: Unavailable | None = None
        failures = []
        found = False
        for kind in get_args(ImageType):
            try:
                if kind not in self.sources and await current(self.store, kind) is None:
                    continue
                found = True
                if kind not in made:
                    await self._make(kind, accept_shrinkage=kind in accept_shrinkage)
                    made.add(kind)
                    await self.progress.made(made)
            except UserError as error:
                _log.warning("report not made", type=kind, reason=error.reason)
                failures.append(f"{kind}: {error.reason}")
            except Unavailable as error:
                unavailable = error
                await self.progress.failed(f"{kind}: {error.reason}")
        if unavailable is not None:
            raise unavailable
        await self.progress.end(" ".join(failures) if found else _NO_CATALOG)

    async def fail(self) -> None:
        """Record that the scan has failed, for the last reason recorded."""
        state = await self.progress.state()
        await self.progress.end(state.failure or "The scan was interrupted too often.")

    async def _make(self, kind: ImageType, *, accept_shrinkage: bool) -> None:
        if (await self.progress.state()).kind == kind:  # interrupted, perhaps after a report was made
            for newest in (await list_reports(self.store, kind))[:1]:
                await self._announce(kind, newest)
        await self.progress.begin(kind)
        if kind in self.sources:
            await self._read_source(kind, self.sources[kind])
        report = await make_report(
            self.store,
            kind,
            self.formats.subshops,
            self.workspace,
            keep=self.settings.keep,
            grace=self.settings.grace,
            listed=self.progress.listed,
            accept_shrinkage=accept_shrinkage,
        )
        await self._announce(kind, report)
        summary = report.summary
        _log.info(
            "report made",
            type=kind,
            report=report.id,
            files=summary.files,
            missing=summary.missing,
            unused=summary.unused,
            refused=summary.unused_refused,
        )

    async def _announce(self, kind: ImageType, report: Report) -> None:
        await self.outbox.record("report.ready", f"{kind}/{report.folder}", ReadyReport.of(kind, report))

    async def _read_source(self, kind: ImageType, source: CatalogSource) -> None:
        limits = SourceLimits(max_bytes=self.settings.max_catalog_bytes, seconds=self.settings.source_seconds)
        hosts = self.settings.private_host_names
        try:
            async with open_source(
                source.address, store=self.store, query=source.query, private_hosts=hosts, limits=limits
            ) as opened:
                version = await import_catalog(
                    self.store, kind, opened.chunks, opened.notation, self.workspace, subshops=self.formats.subshops
                )
        except (UserError, Unavailable) as error:
            await self.progress.record_import(kind, "", error.reason)
            raise
        await self.progress.record_import(kind, "")
        audit.record("import catalog", actor="task scan", type=kind, entries=version.entries)
