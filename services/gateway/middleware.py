"""What happens around every handler: errors become answers, headers are set, the request is logged once."""

import time
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from imageconverter.errors import ImageConverterError
from services.gateway import state
from services.gateway.answers import error_answer, error_shape

_log = structlog.get_logger(__name__)

_UNMATCHED = "(none)"
_PROBES = ("/health/live", "/health/ready", "/metrics")


@web.middleware
async def errors_to_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every exception into an answer of the API's shape; what was not foreseen becomes a 500 and a log line."""
    try:
        return await handler(request)
    except ImageConverterError as error:
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("request failed", path=request.rel_url.raw_path, reason=error.reason)
        return error_answer(error)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        kept = {name: error.headers[name] for name in ("Allow", "Content-Range") if name in error.headers}
        return error_shape(error.status, f"{HTTPStatus(error.status).phrase}.", headers=kept)
    except Exception:  # noqa: BLE001 - the last line of defence: a client gets JSON, the log the traceback
        _log.exception("request failed by a fault of ours", path=request.rel_url.raw_path)
        return error_shape(500, "The server made a mistake; it has been noted.", code="internalError")


@web.middleware
async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Log and count the request when its answer is sent."""
    began = time.perf_counter()
    response = await handler(request)
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else _UNMATCHED
    seconds = time.perf_counter() - began
    request.app[state.METRICS].observe(request.method, route, response.status, seconds)
    # Probes and scrapes come every few seconds for ever; they are counted, but nobody wants to read them.
    log = _log.debug if route in _PROBES else _log.info
    log(
        "request",
        method=request.method,
        path=request.rel_url.raw_path,
        status=response.status,
        seconds=round(seconds, 3),
    )
    return response


async def set_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that every answer carries; nothing that is served is ever to run as a page."""
    response.headers["Server"] = "imageconverter"
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox")
    response.headers.setdefault("Cache-Control", "no-store")
