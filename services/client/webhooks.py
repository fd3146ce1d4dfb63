"""The delivery log of webhooks."""

from typing import cast

from services.client.responses import WebhookEndpoint, WebhookEndpointList
from services.client.transport import Request, Transport, in_url

_BASE = "/images/webhooks"


class Webhooks:
    """Operations on webhooks; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def list(self) -> list[WebhookEndpoint]:
        """Return the endpoints with their last deliveries."""
        return cast("WebhookEndpointList", await self._transport.json(Request("GET", _BASE)))["items"]

    async def retry(self, webhook: str) -> None:
        """Send the event with the id *webhook* again, where that has not succeeded."""
        await self._transport.json(Request("POST", f"{_BASE}/{in_url(webhook)}", repeat="refused"))
