"""The steps in which a worker finishes jobs and claims others, on a real Redis."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
import structlog
from arq import Worker
from arq.connections import ArqRedis
from arq.worker import func

from imageconverter import keys, request_ids
from imageconverter.jobs import JobContext, JobQueue, QueueName, open_redis
from imageconverter.jobs.connection import encode
from imageconverter.jobs.leases import Leases
from imageconverter.jobs.queue_name import lease_key
from imageconverter.resources import Resources
from imageconverter.settings import RedisSettings
from tests.jobs.test_queue_worker import is_empty, queue, running_worker, until
from tests.testing.faults import fault_proxy

__all__ = ["queue"]

Ran = list[tuple[str, int]]


async def test_a_job_that_ends_and_the_next_one_need_one_round_trip(
    queue: JobQueue, resources: Resources, servers: Mapping[str, str]
) -> None:
    """Jobs that end at the same time share it."""
    sent: Counter[str] = Counter()
    for _ in range(100):
        await queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {})

    async def task(_context: JobContext, _payload: Any) -> None:
        """Do nothing."""

    def count(name: str, *_: object) -> None:
        sent[name] += 1

    settings = RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"])
    async with (
        open_redis(settings, retry_timeout=10, on_command=count) as redis,
        running_worker(replace(resources, redis=redis), task),
    ):
        await until(lambda: is_empty(queue))

    assert sent.total() < 140


@pytest.mark.parametrize("passed_on", [False, True], ids=["before", "after"])
async def test_a_step_whose_connection_is_cut_neither_loses_nor_repeats_a_job(
    queue: JobQueue, resources: Resources, servers: Mapping[str, str], *, passed_on: bool
) -> None:
    """Before or after Redis has received it; the job whose claim was not heard of is claimed after its lease."""
    ran: Ran = []
    url = servers["IMAGECONVERTER_REDIS_URL"]
    ids = [f"{uuid4().hex}-{number}" for number in range(6)]
    for job_id in ids:
        await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    port = urlsplit(url).port or 0
    async with fault_proxy(port) as proxy:

        async def task(context: JobContext, _payload: Any) -> None:
            ran.append((context["job_id"], context["job_try"]))
            if context["job_id"] == ids[1]:
                proxy.cut_once(ids[1].encode(), passed_on=passed_on)

        settings = RedisSettings(url=url.replace(str(port), str(proxy.port)))
        async with (
            open_redis(settings, retry_timeout=10) as redis,
            running_worker(replace(resources, redis=redis), task, slots=1),
        ):
            await until(lambda: is_empty(queue), seconds=20)

    assert sorted(job_id for job_id, _ in ran) == sorted(ids)
    assert [key async for key in resources.redis.scan_iter(match=f"*{ids[0][:32]}*", count=1000)] == []
    assert not (await queue.dead.times()).keys() & set(ids)


async def test_a_job_whose_end_is_not_heard_of_within_its_lease_runs_again(
    queue: JobQueue, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A master of Redis that takes over may lack what the job has recorded before."""
    ran: Ran = []
    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {})
    original = Leases.finish_and_claim

    async def late(self: Leases, finished: Any, *args: Any, **options: Any) -> Any:
        if finished and len(ran) == 1:
            await until(has_expired, seconds=20)
        return await original(self, finished, *args, **options)

    async def has_expired() -> bool:
        return not await resources.redis.exists(lease_key(job_id))

    async def task(context: JobContext, _payload: Any) -> None:
        ran.append((context["job_id"], context["job_try"]))

    monkeypatch.setattr(Leases, "finish_and_claim", late)
    async with running_worker(resources, task, slots=1):
        await until(lambda: is_empty(queue), seconds=20)

    assert ran == [(job_id, 1), (job_id, 2)]


async def test_a_job_has_no_ids_of_the_request_of_the_job_before(queue: JobQueue, resources: Resources) -> None:
    """Although the end of that one has started it."""
    bound: list[str | None] = []

    async def task(_context: JobContext, _payload: Any) -> None:
        bound.append(structlog.contextvars.get_contextvars().get(request_ids.REQUEST_ID))

    async def enqueue(number: int, request: str) -> None:
        request_ids.bind({request_ids.REQUEST_ID: request})
        await queue.enqueue(QueueName.SCAN, "task", f"{number}-{uuid4().hex}", {})

    for number, request in enumerate(("first", "", "third")):
        await asyncio.create_task(enqueue(number, request))
    async with running_worker(resources, task, slots=1):
        await until(lambda: is_empty(queue))

    assert bound == ["first", None, "third"]


async def test_a_job_that_arq_enqueues_runs(queue: JobQueue, resources: Resources) -> None:
    """Jobs have arq's form."""
    ran: Ran = []

    async def task(context: JobContext, payload: Any) -> None:
        ran.append((payload["name"], context["job_try"]))

    client = ArqRedis(resources.redis.connection_pool, job_serializer=encode)
    await client.enqueue_job("task", {"name": "a"}, _queue_name=keys.queue(QueueName.SCAN))
    async with running_worker(resources, task):
        await until(lambda: is_empty(queue))

    assert ran == [("a", 1)]


async def test_arq_runs_a_job_of_the_queue(queue: JobQueue, resources: Resources) -> None:
    """And leaves nothing of it."""
    ran: Ran = []

    async def task(context: dict[str, Any], payload: Any) -> None:
        ran.append((payload["name"], context["job_try"]))

    job_id = uuid4().hex
    await queue.enqueue(QueueName.SCAN, "task", job_id, {"name": "a"})
    worker = Worker(
        [func(task, name="task")],  # type: ignore[arg-type]
        queue_name=keys.queue(QueueName.SCAN),
        redis_pool=ArqRedis(resources.redis.connection_pool),
        burst=True,
        handle_signals=False,
        keep_result=0,
        job_deserializer=json.loads,
    )
    await worker.async_run()

    assert ran == [("a", 1)]
    assert [key async for key in resources.redis.scan_iter(match=f"arq:*{job_id}*", count=1000)] == []
