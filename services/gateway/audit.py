"""The audit log of the gateway: a line for each request that changes something, or is refused for its credentials.

The route table says which routes change something, and the middleware writes the line. Handlers only add details.
"""

import functools
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler
from cachetools import TTLCache

from imageconverter import audit
from imageconverter.settings import GatewaySettings
from services.gateway.auth.attempts import WINDOW_SECONDS, client_address
from services.gateway.http.redaction import without_tokens

_CHANGES: Final = web.RequestKey("changes", bool)
_REFUSED: Final = web.RequestKey("refused", bool)
_ACTOR: Final = web.RequestKey("actor", str)
_DETAILS: Final = web.RequestKey("details", dict[str, object])

_ANONYMOUS: Final = "none"
_MAX_CLIENTS: Final = 100_000
# Parameters in the query that name what a request changes.
_PARAMETERS: Final = ("context", "directory", "dryRun")


def changing(handler: Handler) -> Handler:
    """Return *handler*, whose requests change something."""

    @functools.wraps(handler)
    async def marked(request: web.Request) -> web.StreamResponse:
        request[_CHANGES] = True
        return await handler(request)

    return marked


def identify(request: web.Request, actor: str) -> None:
    """Set who sends *request*: `key NAME` or `user NAME`, once its credentials are known to be valid."""
    request[_ACTOR] = actor


def only_read(request: web.Request) -> None:
    """Set that *request*, though of a route that changes something, changes nothing."""
    request[_CHANGES] = False


def refuse(request: web.Request) -> None:
    """Set that *request* is refused because of its credentials, though its handler returns a page."""
    request[_REFUSED] = True


def describe(request: web.Request, **details: object) -> None:
    """Add *details* that the path does not have: what the request changes, or how many items."""
    request[_DETAILS] = {**request.get(_DETAILS, {}), **details}


class AuditLog:
    """Writes the lines.

    Refused requests of one actor and address, and failed ones of an address without valid credentials, have as many
    lines in WINDOW_SECONDS as wrong passwords are allowed, so that they cannot flood the log.
    """

    def __init__(self, settings: GatewaySettings) -> None:
        """Use `login_failures` and `trusted_proxies` of *settings*."""
        self._max_refusals = settings.login_failures
        self._proxies = settings.trusted_proxies
        self._refusals: TTLCache[str, Iterator[int]] = TTLCache(_MAX_CLIENTS, WINDOW_SECONDS)

    def client(self, request: web.Request) -> dict[str, str]:
        """Return who sends *request* and from where, for the log."""
        return {"actor": request.get(_ACTOR, _ANONYMOUS), "address": client_address(request, self._proxies)}

    def record(self, request: web.Request, route: str, status: int, *, refused: bool = False) -> None:
        """Log *request* to *route*, answered with *status*, if it changes something or was *refused*."""
        changes = request.get(_CHANGES, False)
        refused = refused or request.get(_REFUSED, False)
        if not changes and not refused:
            return
        actor = request.get(_ACTOR, _ANONYMOUS)
        address = client_address(request, self._proxies)
        details: dict[str, object] = {}
        if refused or (actor == _ANONYMOUS and status >= HTTPStatus.BAD_REQUEST):
            count = self._count(f"{actor} {address}")
            if count > self._max_refusals:
                return
            if count == self._max_refusals:
                details["further_omitted"] = True
        if changes:
            details.update((name, without_tokens(value)) for name, value in _named(request))
            details.update(request.get(_DETAILS, {}))
        operation = f"{request.method} {route.rstrip('/')}"
        audit.record(operation, actor=actor, address=address, status=status, **details)

    def _count(self, client: str) -> int:
        """Return the number of refused requests of *client* in the current window, this one included."""
        if (numbers := self._refusals.get(client)) is None:
            numbers = self._refusals[client] = iter(range(1, self._max_refusals + 2))
        return next(numbers, self._max_refusals + 1)


def _named(request: web.Request) -> Iterator[tuple[str, str]]:
    """Yield what path and query name."""
    yield from request.match_info.items()
    for name in _PARAMETERS:
        if name in request.query:
            yield name, request.query[name]
