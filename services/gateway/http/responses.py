"""The JSON shapes of the images API's answers. The shape of an error is decided here and nowhere else."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from aiohttp import web

from imageconverter.errors import ImageConverterError, TooManyAttempts
from imageconverter.images.conversions import FormatResult, OutputOutcome
from imageconverter.images.formats import ImageFormats
from imageconverter.runs import RunStatus, SourceResult

_RETRY_AFTER_SECONDS = "2"
_KILOBYTE = 1024


def error_response(error: ImageConverterError) -> web.Response:
    """Answer with *error*'s status and, where the API's table has them, its type and field."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.seconds)
    return error_json(error.status, error.reason, code=error.code, field=error.field, headers=headers)


def error_json(
    status: int, reason: str, *, code: str = "", field: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    """Answer with an error; empty parts are left out."""
    body = {"error": HTTPStatus(status).phrase, "type": code, "reason": reason, "field": field}
    return web.json_response({k: v for k, v in body.items() if v}, status=status, headers=headers)


def result(source_path: str, named: FormatResult) -> dict[str, Any]:
    """Return one row of results: a source and one format, all ten keys always."""
    return _row(source_path, named.format.name, named.format.node_id, named.outcome)


def run_result(result: SourceResult, catalog: ImageFormats) -> Iterator[dict[str, Any]]:
    """Return the rows of one source of a run; a format that is not configured any more is named by its id."""
    for node_id, outcome in result.outputs:
        found = catalog.get(node_id)
        yield _row(result.source, found.name if found else node_id, node_id, outcome)


def _row(source_path: str, name: str, node_id: str, outcome: OutputOutcome) -> dict[str, Any]:
    return {
        "duration": int(outcome.seconds),
        "fileSize": file_size(outcome.size),
        "format": name,
        "formatId": node_id,
        "message": outcome.message,
        "output": outcome.path,
        "outputFilename": outcome.path.rsplit("/", 1)[-1],
        "source": source_path,
        "sourceFilename": source_path.rsplit("/", 1)[-1],
        "status": outcome.status,
    }


def run_status(status: RunStatus | None) -> dict[str, Any]:
    """Return how a run stands, or that there was none yet."""
    if status is None:
        return NO_RUN
    ended = status.ended or status.now
    return {
        "canceled": not status.is_running,
        "counter": status.sources._asdict(),
        "formatCounter": status.outputs._asdict(),
        "progress": _progress(sum(status.sources), status.sources_total),
        "progressFormat": _progress(sum(status.outputs), status.outputs_total),
        "running": status.is_running,
        "status": status.state,
        "timer": {"duration": ended - status.started, "end": status.ended, "start": status.started},
        "usedFormats": list(status.run.formats),
    }


def _progress(finished: int, total: int) -> dict[str, int]:
    return {"finished": finished, "percentage": 100 * finished // total if total else 0, "total": total}


_NOTHING = {"error": 0, "skipped": 0, "success": 0, "warning": 0}

NO_RUN: dict[str, Any] = {
    "canceled": True,
    "counter": _NOTHING,
    "formatCounter": _NOTHING,
    "progress": _progress(0, 0),
    "progressFormat": _progress(0, 0),
    "running": False,
    "status": "ready",
    "timer": {"duration": 0, "end": 0, "start": 0},
    "usedFormats": [],
}


def file_size(size: int) -> str:
    """Return *size* in bytes as the API writes it: in whole KB, at least one unless there is nothing."""
    return f"{max(1, round(size / _KILOBYTE)) if size else 0} KB"
