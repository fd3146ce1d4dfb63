"""Sending webhooks: one loop makes deliveries of events, and one for each endpoint attempts them."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog

from imageconverter import audit
from imageconverter.errors import Unavailable
from imageconverter.resources import Resources
from imageconverter.settings import WebhookSettings
from imageconverter.webhooks import Delivery, Outbox
from services.reporter.webhooks.attempt import Attempts, Outcome, open_attempts
from services.reporter.webhooks.endpoints import Endpoint
from services.reporter.webhooks.schedule import retry_delay
from services.runtime.lifecycle import run_unless_stopped

_log = structlog.get_logger(__name__)

_POLL_SECONDS = 1.0
_SETTLING_SECONDS = 10.0


async def send_webhooks(
    endpoints: Sequence[Endpoint], settings: WebhookSettings, resources: Resources, stopping: asyncio.Event
) -> None:
    """Send what is recorded to *endpoints* until *stopping* is set; several reporters may do so at once.

    None is sent while this stack does not own the bucket. Endpoints that were disabled are enabled.
    """
    outbox, records = resources.outbox, [each.record for each in endpoints]
    is_first = True

    async def distribute() -> bool:
        nonlocal is_first
        # Again and again: Redis may have lost its data.
        await outbox.register(records, enable=is_first)
        is_first = False
        done = await outbox.distribute()
        if done.dropped:
            _log.error("webhooks dropped", count=done.dropped)
        return done.events > 0

    def is_paused() -> bool:
        return bool(resources.ownership.problem)

    hosts = settings.private_host_names
    async with open_attempts(hosts, settings.timeout_seconds) as attempts, asyncio.TaskGroup() as group:
        group.create_task(_repeat(distribute, is_paused, stopping))
        for each in endpoints:
            sender = EndpointSender(each, outbox, attempts, stopping, timeout_seconds=settings.timeout_seconds)
            group.create_task(_repeat(sender.send_next, is_paused, stopping))


class EndpointSender:
    """Sends the deliveries of one endpoint, one at a time."""

    def __init__(
        self,
        endpoint: Endpoint,
        outbox: Outbox,
        attempts: Attempts,
        stopping: asyncio.Event,
        *,
        timeout_seconds: float,
    ) -> None:
        """Send what *outbox* has for *endpoint* by *attempts*, which end after *timeout_seconds*.

        An attempt that is in progress when *stopping* is set does not count.
        """
        self._endpoint = endpoint
        self._outbox = outbox
        self._attempts = attempts
        self._stopping = stopping
        self._lease_seconds = timeout_seconds + _SETTLING_SECONDS

    async def send_next(self) -> bool:
        """Attempt one delivery that is due; returns whether there was one. Raises QueueUnavailable."""
        record, token = self._endpoint.record, uuid.uuid4().hex
        if await self._outbox.is_disabled(record.id):
            return False
        delivery = await self._outbox.take(record.id, token, lease_seconds=self._lease_seconds)
        if delivery is None:
            return False
        outcome = await self._attempt(delivery)
        if outcome is None:
            await self._outbox.settle(record.id, token, delivery, delay_seconds=0)
            return False
        attempted, delay = _after(delivery, outcome)
        # Before the delivery ends: a reporter that is killed in between attempts it again.
        if outcome.is_gone:
            await self._outbox.disable(record, "The endpoint has answered with status 410.")
            audit.record("disable webhook", actor="task webhooks", endpoint=record.id, origin=record.origin)
        await self._outbox.settle(record.id, token, attempted, delay_seconds=delay)
        _log.info(
            "webhook attempted",
            endpoint=record.id,
            webhook=delivery.id,
            type=delivery.type,
            attempts=attempted.attempts,
            status=attempted.status,
            reason=attempted.error,
        )
        return True

    async def _attempt(self, delivery: Delivery) -> Outcome | None:
        """Attempt *delivery*; returns None if this process is asked to stop meanwhile."""
        outcome: Outcome | None = None

        async def send() -> None:
            nonlocal outcome
            outcome = await self._attempts.send(self._endpoint, delivery)

        await run_unless_stopped(self._stopping, send())
        return outcome


def _after(delivery: Delivery, outcome: Outcome) -> tuple[Delivery, float]:
    """Return *delivery* after an attempt, and the seconds until the next one if it waits."""
    attempts, now = delivery.attempts + 1, int(time.time())
    changes: dict[str, Any] = {
        "attempts": attempts,
        "response": outcome.response,
        "error": outcome.error,
        "attempted_at": now,
        "next_at": 0,
    }
    delay = None if outcome.is_gone else retry_delay(attempts)
    if not outcome.error:
        changes["status"] = "delivered"
    elif delay is None:
        changes["status"] = "failed"
    else:
        changes["next_at"] = now + int(delay)
    return delivery.model_copy(update=changes), delay or 0


async def _repeat(
    step: Callable[[], Coroutine[Any, Any, bool]], is_paused: Callable[[], bool], stopping: asyncio.Event
) -> None:
    """Call *step* until *stopping* is set: at once if it had something to do, else after a pause."""
    while not stopping.is_set():
        try:
            if not is_paused() and await step():
                continue
        except Unavailable as error:
            _log.warning("webhooks delayed", reason=error.reason)
        except Exception:  # noqa: BLE001 - the other endpoints continue
            _log.exception("internal error while sending webhooks")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _POLL_SECONDS)
