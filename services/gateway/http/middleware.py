"""The error middleware, which also logs, audits and counts requests, and the signal handler that sets headers."""

import asyncio
import time
from http import HTTPStatus

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler

from imageconverter import request_ids, tracing
from imageconverter.errors import ImageConverterError, TooManyAttempts, TooManyRequestsInTime, Unauthorized
from services.gateway import state
from services.gateway.console import assets
from services.gateway.http.cross_origin import set_cors_headers
from services.gateway.http.headers import set_security_headers
from services.gateway.http.redaction import without_tokens
from services.gateway.http.responses import error_json, error_response
from services.gateway.http.status_names import status_name
from services.gateway.imageconverter_api import errors
from services.gateway.routes import CHECK_BASE, IMAGECONVERTER_BASE

_log = structlog.get_logger(__name__)

_REQUEST_ID = web.RequestKey("request_id", str)
_UNMATCHED = "(none)"
_CLIENT_GONE = 499  # nginx's status: for log and metrics only, as no client receives it
# Requests that watch this installation are not in the history, which shows what it does for others.
_WATCHING = frozenset({"/health/live", "/health/ready", "/metrics", "/console/health"})
# Successful requests to these frequent routes are counted, but not logged.
_QUIET = frozenset(
    {
        *_WATCHING,
        assets.PATH + "/{digest}/{name}",
        IMAGECONVERTER_BASE,
        f"{IMAGECONVERTER_BASE}/getImage/{{imageKey}}/{{requestFormat}}",
        "/content/_/{signature}/{options}/{path}",
    }
)


@web.middleware
async def error_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn exceptions into error responses of the API that was called; count and log the request, with its ids."""
    request[_REQUEST_ID] = request_id = request_ids.request_id(request.headers.get("X-Request-ID"))
    if tracing.is_recorded():
        return await _traced(request, handler, request_id)
    begun = request_ids.begin(request_id, request_ids.trace_id(request.headers.get("traceparent")))
    try:
        return await _answer(request, handler)
    finally:
        request_ids.end(begun)


async def _traced(request: web.Request, handler: Handler, request_id: str) -> web.StreamResponse:
    """Return the response, and record a span that continues the trace of the client if it has one."""
    parent = request.headers.get("traceparent", "")
    attributes = {"http.request.method": request.method, "http.route": _route(request), "request.id": request_id}
    with tracing.span(
        f"{request.method} {_route(request)}",
        "server",
        parent=parent if request_ids.trace_id(parent) else "",
        **attributes,
    ):
        begun = request_ids.begin(request_id, request_ids.trace_id(tracing.current()))
        try:
            return await _answer(request, handler)
        finally:
            request_ids.end(begun)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the response.

    One function, with little overhead for quiet routes: a gateway serves thousands of previews a second.
    """
    began = time.perf_counter()
    refused = False
    try:
        limiter = request.app[state.RATE_LIMITER]
        if limiter is not None and not request.path.startswith("/health/"):
            limiter.check(request)
        response = await handler(request)
    except asyncio.CancelledError:  # the gateway stops; what was changed is changed
        request.app[state.AUDIT].record(request, _route(request), _CLIENT_GONE)
        raise
    except Exception as error:  # noqa: BLE001 - the client gets JSON, the log the traceback
        response = _error_response(request, error)
        refused = isinstance(error, (Unauthorized, TooManyAttempts)) and not isinstance(error, TooManyRequestsInTime)
    seconds = time.perf_counter() - began
    route, status = _route(request), response.status
    request.app[state.AUDIT].record(request, route, status, refused=refused)
    request.app[state.METRICS].http_request(request.method, route, status, seconds, request[_REQUEST_ID])
    if route not in _WATCHING:
        request.app[state.COUNTS].request(status)
    if route not in _QUIET or status >= HTTPStatus.BAD_REQUEST:
        _log.info(
            "request",
            method=request.method,
            path=_path(request),
            status=status,
            seconds=round(seconds, 3),
            **request.app[state.AUDIT].client(request),
        )
    return response


def _error_response(request: web.Request, error: Exception) -> web.Response:
    """Return the response for *error*; an unexpected one is logged and becomes a 500."""
    is_imageconverter_api = f"{request.path}/".startswith(f"{IMAGECONVERTER_BASE}/")
    strict = request.app[state.PREVIEW_SETTINGS].strict_errors
    if isinstance(error, ImageConverterError):
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.warning("request failed", path=_path(request), reason=error.reason)
        return errors.error_response(error, strict=strict) if is_imageconverter_api else error_response(error)
    if isinstance(error, ConnectionError) and (request.transport is None or request.transport.is_closing()):
        return web.Response(status=_CLIENT_GONE, reason="Client Closed Request")
    status, reason, code, headers = 500, "Internal error; it has been logged.", "internalError", {}
    if isinstance(error, web.HTTPMethodNotAllowed):
        error.headers["Allow"] = ", ".join(sorted({*error.allowed_methods, "OPTIONS"}))
        if request.method == "OPTIONS":
            return web.Response(status=204, headers={"Allow": error.headers["Allow"]})
    if isinstance(error, web.HTTPException):
        if error.status < HTTPStatus.BAD_REQUEST:
            raise error
        status, reason, code = error.status, f"{status_name(error.status)}.", ""
        headers = {name: error.headers[name] for name in ("Allow", "Content-Range") if name in error.headers}
    else:
        _log.error("internal error", path=_path(request), exc_info=error)
    if is_imageconverter_api:
        return errors.error_json(status * 10, reason, strict=strict, headers=headers)
    return error_json(status, reason, code=code, headers=headers)


def _route(request: web.Request) -> str:
    """Return the path of the route as the table has it."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else _UNMATCHED


def _path(request: web.Request) -> str:
    """Return the path for the log, without the token that the path of one route contains.

    Nor anything else with the form of a token: clients also send it to paths that are almost that of the route.
    """
    if CHECK_BASE.lower() in request.path.lower():
        return f"{CHECK_BASE}…"
    return without_tokens(request.rel_url.raw_path)


async def set_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers of every response."""
    set_security_headers(response.headers)
    set_cors_headers(request, response, request.app[state.GATEWAY].allowed_origins)
    if _REQUEST_ID in request:  # unless aiohttp itself has rejected it
        response.headers["X-Request-ID"] = request[_REQUEST_ID]
    if request_ids.trace_id(trace_parent := request.headers.get("traceparent")):
        response.headers["traceparent"] = str(trace_parent)
