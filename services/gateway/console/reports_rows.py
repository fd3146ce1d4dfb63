"""The missing, unused and similar images of a report, a page at a time, with what there is to see of each."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final, NamedTuple, get_args
from urllib.parse import quote

from aiohttp import web

from imageconverter import keys
from imageconverter.images.image_formats import ImageFormat, ImageType
from imageconverter.reports import Report, Table, read_page, rows_of
from imageconverter.storage.store import ObjectStore
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of

ROWS: Final = 50
_THUMBNAILS: Final = "/admin/api/v1/images/thumbnails"

Row = dict[str, Any]


class ShownRow(NamedTuple):
    """A row of a report."""

    row: Row
    format_name: str
    image: str
    """The URL of an image that shows what it is about, "" if there is none."""
    has_source: bool
    """Whether the source of a missing image is where it is usually stored."""


class RowPage(NamedTuple):
    """A page of rows."""

    report: Report
    table: Table
    rows: tuple[ShownRow, ...]
    start: int
    total: int

    @property
    def end(self) -> int:
        """The position after the last row."""
        return self.start + len(self.rows)

    @property
    def previous(self) -> int:
        """The start of the page before."""
        return max(0, self.start - ROWS)


async def row_page(request: web.Request, kind: ImageType, reports: Sequence[Report]) -> RowPage:
    """Return the page that the query of *request* names: `table`, `report` and `from`; by default the first one.

    Raises InvalidValue if the report was deleted.
    """
    query = request.query
    report = next((each for each in reports if str(each.id) == query.get("report")), reports[0])
    tables: tuple[Table, ...] = get_args(Table)
    default: Table = "missing" if report.summary.missing else "unused"
    table = next((each for each in tables if each == query.get("table")), default)
    total = report.total(table)
    text = query.get("from", "")
    start = min(int(text), total) if text.isascii() and text.isdigit() and len(text) <= len(str(total)) else 0
    read = rows_of(request.app[state.STORE], kind, report)
    page = await read_page(read, table, total=total, cursor=str(start), limit=ROWS)
    shown = await asyncio.gather(*(_shown(request, table, row) for row in page.rows))
    return RowPage(report, table, tuple(shown), start, total)


async def _shown(request: web.Request, table: Table, row: Row) -> ShownRow:
    if table == "similar":
        return _shown_similar(request, row)
    subshops = request.app[state.FORMATS].subshops
    found = subshops.at_path(row["path"]).formats.get(row["format"])
    name = found.name if found else row["format"]
    if table == "unused":
        return ShownRow(row, name, f"/content/{quote(row['path'])}", has_source=False)
    source = await _source(request.app[state.STORE], found, row) if found else ""
    grant = grant_of(request)
    if source and grant is not None and grant.may("images.read"):
        return ShownRow(row, name, f"{_THUMBNAILS}/{quote(source)}", has_source=True)
    near = f"{row['path'].rpartition('/')[0]}/{row['near']}"
    return ShownRow(row, name, f"/content/{quote(near)}" if row["near"] else "", has_source=bool(source))


def _shown_similar(request: web.Request, row: Row) -> ShownRow:
    grant = grant_of(request)
    may_see = grant is not None and grant.may("images.read")
    return ShownRow(row, "", f"{_THUMBNAILS}/{quote(row['path'])}" if may_see else "", has_source=True)


async def _source(store: ObjectStore, image_format: ImageFormat, row: Row) -> str:
    """Return the path of the source where it is usually stored; "" if it is not there. A repair looks everywhere."""
    directory = image_format.source_directory or image_format.target_directory.partition("/")[0]
    path = f"{directory}/{row['filename']}"
    return path if await store.head(keys.source(path)) is not None else ""
