"""Steps of the clock of Redis or of a worker delay jobs for seconds at most, and lose none, on a real Redis."""

from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.jobs import JobContext, JobQueue, QueueName, job_key
from imageconverter.resources import Resources
from tests.jobs.test_queue_worker import is_empty, running_worker, until

HOUR_MS, DAYS_MS = 3_600_000, 40 * 24 * 3_600_000


@pytest.fixture
async def queue(resources: Resources) -> JobQueue:
    """The queue with an empty scan queue; the tests' own workers take from it."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))
    return resources.queue


async def succeed(_context: JobContext, _payload: object) -> None:
    """Do nothing."""


async def test_nothing_that_an_accepted_job_needs_expires(queue: JobQueue, resources: Resources) -> None:
    """A clock that is set forward ends every time to live at once."""
    name = uuid4().hex
    joined = await queue.enqueue_or_join(QueueName.SCAN, "task", name, {})
    await queue.enqueue(QueueName.SCAN, "task", name, {})

    needed = [job_key(joined), job_key(name), keys.waiters(joined), keys.queue(QueueName.SCAN)]
    assert [await resources.redis.pttl(key) for key in needed] == [-1] * len(needed)


async def test_waiters_of_a_job_end_with_it(queue: JobQueue, resources: Resources) -> None:
    """Also if its result was never published."""
    job_id = await queue.enqueue_or_join(QueueName.SCAN, "task", uuid4().hex, {})
    async with running_worker(resources, succeed):
        await until(lambda: is_empty(queue))

    assert not await resources.redis.exists(keys.waiters(job_id))
