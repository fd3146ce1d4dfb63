"""A client's connection, before and beside the handlers: how long it may stand still, and what cannot be read."""

import asyncio
from http import HTTPStatus
from typing import NamedTuple, cast

import structlog
from aiohttp import web

from services.gateway.http.headers import set_security_headers
from services.gateway.http.responses import error_json

_log = structlog.get_logger(__name__)


class Deadlines(NamedTuple):
    """After how many seconds a connection is ended."""

    head: float = 20
    """Without the whole head of its first request."""
    idle: float = 75
    """Without another request. Proxies give up sooner, so that none sends a request into a connection that ends."""
    write_stall: float = 60
    """In which the client takes nothing of an answer that waits for it."""
    unread: float = 10
    """In which a client goes on sending a body that was refused: it may read the answer only then."""


class Connection(web.RequestHandler):
    """aiohttp's connection, with deadlines of ours and errors in our shape."""

    __slots__ = ("_deadlines", "_no_head", "_no_taker", "_unsent", "_wire")

    def __init__(self, server: web.Server, deadlines: Deadlines) -> None:
        """Serve a client of *server*."""
        loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=loop,
            keepalive_timeout=deadlines.idle,
            lingering_time=deadlines.unread,
            access_log=None,  # type: ignore[arg-type]
        )
        self._deadlines = deadlines
        self._no_head: asyncio.TimerHandle | None = None
        self._no_taker: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport
        self._unsent = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wire = cast("asyncio.Transport", transport)  # `transport` is None from force_close on
        self._no_head = self._loop.call_later(self._deadlines.head, self.force_close)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; the first head that is complete, or cannot be read, ends the wait."""
        super().data_received(data)
        if self._no_head is not None and self._request_count:
            self._no_head.cancel()
            self._no_head = None

    def pause_writing(self) -> None:
        """Look from now on whether the client takes what it has asked for."""
        super().pause_writing()
        self._watch()

    def resume_writing(self) -> None:
        """Stop looking."""
        super().resume_writing()
        if self._no_taker is not None:
            self._no_taker.cancel()

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the deadlines."""
        for each in (self._no_head, self._no_taker):
            if each is not None:
                each.cancel()
        super().connection_lost(exc)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what was sent
    ) -> web.StreamResponse:
        """Answer where no handler was reached, or where one failed in a way that nothing else caught."""
        if isinstance(exc, ConnectionError) or request.writer.output_size:
            raise ConnectionError("The client has gone, or has part of another answer.") from exc
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request failed by a fault of ours", status=status, exc_info=exc)
            answer = error_json(status, "The server made a mistake; it has been noted.")
        else:
            _log.info("request could not be read", status=status, reason=type(exc).__name__, remote=request.remote)
            answer = error_json(status, "The request could not be read.")
        set_security_headers(answer.headers)
        answer.force_close()
        return answer

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send *resp*; what aiohttp itself refuses before the handlers, an Expect, gets our shape as well."""
        if isinstance(resp, web.HTTPException):
            resp = error_json(resp.status, f"{HTTPStatus(resp.status).phrase}.")
        return await super().finish_response(request, resp, start_time)

    def _watch(self) -> None:
        """Look whether less is unsent after a while."""
        self._unsent = self._wire.get_write_buffer_size()
        self._no_taker = self._loop.call_later(self._deadlines.write_stall, self._end_unless_taken)

    def _end_unless_taken(self) -> None:
        if self._wire.get_write_buffer_size() < self._unsent:
            self._watch()
        else:
            self._wire.abort()  # closing would wait for the client to take the rest
