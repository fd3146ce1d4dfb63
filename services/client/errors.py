"""Errors of the client library."""

from collections.abc import Sequence
from http import HTTPStatus

from services.client.responses import InvalidLine


class ApiError(Exception):
    """A request has failed; the message is one line."""


class ServerUnavailableError(ApiError):
    """The server does not respond, or responds with a temporary error."""

    def __init__(self, reason: str, *, status: int = 0, retry_after: float | None = None, sent: bool = True) -> None:
        """Store the *reason*, the HTTP *status*, 0 without one, and the seconds after which a retry is allowed.

        *sent*: whether the server may have got the request.
        """
        super().__init__(reason)
        self.status = status
        self.retry_after = retry_after
        self.sent = sent


class RequestRejectedError(ApiError):
    """The server has rejected a request; sending it again does not help."""

    def __init__(self, status: int, reason: str, field: str = "", lines: Sequence[InvalidLine] = ()) -> None:
        """Store the HTTP *status*, the server's *reason* and the *field* that it names, "" if none.

        *lines* are the invalid lines of a catalog, up to a hundred.
        """
        super().__init__(
            f"the server rejected the API key: {reason}" if status == HTTPStatus.UNAUTHORIZED else reason
        )
        self.status = status
        self.reason = reason
        self.field = field
        self.lines = tuple(lines)


class NotFoundError(RequestRejectedError):
    """What the request names does not exist."""
