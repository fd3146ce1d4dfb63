"""The names of HTTP statuses in responses, which do not change with the version of Python."""

from collections.abc import Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Final

# Python 3.13 has other names for them than the versions before, by which clients may know them.
_KEPT: Final[Mapping[int, str]] = MappingProxyType(
    {
        413: "Request Entity Too Large",
        414: "Request-URI Too Long",
        416: "Requested Range Not Satisfiable",
        422: "Unprocessable Entity",
    }
)


def status_name(status: int) -> str:
    """Return the name of *status*."""
    return _KEPT.get(status) or HTTPStatus(status).phrase
