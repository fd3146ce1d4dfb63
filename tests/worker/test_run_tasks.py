"""The tasks of runs, called as the queue calls them."""

import asyncio
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import JobContext, QueueName, redis_command
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunRequest, create_run
from imageconverter.runs.job import CONVERT_TASK, COUNT_TASK, PLAN_TASK
from services.worker.tasks import queue_tasks
from tests.testing.runs import put_sources

pytestmark = pytest.mark.usefixtures("no_run")

CONTEXT: JobContext = {"job_id": "the id", "job_try": 1}


async def _unreadable_run(resources: Resources) -> str:
    """Start a run and overwrite what Redis has of it."""
    directory = await put_sources(resources, {f"{uuid4().hex}.png": b"x"})
    run = await create_run(resources.store, load_formats(None), RunRequest(source="directory", directory=directory))
    await resources.runs.start(run)
    stored = '{"id": "of another release"}'
    await redis_command(resources.redis, 4, "HSET", f"ic:run:{run.id}", "run", stored)
    return run.id


@pytest.mark.parametrize("form", [list, dict])
@pytest.mark.parametrize("task", [CONVERT_TASK, PLAN_TASK, COUNT_TASK])
async def test_task_of_a_run_that_cannot_be_read_ends_the_run(resources: Resources, task: str, form: type) -> None:
    """Whichever of its jobs comes first; the payload may have the form of this release or of the next."""
    run_id = await _unreadable_run(resources)
    values: dict[str, Any] = {"run_id": run_id, "index": 0, "batch": 0, "key": "source/x.png", "etag": "e"}
    payload = values if form is dict else list(values.values())[: 5 if task == CONVERT_TASK else 1]

    await queue_tasks(resources, Mock(), Mock(), Mock(), max_expensive=1)[QueueName.BATCH].tasks[task](
        CONTEXT, payload
    )

    status = await resources.runs.status(run_id)
    assert status is not None
    assert (status.state, status.reason) == ("error", "The stored run cannot be read by this release.")


async def test_failed_job_of_a_run_that_cannot_be_read_ends_the_run(resources: Resources) -> None:
    """A job that has used up its attempts is recorded in its run, which must not raise."""
    run_id = await _unreadable_run(resources)

    fallbacks = queue_tasks(resources, Mock(), Mock(), Mock(), max_expensive=1)[QueueName.BATCH].give_up
    await fallbacks[CONVERT_TASK](CONTEXT, [run_id, 0, 0, "source/x.png", "e"])

    status = await resources.runs.status(run_id)
    assert status is not None
    assert status.state == "error"


async def _started_job(resources: Resources) -> tuple[Run, dict[str, Any]]:
    """Start a run of one source; returns it with the payload of the job."""
    directory = await put_sources(resources, {f"{uuid4().hex}.png": b"x"})
    run = await create_run(resources.store, load_formats(None), RunRequest(source="directory", directory=directory))
    await resources.runs.start(run)
    return run, {"run_id": run.id, "index": 0, "batch": 0, "key": "source/x.png", "etag": "e"}


async def test_the_job_of_a_canceled_run_ends(resources: Resources) -> None:
    """Although its conversion has not; it is not recorded as converted."""
    run, payload = await _started_job(resources)
    converting, ended = asyncio.Event(), asyncio.Event()

    async def never(_job: object) -> None:
        converting.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    executor = Mock(run=never)
    convert = queue_tasks(resources, executor, Mock(), Mock(), max_expensive=1)[QueueName.BATCH].tasks[CONVERT_TASK]
    working = asyncio.create_task(convert(CONTEXT, payload))
    await converting.wait()
    await resources.runs.cancel(run.id, seconds=5)
    async with asyncio.timeout(20):
        await working

    assert ended.is_set()
    status = await resources.runs.status(run.id)
    assert status is not None
    assert (status.state, sum(status.sources)) == ("canceled", 0)


async def test_a_timeout_of_the_conversion_is_not_taken_for_a_cancel(resources: Resources) -> None:
    """It is recorded as an internal error of one source."""
    run, payload = await _started_job(resources)

    async def late(_job: object) -> None:
        raise TimeoutError

    executor = Mock(run=late)
    await queue_tasks(resources, executor, Mock(), Mock(), max_expensive=1)[QueueName.BATCH].tasks[CONVERT_TASK](
        CONTEXT, payload
    )

    status = await resources.runs.status(run.id)
    assert status is not None
    assert status.sources.error == 1
