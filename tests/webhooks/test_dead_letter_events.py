"""A dead letter is an event."""

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from imageconverter import keys
from imageconverter.jobs import QueueName, QueueWorker
from imageconverter.resources import Resources
from imageconverter.webhooks import Delivery
from tests.testing.openapi_document import IMAGES
from tests.testing.webhook_deliveries import FIRST, forget_all


async def _fails(_context: Mapping[str, Any], _payload: Any) -> None:
    raise LookupError("what it needs")


async def _deliveries(resources: Resources) -> list[Delivery]:
    async with asyncio.timeout(20):
        while not await resources.redis.exists(keys.WEBHOOK_EVENTS):
            await asyncio.sleep(0.01)
    await resources.outbox.distribute()
    (log,) = await resources.outbox.logs()
    return log.deliveries


async def test_a_job_that_fails_for_good_is_an_event(resources: Resources) -> None:
    """With what the API shows of it but its payload; if it fails again after a retry, that is another event."""
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
    await forget_all(resources)
    await resources.outbox.register([FIRST])
    job_id = uuid4().hex
    worker = QueueWorker(QueueName.SCAN, {"fails": _fails}, resources.redis, slots=1, job_seconds=30)
    running = asyncio.create_task(worker.async_run())
    await resources.queue.enqueue(QueueName.SCAN, "fails", job_id, {"source": "secret.png"})
    (first,) = await _deliveries(resources)
    (dead,) = await resources.queue.dead.all()
    await asyncio.sleep(1.1)  # times are in seconds
    await resources.queue.dead.retry(job_id)
    both = await _deliveries(resources)
    await worker.drain(5)
    await running
    await forget_all(resources)
    await resources.queue.dead.drop(job_id)

    assert IMAGES.check_webhook(first.body)["data"] == {
        "id": job_id,
        "lane": "scan",
        "task": "fails",
        "reason": dead.reason,
        "tries": 1,
    }
    assert first.at == int(dead.failed_at.timestamp())
    assert len({each.id for each in both}) == 2
    assert "secret.png" not in str(both)
