"""Deliveries of webhooks that no reporter attempts."""

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.webhooks import Delivery, EndpointRecord
from imageconverter.webhooks.payloads import CreatedDeadLetter

FIRST = EndpointRecord(id="0a", origin="https://a.example", events=("dead_letter.created",))
SECOND = EndpointRecord(id="0b", origin="https://b.example", events=("dead_letter.created", "run.finished"))


async def happen(resources: Resources, subject: str = "job") -> None:
    """Record an event."""
    letter = CreatedDeadLetter(id=subject, lane="batch", task="task", reason="It failed.", tries=4)
    await resources.outbox.record("dead_letter.created", subject, letter)


async def record(resources: Resources, subject: str) -> None:
    """Record an event, and make its deliveries."""
    await happen(resources, subject)
    await resources.outbox.distribute()


async def settle(
    resources: Resources, endpoint: EndpointRecord, *, delay_seconds: float = 60, **changes: object
) -> str:
    """Change the delivery to *endpoint* that is due next, as an attempt does; returns its id."""
    delivery = await resources.outbox.take(endpoint.id, "token", lease_seconds=60)
    assert isinstance(delivery, Delivery)
    changed = delivery.model_copy(update=changes)
    await resources.outbox.settle(endpoint.id, "token", changed, delay_seconds=delay_seconds)
    return delivery.id


async def forget_all(resources: Resources) -> None:
    """Delete all endpoints and what is recorded for them."""
    await resources.outbox.register([])
    await resources.redis.delete(keys.WEBHOOK_EVENTS)
