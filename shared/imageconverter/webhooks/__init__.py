"""Webhooks: events are recorded in Redis by who causes them, and sent by the reporter."""

from imageconverter.webhooks.delivery import Delivery, DeliveryStatus, EndpointLog, EndpointRecord
from imageconverter.webhooks.event import Event, EventType, read_event
from imageconverter.webhooks.outbox import Outbox

__all__ = [
    "Delivery",
    "DeliveryStatus",
    "EndpointLog",
    "EndpointRecord",
    "Event",
    "EventType",
    "Outbox",
    "read_event",
]
