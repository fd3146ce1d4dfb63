"""The client library of both APIs: `Client`, and `AsyncClient` for asyncio."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from services.client.errors import ApiError, NotFoundError, RequestRejectedError, ServerUnavailableError

if TYPE_CHECKING:
    from services.client.async_client import AsyncClient
    from services.client.client import Client

__all__ = ["ApiError", "AsyncClient", "Client", "NotFoundError", "RequestRejectedError", "ServerUnavailableError"]

_MODULES = {"AsyncClient": "services.client.async_client", "Client": "services.client.client"}


def __getattr__(name: str) -> Any:
    """Import a client when it is used: what needs the errors only need not wait for an HTTP library."""
    if name not in _MODULES:
        raise AttributeError(name)
    return getattr(import_module(_MODULES[name]), name)
