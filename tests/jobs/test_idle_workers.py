"""Workers without jobs leave Redis alone, and still begin the next job at once."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.jobs import JobContext, JobQueue, QueueName, QueueWorker, Task
from imageconverter.jobs import queue_worker as worker_module
from imageconverter.resources import Resources


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue."""
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.wake(QueueName.SCAN))
    return resources.queue


@pytest.fixture
def at_once_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a worker count as idle from its start on."""
    monkeypatch.setattr(worker_module, "_IDLE_AFTER_SECONDS", 0)


@asynccontextmanager
async def idle_worker(resources: Resources, task: Task) -> AsyncIterator[QueueWorker]:
    """Run a worker with one slot, which does not poll while it is idle."""
    tasks = {"task": task}
    worker = QueueWorker(
        QueueName.SCAN, tasks, resources.redis, slots=1, job_seconds=30, poll_seconds=3600, idle_poll_seconds=3600
    )
    running = asyncio.create_task(worker.async_run())
    try:
        yield worker
    finally:
        await worker.drain(5)
        await asyncio.gather(running, return_exceptions=True)


class CountedWorker(QueueWorker):
    """A worker that counts how often it looks for jobs."""

    looks = 0

    async def _finish_and_claim(self) -> None:
        self.looks += 1
        await super()._finish_and_claim()


@pytest.mark.usefixtures("at_once_idle")
async def test_jobs_are_begun_without_polls(queue: JobQueue, resources: Resources) -> None:
    """Each idle worker takes one, although the first is busy when the second is enqueued."""
    begun: asyncio.Queue[int] = asyncio.Queue()
    may_end = asyncio.Event()

    async def task(_context: JobContext, payload: dict[str, Any]) -> None:
        begun.put_nowait(payload["number"])
        await may_end.wait()

    async with idle_worker(resources, task), idle_worker(resources, task), idle_worker(resources, task):
        for number in range(3):
            await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"number": number})
            async with asyncio.timeout(10):
                assert await begun.get() == number
        may_end.set()


@pytest.mark.usefixtures("at_once_idle")
async def test_a_busy_worker_wakes_another(queue: JobQueue, resources: Resources) -> None:
    """If it has listened for longer than the others when a job is enqueued."""
    begun: asyncio.Queue[int] = asyncio.Queue()
    may_end = asyncio.Event()

    async def task(_context: JobContext, payload: dict[str, Any]) -> None:
        begun.put_nowait(payload["number"])
        await may_end.wait()

    async with idle_worker(resources, task):
        await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"number": 0})
        assert await begun.get() == 0
        async with idle_worker(resources, task), asyncio.timeout(10):
            await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"number": 1})
            assert await begun.get() == 1
            may_end.set()


async def test_an_idle_worker_looks_for_jobs_twice_a_second(queue: JobQueue, resources: Resources) -> None:
    """With jobs it would be twenty times."""
    assert await queue.depth(QueueName.SCAN) == 0

    async def task(_context: JobContext, _payload: dict[str, Any]) -> None:
        pass

    worker = CountedWorker(QueueName.SCAN, {"task": task}, resources.redis, slots=1, job_seconds=30)
    running = asyncio.create_task(worker.async_run())
    try:
        while worker.looks < 3 or worker._poll_seconds() < 0.5:
            await asyncio.sleep(0.01)
        before, began = worker.looks, time.monotonic()
        await asyncio.sleep(2)
        looks, seconds = worker.looks - before, time.monotonic() - began
    finally:
        await worker.drain(5)
        await running

    assert looks <= seconds / 0.5 + 1
