"""Jobs that a client waits for: they end if it leaves, and move to their own queue if they are expensive."""

import asyncio
from uuid import uuid4

import pytest

from imageconverter.errors import ConversionFailed, QueueFull, Unavailable
from imageconverter.jobs import JobContext, MovedJob, QueueName
from imageconverter.resources import Resources
from services.worker.client_jobs import ClientJobs
from services.worker.sandbox.pool import ExpensiveImage


async def waited_job(resources: Resources, *, left: bool) -> JobContext:
    """Enqueue a job whose client waits, or has *left*."""
    job_id = uuid4().hex
    await resources.queue.enqueue(QueueName.SCAN, "task", job_id, {}, waited=True)
    if left:
        with pytest.raises(ConversionFailed):
            await resources.queue.wait(job_id, seconds=5, has_left=lambda: True)
    return JobContext(job_id=job_id, job_try=1)


def jobs(resources: Resources, *, expensive: bool = False, limit: int = 1000) -> ClientJobs:
    """Return the jobs of a queue."""
    queue = QueueName.EXPENSIVE if expensive else QueueName.INTERACTIVE
    return ClientJobs(resources.queue, queue, max_expensive=limit)


@pytest.mark.parametrize("expensive", [True, False])
async def test_a_job_whose_client_has_left_is_not_started(resources: Resources, *, expensive: bool) -> None:
    """If it has waited for a moment."""
    context = await waited_job(resources, left=True)
    started: list[bool] = []

    async def work() -> None:
        started.append(True)

    with pytest.raises(Unavailable, match="left"):
        await jobs(resources, expensive=expensive).run(context, work(), waited=True)
    assert not started


async def test_a_job_ends_when_its_client_leaves(resources: Resources) -> None:
    """One that is being done."""
    context = await waited_job(resources, left=False)
    client = asyncio.create_task(resources.queue.wait(context["job_id"], seconds=1))
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async with asyncio.timeout(10):
        with pytest.raises(Unavailable, match="left"):
            await jobs(resources).run(context, work(), waited=True)
    assert ended.is_set()
    with pytest.raises(ConversionFailed):
        await client


async def test_a_job_is_done_while_one_of_its_clients_waits(resources: Resources) -> None:
    """Even if another one leaves."""
    key = uuid4().hex
    first = await resources.queue.enqueue_or_join(QueueName.SCAN, "task", key, {}, waited=True)
    second = await resources.queue.enqueue_or_join(QueueName.SCAN, "task", key, {}, waited=True)
    with pytest.raises(ConversionFailed):
        await resources.queue.wait(first, seconds=5, has_left=lambda: True)

    assert first == second
    assert await resources.queue.is_waited_for(first)
    await resources.queue.publish_result(key, first, {"done": 1})
    assert await resources.queue.wait(second, seconds=5) == {"done": 1}


async def test_a_job_of_an_older_gateway_is_done(resources: Resources) -> None:
    """It does not say whether its client waits."""

    async def work() -> str:
        return "done"

    context = JobContext(job_id=uuid4().hex, job_try=1)
    assert await jobs(resources, expensive=True).run(context, work(), waited=False) == "done"


async def test_an_expensive_image_moves_its_job(resources: Resources) -> None:
    """If there is room."""

    async def work() -> None:
        raise ExpensiveImage

    context = await waited_job(resources, left=False)
    with pytest.raises(MovedJob) as moved:
        await jobs(resources).run(context, work(), waited=True)
    assert moved.value.queue is QueueName.EXPENSIVE
    with pytest.raises(QueueFull):
        await jobs(resources, limit=0).run(context, work(), waited=True)
