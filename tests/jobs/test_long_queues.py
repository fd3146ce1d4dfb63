"""A queue whose first jobs cannot be claimed, thousands of them."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from imageconverter import keys
from imageconverter.jobs import JobContext, JobQueue, QueueName, lease_key
from imageconverter.jobs.leases import _SEARCH_LIMIT, LEASE_SECONDS
from imageconverter.resources import Resources
from tests.jobs.test_queue_worker import queue, running_worker, until

__all__ = ["queue"]


@asynccontextmanager
async def jobs_of_others(resources: Resources, count: int) -> AsyncIterator[None]:
    """Put *count* jobs at the head of the queue that other workers execute during the block."""
    ids = [f"leased-{number}" for number in range(count)]
    ending = asyncio.Event()

    async def lease() -> None:
        async with resources.redis.pipeline(transaction=False) as pipe:
            for each in ids:
                pipe.set(lease_key(each), "another worker", px=int(LEASE_SECONDS * 1000))
            await pipe.execute()

    async def renew() -> None:
        while not ending.is_set():
            await lease()
            await asyncio.sleep(LEASE_SECONDS / 6)

    await lease()
    await resources.redis.zadd(keys.queue(QueueName.SCAN), dict.fromkeys(ids, 1))
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        ending.set()
        await renewing
        await resources.redis.delete(keys.queue(QueueName.SCAN), *map(lease_key, ids))


async def test_a_job_behind_thousands_of_leased_ones_is_claimed(queue: JobQueue, resources: Resources) -> None:
    """However far one search reaches."""
    ran: list[str] = []

    async def task(context: JobContext, _payload: Mapping[str, Any]) -> None:
        ran.append(context["job_id"])

    async with jobs_of_others(resources, 5 * _SEARCH_LIMIT), running_worker(resources, task):
        for name in ("fresh", "another"):
            await queue.enqueue(QueueName.SCAN, "task", name, {})
        await until(lambda: len(ran) == 2)

    assert sorted(ran) == ["another", "fresh"]


async def test_a_quarantined_job_behind_thousands_of_leased_ones_is_claimed(
    queue: JobQueue, resources: Resources
) -> None:
    """It needs two searches: one that notices it, and one for it."""
    ran: list[str] = []

    async def task(context: JobContext, _payload: Mapping[str, Any]) -> None:
        ran.append(context["job_id"])

    await resources.redis.set("arq:retry:suspect", 2, ex=60)
    async with jobs_of_others(resources, 5 * _SEARCH_LIMIT), running_worker(resources, task):
        await queue.enqueue(QueueName.SCAN, "task", "suspect", {})
        await until(lambda: bool(ran))
