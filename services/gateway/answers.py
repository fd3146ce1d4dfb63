"""The JSON shapes of the images API's answers. The shape of an error is decided here and nowhere else."""

from http import HTTPStatus
from typing import Any

from aiohttp import web

from imageconverter.conversions import NamedOutcome
from imageconverter.errors import ImageConverterError

_RETRY_AFTER_SECONDS = "2"
_KILOBYTE = 1024


def error_answer(error: ImageConverterError) -> web.Response:
    """Answer with *error*'s status and, where the API's table has them, its type and field."""
    headers = {}
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = _RETRY_AFTER_SECONDS
    return error_shape(error.status, error.reason, code=error.code, field=error.field, headers=headers)


def error_shape(
    status: int, reason: str, *, code: str = "", field: str = "", headers: dict[str, str] | None = None
) -> web.Response:
    """Answer with an error; empty parts are left out."""
    body = {"error": HTTPStatus(status).phrase, "type": code, "reason": reason, "field": field}
    return web.json_response({k: v for k, v in body.items() if v}, status=status, headers=headers)


def result(source_path: str, named: NamedOutcome) -> dict[str, Any]:
    """Return one row of results: a source and one format, all ten keys always."""
    outcome = named.outcome
    return {
        "duration": int(outcome.seconds),
        "fileSize": file_size(outcome.size),
        "format": named.format.name,
        "formatId": named.format.node_id,
        "message": outcome.message,
        "output": outcome.path,
        "outputFilename": outcome.path.rsplit("/", 1)[-1],
        "source": source_path,
        "sourceFilename": source_path.rsplit("/", 1)[-1],
        "status": outcome.status,
    }


def file_size(size: int) -> str:
    """Return *size* in bytes as the API writes it: in whole KB, at least one unless there is nothing."""
    return f"{max(1, round(size / _KILOBYTE)) if size else 0} KB"
