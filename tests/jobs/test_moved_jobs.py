"""Jobs that move from one queue to another."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from arq.constants import retry_key_prefix

from imageconverter import keys
from imageconverter.jobs import JobContext, MovedJob, QueueName, QueueWorker, Task
from imageconverter.resources import Resources


@pytest.fixture(autouse=True)
async def empty_queues(resources: Resources) -> None:
    """Start with no jobs."""
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.queue(QueueName.EXPENSIVE))


@asynccontextmanager
async def running(resources: Resources, queue: QueueName, task: Task) -> AsyncIterator[None]:
    """Run *task* for the jobs of *queue*."""
    worker = QueueWorker(queue, {"task": task}, resources.redis, slots=1, job_seconds=60)
    main = asyncio.create_task(worker.main())
    try:
        yield
    finally:
        await worker.drain(1)
        await main


async def move(_context: JobContext, _payload: Any) -> None:
    """Move the job."""
    raise MovedJob(QueueName.EXPENSIVE)


async def test_a_job_runs_once_from_the_queue_to_which_it_moves(resources: Resources) -> None:
    """And the move is no attempt."""
    done: list[tuple[str, int, Any]] = []

    async def note(context: JobContext, payload: Any) -> None:
        done.append((context["job_id"], context["job_try"], payload))

    ids = [uuid4().hex for _ in range(5)]
    for job_id in ids:
        await resources.queue.enqueue(QueueName.SCAN, "task", job_id, {"a": 1})
    async with running(resources, QueueName.SCAN, move), running(resources, QueueName.EXPENSIVE, note):
        async with asyncio.timeout(10):
            while len(done) < len(ids):
                await asyncio.sleep(0.01)

    assert sorted(done) == [(job_id, 1, {"a": 1}) for job_id in sorted(ids)]
    assert await resources.queue.depth(QueueName.SCAN) == 0
    assert await resources.queue.depth(QueueName.EXPENSIVE) == 0


async def test_a_job_that_has_moved_can_be_joined(resources: Resources) -> None:
    """It has neither a lease nor attempts until it is claimed."""
    key = uuid4().hex
    job_id = await resources.queue.enqueue_or_join(QueueName.SCAN, "task", key, {})
    async with running(resources, QueueName.SCAN, move), asyncio.timeout(10):
        while await resources.queue.depth(QueueName.SCAN):
            await asyncio.sleep(0.01)

    assert await resources.redis.exists(keys.queue(QueueName.EXPENSIVE)) == 1
    assert await resources.redis.exists(retry_key_prefix + job_id) == 0
    assert await resources.queue.enqueue_or_join(QueueName.SCAN, "task", key, {}) == job_id
