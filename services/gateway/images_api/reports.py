"""Handlers of `images/report`: missing and unused images."""

import json
from collections.abc import AsyncIterator

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.image_formats import ImageType
from imageconverter.reports import Report, Table, commands, list_reports, read_page, read_rows, rows_of
from services.gateway import state
from services.gateway.http.compression import compressed
from services.gateway.http.responses import Items, json_response
from services.gateway.http.revalidation import revalidated
from services.gateway.http.streaming import stream
from services.gateway.images_api.image_types import TYPE_IDS, image_type, type_id
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.report_csv import csv_columns, csv_lines
from services.gateway.images_api.report_responses import PastReport, ReportPage, Row, ScanResponse
from services.gateway.images_api.request_bodies import ReportBody

ROWS_AT_ONCE = 2000
_MAX_ROWS = 10_000
_REPORTS_AT_ONCE = 30
_MAX_REPORTS = 1000
_TABLES: tuple[Table, ...] = ("missing", "unused")
"""Of a page, unless one table is requested."""
_ALONE: tuple[Table, ...] = ("similar",)
"""Only if requested."""
_MEDIA = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}


async def start(request: web.Request) -> web.Response:
    """Request reports of all types, or join the scan that is waiting or running."""
    body = await read_json(request, ReportBody)
    await commands.scan(request.app[state.QUEUE], accept_shrinkage=[TYPE_IDS[each] for each in body.shrunken])
    return web.json_response({})


@revalidated
async def status(request: web.Request) -> web.Response:
    """Return the progress of the running scan, or the outcome of the last one."""
    return json_response(ScanResponse.of(await request.app[state.SCANS].state()))


@compressed
@revalidated
async def show(request: web.Request) -> web.StreamResponse:
    """Return the newest report of a type: a page of it, or all of it as CSV or NDJSON."""
    kind = image_type(request, default="product")
    limit, tables = _limit(request, ROWS_AT_ONCE, _MAX_ROWS), _tables(request)
    file_format = _requested_format(request)
    reports = await list_reports(request.app[state.STORE], kind)
    if file_format:
        return await _download(request, kind, reports[0] if reports else None, tables, file_format)
    cursor = request.query.get("cursor")
    if cursor is not None:
        report, starts = _at(cursor, reports, tables)
    elif reports:
        report, starts = reports[0], dict.fromkeys(_together(tables), "")
    else:
        return json_response(ReportPage())
    rows: dict[Table, list[Row]] = {}
    ends: dict[Table, str] = {}
    for table in tables:
        total = report.total(table)
        page = await read_page(
            rows_of(request.app[state.STORE], kind, report), table, total=total, cursor=starts[table], limit=limit
        )
        rows[table], ends[table] = page.rows, page.cursor
    next_cursor = None
    if any(ends.values()):
        positions = (ends.get(table) or str(report.total(table)) for table in _together(tables))
        next_cursor = "-".join((str(report.id), *positions))
    missing, unused = rows.get("missing", []), rows.get("unused", [])
    return json_response(ReportPage.of(report, missing, unused, next_cursor, rows.get("similar")))


@compressed
@revalidated
async def history(request: web.Request) -> web.Response:
    """Return the totals of the last reports of a type, the newest first."""
    kind = image_type(request)
    limit = _limit(request, _REPORTS_AT_ONCE, _MAX_REPORTS)
    reports = await list_reports(request.app[state.STORE], kind)
    return json_response(Items(items=tuple(map(PastReport.of, reports[:limit]))))


async def _download(
    request: web.Request, kind: ImageType, report: Report | None, tables: tuple[Table, ...], file_format: str
) -> web.StreamResponse:
    name = f"report-{type_id(kind)}-{report.id if report else 0}.{file_format}"
    headers = {"Content-Type": _MEDIA[file_format], "Content-Disposition": f'attachment; filename="{name}"'}

    async def pieces() -> AsyncIterator[str]:
        head = ",".join(csv_columns(tables[0])) + "\r\n" if file_format == "csv" else ""
        async for table, rows in _all_rows(request, kind, report, tables):
            yield head + (csv_lines(table, rows) if file_format == "csv" else _json_lines(table, rows))
            head = ""
        yield head

    return await stream(request, pieces(), headers)


async def _all_rows(
    request: web.Request, kind: ImageType, report: Report | None, tables: tuple[Table, ...]
) -> AsyncIterator[tuple[Table, list[Row]]]:
    if report is not None:
        read = rows_of(request.app[state.STORE], kind, report)
        for table in tables:
            async for rows in read_rows(read, table, total=report.total(table)):
                yield table, rows


def _json_lines(table: Table, rows: list[Row]) -> str:
    return "".join(json.dumps({"kind": table, **row}) + "\n" for row in rows)


def _at(cursor: str, reports: list[Report], tables: tuple[Table, ...]) -> tuple[Report, dict[Table, str]]:
    number, *positions = cursor.split("-")
    report = next((each for each in reports if str(each.id) == number), None)
    if report is None or len(positions) != len(_together(tables)):
        raise InvalidValue("The cursor is not valid, or its report was deleted.", field="cursor")
    return report, dict(zip(_together(tables), positions, strict=True))


def _together(tables: tuple[Table, ...]) -> tuple[Table, ...]:
    """Return the tables that a cursor has positions in."""
    return _ALONE if tables == _ALONE else _TABLES


def _tables(request: web.Request) -> tuple[Table, ...]:
    requested = request.query.get("only")
    if requested is None:
        return _TABLES
    found = tuple(table for table in (*_TABLES, *_ALONE) if table == requested)
    if not found:
        raise InvalidValue("only must be missing, unused or similar.", field="only")
    return found


def _limit(request: web.Request, default: int, maximum: int) -> int:
    text = request.query.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(maximum)) and 0 < int(text) <= maximum):
        raise InvalidValue(f"limit must be a number from 1 to {maximum}.", field="limit")
    return int(text)


def _requested_format(request: web.Request) -> str:
    """Return "csv" or "ndjson" if a download is requested, else ""."""
    requested = request.query.get("as")
    if requested is not None:
        if requested not in (*_MEDIA, "json"):
            raise InvalidValue("as must be json, csv or ndjson.", field="as")
        return requested if requested in _MEDIA else ""
    accepted = request.headers.get("Accept", "")
    return next((name for name, media in _MEDIA.items() if media.partition(";")[0] in accepted), "")
