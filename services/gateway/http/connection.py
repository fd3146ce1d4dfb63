"""Client connections: their timeouts, and the responses to requests that cannot be parsed."""

import asyncio
from http import HTTPStatus
from typing import NamedTuple, cast

import structlog
from aiohttp import web

from services.gateway.http.headers import set_security_headers
from services.gateway.http.responses import error_json
from services.gateway.http.status_names import status_name

_log = structlog.get_logger(__name__)


_READ_BYTES = 256 * 1024  # that a body may be ahead of its handler; a handler reads as much at once


class Deadlines(NamedTuple):
    """Timeouts after which a connection is closed, in seconds."""

    head: float = 20
    """Until the head of the first request is complete."""
    idle: float = 75
    """Between requests. Longer than the usual timeout of proxies, so that none reuses a connection being closed."""
    write_stall: float = 60
    """While the client reads nothing of a response."""
    unread: float = 10
    """For reading the rest of a rejected body: many clients read the response only after sending it all."""


class Connection(web.RequestHandler):
    """An aiohttp connection with timeouts, and with errors as JSON."""

    __slots__ = ("_deadlines", "_head_timer", "_socket", "_unsent", "_write_timer")

    def __init__(self, server: web.Server, deadlines: Deadlines) -> None:
        """Serve a client of *server*."""
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=deadlines.idle,
            lingering_time=deadlines.unread,
            read_bufsize=_READ_BYTES,
            access_log=None,  # type: ignore[arg-type]
        )
        self._deadlines = deadlines
        self._head_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None
        self._socket: asyncio.Transport
        self._unsent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the timeout of the first head."""
        super().connection_made(transport)
        self._socket = cast("asyncio.Transport", transport)  # `transport` is None after force_close
        self._head_timer = self._loop.call_later(self._deadlines.head, self.force_close)

    def data_received(self, data: bytes) -> None:
        """Parse *data*; stop the timeout after the first head, or if it cannot be parsed."""
        super().data_received(data)
        if self._head_timer is not None and self._request_count:
            self._head_timer.cancel()
            self._head_timer = None

    def pause_writing(self) -> None:
        """Start the timeout for reading the response: the write buffer is full."""
        super().pause_writing()
        self._start_write_timer()

    def resume_writing(self) -> None:
        """Stop that timeout."""
        super().resume_writing()
        if self._write_timer is not None:
            self._write_timer.cancel()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Stop all timeouts."""
        for each in (self._head_timer, self._write_timer):
            if each is not None:
                each.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it quotes the request
    ) -> web.StreamResponse:
        """Return the response to a request that reached no handler, or whose exception nothing else has caught."""
        if isinstance(exc, ConnectionError) or request.writer.output_size:
            raise ConnectionError("The client is gone, or has received a part of another response.") from exc
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("internal error", status=status, exc_info=exc)
            response = error_json(status, "Internal error; it has been logged.")
        else:
            _log.info("invalid request", status=status, reason=type(exc).__name__, remote=request.remote)
            response = error_json(status, "The request could not be parsed.")
        set_security_headers(response.headers)
        response.force_close()
        return response

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*; as JSON if aiohttp itself has rejected the request, for its `Expect` header."""
        if isinstance(resp, web.HTTPException):
            resp = error_json(resp.status, f"{status_name(resp.status)}.")
        return await super().finish_response(request, resp, start_time)

    def _start_write_timer(self) -> None:
        """Check after the timeout whether the client has read anything."""
        self._unsent = self._socket.get_write_buffer_size()
        self._write_timer = self._loop.call_later(self._deadlines.write_stall, self._abort_unless_read)

    def _abort_unless_read(self) -> None:
        if self._socket.get_write_buffer_size() < self._unsent:
            self._start_write_timer()
        else:
            self._socket.abort()  # close() would wait for the client to read the rest


def has_left(request: web.Request) -> bool:
    """Whether the client of *request* has closed its connection."""
    return request.transport is None or request.transport.is_closing()
