"""Requests to a gateway: retries, streams and errors."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote
from uuid import uuid4

import aiohttp
from yarl import URL

from services.client.content import Body, Content, Progress, is_repeatable
from services.client.errors import ApiError, NotFoundError, RequestRejectedError, ServerUnavailableError

_CONNECT_TIMEOUT_SECONDS = 10
READ_TIMEOUT_SECONDS: Final = 90
_RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0)  # seconds between attempts
_MAX_RETRY_AFTER_SECONDS = 60.0
_SUCCESSFUL = (HTTPStatus.OK, HTTPStatus.ACCEPTED, HTTPStatus.NOT_MODIFIED)

Repeat = Literal["always", "refused", "unanswered", "never"]
"""When a request is sent again: `always`, as it is idempotent; if it certainly had no effect, `refused`; or if there
was no response, `unanswered`."""

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Request:
    """A request of the client library."""

    method: str
    path: str
    """Below the address of the server; percent-encoded."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    content: Content | None = None
    form_field: str = ""
    """The field of a form that the content is sent in; "" if it is the whole body."""
    json: Any = None
    """The content instead, as JSON."""
    repeat: Repeat = "always"
    on_progress: Progress | None = None
    auth: aiohttp.BasicAuth | None = None
    """Instead of the key."""
    read_seconds: float = READ_TIMEOUT_SECONDS
    """Longest time between two pieces of the response."""


class Transport:
    """Sends requests to one server. Every method raises ApiError.

    A server that has never responded is reported at once: its address may be wrong.
    """

    def __init__(self, session: aiohttp.ClientSession, server: str, key: str) -> None:
        """Send requests to *server*, a URL without a slash at the end, with *key*, "" for none."""
        self._session = session
        self.server = server
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._has_responded = False

    async def json(self, request: Request) -> Any:
        """Send *request* and return the JSON object of the response."""

        async def read(response: aiohttp.ClientResponse) -> Any:
            return self._parsed(response.status, await response.read())

        return await self.send(request, read)

    async def send(
        self, request: Request, read: Callable[[aiohttp.ClientResponse], Coroutine[Any, Any, _Result]]
    ) -> _Result:
        """Send *request*, again if it may be repeated, and return what *read* makes of a successful response."""
        delays = iter(_RETRY_DELAYS)
        while True:
            try:
                async with self.opened(request) as response:
                    return await read(response)
            except ServerUnavailableError as error:
                delay = next(delays, None)
                if delay is None or not self._has_responded or not _may_repeat(request, error):
                    raise
                await asyncio.sleep(min(error.retry_after or delay, _MAX_RETRY_AFTER_SECONDS))

    @asynccontextmanager
    async def opened(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        """Send *request* once; the context has the successful response, whose body is not read yet."""
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_TIMEOUT_SECONDS, sock_read=request.read_seconds)
        headers = {**({} if request.auth else self._headers), **request.headers}
        async with _opened_body(request) as (data, more):
            try:
                async with self._session.request(
                    request.method,
                    URL(self.server + request.path, encoded=True).update_query(request.query),
                    headers={**headers, **more},
                    data=data,
                    auth=request.auth,
                    timeout=timeout,
                    allow_redirects=False,
                ) as response:
                    self._has_responded = True
                    if response.status not in _SUCCESSFUL:
                        raise self._error(response, await response.read())
                    yield response
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = f"{self.server} does not respond: {str(error) or type(error).__name__}"
                sent = not isinstance(error, aiohttp.ClientConnectorError)
                raise ServerUnavailableError(reason, sent=sent) from None

    def _parsed(self, status: int, text: bytes) -> Any:
        parsed = _object(text)
        if parsed is None:
            raise RequestRejectedError(status, f"{self.server} is not an images API")
        return parsed

    def _error(self, response: aiohttp.ClientResponse, text: bytes) -> ApiError:
        body, status = _object(text) or {}, response.status
        reason = str(body.get("reason") or body.get("message") or f"{self.server} responded with status {status}")
        # The first request with the same idempotency key is still being carried out.
        is_in_progress = status == HTTPStatus.CONFLICT and "Retry-After" in response.headers
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS or is_in_progress:
            retry_after = None
            with suppress(KeyError, ValueError):
                retry_after = float(response.headers["Retry-After"])
            return ServerUnavailableError(reason, status=status, retry_after=retry_after)
        kind = NotFoundError if status == HTTPStatus.NOT_FOUND else RequestRejectedError
        return kind(status, reason, str(body.get("field", "")), body.get("lines", ()))


@asynccontextmanager
async def _opened_body(request: Request) -> AsyncIterator[tuple[Any, dict[str, str]]]:
    """Context with the body of *request* for aiohttp, and its headers."""
    if request.json is not None:
        yield json.dumps(request.json).encode(), {"Content-Type": "application/json"}
        return
    if request.content is None:
        yield None, {}
        return
    body = Body(request.content, request.on_progress)
    try:
        await body.open()
        if request.form_field:
            form = aiohttp.FormData()
            form.add_field(request.form_field, body.file, filename="image")
            yield form, {}
            return
        headers = {"Content-Type": "application/octet-stream"}
        yield body.chunks(), headers if body.size is None else {**headers, "Content-Length": str(body.size)}
    finally:
        body.close()


def _may_repeat(request: Request, error: ServerUnavailableError) -> bool:
    if not is_repeatable(request.content) or request.repeat == "never":
        return False
    if request.repeat == "unanswered":
        return error.status in (0, HTTPStatus.CONFLICT)
    return request.repeat == "always" or not error.sent or error.retry_after is not None


def idempotency_key() -> dict[str, str]:
    """Return a header with which the server carries out a request once, however often it is sent."""
    return {"Idempotency-Key": uuid4().hex}


def in_url(text: str) -> str:
    """Return *text*, a path or a part of one, percent-encoded; slashes are kept."""
    return quote(text, safe="/")


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
