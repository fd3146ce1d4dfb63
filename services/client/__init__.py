"""The client library of both APIs: `Client`, and `AsyncClient` for asyncio."""

from services.client.async_client import AsyncClient
from services.client.client import Client
from services.client.errors import ApiError, NotFoundError, RequestRejectedError, ServerUnavailableError

__all__ = ["ApiError", "AsyncClient", "Client", "NotFoundError", "RequestRejectedError", "ServerUnavailableError"]
