"""The outbox of webhooks in Redis: recorded events, deliveries made of them, and the log. Each change is one step."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import NotFound
from imageconverter.jobs import redis_command, redis_errors, script_text
from imageconverter.webhooks.delivery import Delivery, EndpointLog, EndpointRecord
from imageconverter.webhooks.event import Event, EventType, read_event
from imageconverter.webhooks.payloads import Payload

LOG_LENGTH: Final = 100
_LOG_MS: Final = 7 * 24 * 3600 * 1000
_MAX_WAITING: Final = 10_000
_EVENTS_AT_ONCE: Final = 100


class Distributed(NamedTuple):
    """The result of distributing recorded events."""

    events: int
    dropped: int
    """Deliveries not made because too many wait for their endpoint."""


class Outbox:
    """Records events, and keeps their deliveries. All methods raise QueueUnavailable."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis*, retrying for *retry_timeout* seconds."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._register = redis.register_script(script_text("imageconverter.webhooks", "register"))
        self._record = redis.register_script(script_text("imageconverter.webhooks", "record"))
        self._distribute = redis.register_script(script_text("imageconverter.webhooks", "distribute"))
        self._take = redis.register_script(script_text("imageconverter.webhooks", "take"))
        self._settle = redis.register_script(script_text("imageconverter.webhooks", "settle"))
        self._resend = redis.register_script(script_text("imageconverter.webhooks", "resend"))

    async def register(self, endpoints: Sequence[EndpointRecord], *, enable: bool = False) -> None:
        """Make *endpoints* all that there are, and *enable* the disabled ones; without any, remove all events."""
        async with redis_errors(self._retry_timeout):
            await self._register(
                keys=[keys.WEBHOOK_ENDPOINTS, keys.WEBHOOK_EVENTS],
                args=[
                    int(enable),
                    keys.webhook_due(""),
                    keys.webhook_log(""),
                    keys.webhook_deliveries(""),
                    keys.webhook_lease(""),
                    *(text for each in endpoints for text in (each.id, each.model_dump_json())),
                ],
            )

    async def disable(self, endpoint: EndpointRecord, reason: str) -> None:
        """Send nothing to *endpoint* until it is enabled."""
        text = endpoint.model_copy(update={"disabled": reason}).model_dump_json()
        await redis_command(self._redis, self._retry_timeout, "HSET", keys.WEBHOOK_ENDPOINTS, endpoint.id, text)

    async def is_disabled(self, endpoint: str) -> bool:
        """Whether the endpoint with that id is disabled or unknown."""
        text = await redis_command(self._redis, self._retry_timeout, "HGET", keys.WEBHOOK_ENDPOINTS, endpoint)
        return text is None or bool(EndpointRecord.model_validate_json(text).disabled)

    async def record(self, event: EventType, subject: str, data: Payload) -> None:
        """Record an event; *subject* identifies it among those of its type."""
        async with redis_errors(self._retry_timeout):
            await self._record(args=[event, subject, data.model_dump_json()])

    async def distribute(self) -> Distributed:
        """Make deliveries of recorded events, the oldest first, for the endpoints that get them."""
        recorded = await redis_command(
            self._redis, self._retry_timeout, "ZRANGE", keys.WEBHOOK_EVENTS, 0, _EVENTS_AT_ONCE - 1
        )
        endpoints = await self.endpoints() if recorded else []
        dropped = 0
        for text in recorded:
            event = read_event(text)
            wanted = [each.id for each in endpoints if event and event.type in each.events and not each.disabled]
            dropped += await self._distribute_one(text, event, wanted)
        return Distributed(len(recorded), dropped)

    async def _distribute_one(self, text: bytes, event: Event | None, endpoints: Sequence[str]) -> int:
        delivery = Delivery(id=event.id, type=event.type, at=event.at, body=event.body) if event else None
        async with redis_errors(self._retry_timeout):
            return int(
                await self._distribute(
                    keys=[keys.WEBHOOK_EVENTS],
                    args=[
                        text,
                        delivery.id if delivery else "",
                        delivery.model_dump_json() if delivery else "",
                        _MAX_WAITING,
                        *(
                            key
                            for each in endpoints
                            for key in (keys.webhook_due(each), keys.webhook_deliveries(each))
                        ),
                    ],
                )
            )

    async def take(self, endpoint: str, token: str, *, lease_seconds: float) -> Delivery | None:
        """Return a delivery that is due, for `settle` with the same *token*, unless another is in progress.

        The endpoint is free for others after *lease_seconds*, in case this process is killed.
        """
        async with redis_errors(self._retry_timeout):
            text = await self._take(
                keys=[keys.webhook_due(endpoint), keys.webhook_deliveries(endpoint), keys.webhook_lease(endpoint)],
                args=[token, int(lease_seconds * 1000)],
            )
        return None if text is None else Delivery.model_validate_json(text)

    async def settle(self, endpoint: str, token: str, delivery: Delivery, *, delay_seconds: float) -> None:
        """Replace a delivery that was taken with that *token*; one that waits is due after *delay_seconds*."""
        is_waiting = delivery.status == "waiting"
        async with redis_errors(self._retry_timeout):
            await self._settle(
                keys=[
                    keys.webhook_due(endpoint),
                    keys.webhook_deliveries(endpoint),
                    keys.webhook_lease(endpoint),
                    keys.webhook_log(endpoint),
                ],
                args=[
                    token,
                    delivery.id,
                    delivery.model_dump_json(),
                    int(delay_seconds * 1000) if is_waiting else -1,
                    LOG_LENGTH,
                    _LOG_MS,
                ],
            )

    async def resend(self, delivery_id: str) -> int:
        """Make the deliveries of an event that have not succeeded due, with no attempts counted.

        Returns their number; raises NotFound if there are none.
        """
        count = 0
        for each in await self.endpoints():
            async with redis_errors(self._retry_timeout):
                count += await self._resend(
                    keys=[keys.webhook_due(each.id), keys.webhook_deliveries(each.id), keys.webhook_log(each.id)],
                    args=[delivery_id],
                )
        if not count:
            raise NotFound("There is no such delivery that waits or has failed.")
        return count

    async def endpoints(self) -> list[EndpointRecord]:
        """Return all endpoints, ordered by their origins."""
        found: list[bytes] = await redis_command(self._redis, self._retry_timeout, "HGETALL", keys.WEBHOOK_ENDPOINTS)
        records = [EndpointRecord.model_validate_json(text) for text in _values(found)]
        return sorted(records, key=lambda each: (each.origin, each.id))

    async def logs(self) -> list[EndpointLog]:
        """Return all endpoints with their last deliveries."""
        return [await self._log_of(each) for each in await self.endpoints()]

    async def _log_of(self, endpoint: EndpointRecord) -> EndpointLog:
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.zcard(keys.webhook_due(endpoint.id))
            pipe.zrange(keys.webhook_due(endpoint.id), 0, LOG_LENGTH - 1)
            pipe.zrevrange(keys.webhook_log(endpoint.id), 0, LOG_LENGTH - 1)
            waiting, due, ended = await pipe.execute()
        ids = [*due, *ended]
        command = ["HMGET", keys.webhook_deliveries(endpoint.id), *ids]
        texts = await redis_command(self._redis, self._retry_timeout, *command) if ids else []
        deliveries = [Delivery.model_validate_json(text) for text in texts if text is not None]
        return EndpointLog(endpoint, waiting, sorted(deliveries, key=lambda each: each.at, reverse=True))


def _values(reply: Any) -> list[bytes]:
    """Return the values of a hash."""
    return list(reply.values()) if isinstance(reply, dict) else list(reply[1::2])
