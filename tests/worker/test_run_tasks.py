"""The tasks of runs, called as the queue calls them."""

from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest

from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import JobContext, QueueName, redis_command
from imageconverter.resources import Resources
from imageconverter.runs import RunRequest, create_run
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

    await queue_tasks(resources, Mock(), Mock(), max_expensive=1)[QueueName.BATCH].tasks[task](CONTEXT, payload)

    status = await resources.runs.status(run_id)
    assert status is not None
    assert (status.state, status.reason) == ("error", "The stored run cannot be read by this release.")


async def test_failed_job_of_a_run_that_cannot_be_read_ends_the_run(resources: Resources) -> None:
    """A job that has used up its attempts is recorded in its run, which must not raise."""
    run_id = await _unreadable_run(resources)

    fallbacks = queue_tasks(resources, Mock(), Mock(), max_expensive=1)[QueueName.BATCH].give_up
    await fallbacks[CONVERT_TASK](CONTEXT, [run_id, 0, 0, "source/x.png", "e"])

    status = await resources.runs.status(run_id)
    assert status is not None
    assert status.state == "error"
