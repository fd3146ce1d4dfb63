"""Handlers of `images/webhooks`: the delivery log of webhooks."""

from typing import Annotated, Self, get_args

from aiohttp import web
from pydantic import Field

from imageconverter.webhooks import Delivery, DeliveryStatus, EndpointLog, EventType
from services.gateway import state
from services.gateway.http.responses import Count, Items, NonEmpty, ResponseModel, json_response

_TYPES = [*get_args(EventType)]


class WebhookDelivery(ResponseModel):
    """An event that is sent to an endpoint."""

    id: NonEmpty
    """The id of the event, sent as `webhook-id`."""
    type: Annotated[str, Field(json_schema_extra={"enum": _TYPES})]
    """The type of the event."""
    at: Count
    """When it happened, in Unix seconds."""
    status: DeliveryStatus
    """`failed`: there are no more attempts, unless it is retried."""
    attempts: Count
    """Number of attempts."""
    response: Count
    """The HTTP status of the last attempt; 0 if there was no response."""
    error: str
    """Why the last attempt failed, or empty."""
    attempted: Count
    """When the last attempt ended, in Unix seconds; 0 before the first."""
    next: Count
    """When the next attempt is made, in Unix seconds; 0 if there is none, or at once."""

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        """Return *delivery* as a response."""
        return cls(
            id=delivery.id,
            type=delivery.type,
            at=delivery.at,
            status=delivery.status,
            attempts=delivery.attempts,
            response=delivery.response,
            error=delivery.error,
            attempted=delivery.attempted_at,
            next=delivery.next_at,
        )


class WebhookEndpoint(ResponseModel):
    """An endpoint and its last deliveries."""

    id: NonEmpty
    origin: NonEmpty
    """Scheme, host and port of its URL; the rest may be secret."""
    events: Annotated[tuple[str, ...], Field(json_schema_extra={"items": {"type": "string", "enum": _TYPES}})]
    """The types of events that it gets."""
    disabled: str
    """Why nothing is sent to it until a reporter is restarted, or empty."""
    waiting: Count
    """Number of deliveries that wait."""
    deliveries: Annotated[tuple[WebhookDelivery, ...], Field(max_length=200)]
    """The next that wait and the last that have ended, up to 100 of each; the newest event first."""

    @classmethod
    def of(cls, log: EndpointLog) -> Self:
        """Return *log* as a response."""
        return cls(
            id=log.endpoint.id,
            origin=log.endpoint.origin,
            events=log.endpoint.events,
            disabled=log.endpoint.disabled,
            waiting=log.waiting,
            deliveries=tuple(map(WebhookDelivery.of, log.deliveries)),
        )


async def list_endpoints(request: web.Request) -> web.Response:
    """Return the endpoints and their last deliveries."""
    logs = await request.app[state.OUTBOX].logs()
    return json_response(Items(items=tuple(map(WebhookEndpoint.of, logs))))


async def retry(request: web.Request) -> web.Response:
    """Send an event again, where that has not succeeded."""
    await request.app[state.OUTBOX].resend(request.match_info["webhookId"])
    return web.json_response({})
