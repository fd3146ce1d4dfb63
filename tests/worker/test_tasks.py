"""Which conversions go first in the sandbox."""

from typing import Any
from unittest.mock import Mock

import pytest

from imageconverter.images.conversions import TASK, ConversionJob, ConversionOutcome
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from services.worker.conversion_executor import ConversionExecutor
from services.worker.preview_executor import PreviewExecutor
from services.worker.tasks import queue_tasks


@pytest.mark.parametrize("queue", [QueueName.INTERACTIVE, QueueName.EXPENSIVE, QueueName.BATCH])
async def test_only_jobs_of_the_interactive_queue_are_interactive(
    resources: Resources, monkeypatch: pytest.MonkeyPatch, queue: QueueName
) -> None:
    """A repair, which is a batch job without a run, does not delay clients that wait."""
    seen: list[QueueName] = []

    async def run(
        _self: ConversionExecutor, _job: ConversionJob, *, queue: QueueName = QueueName.BATCH
    ) -> ConversionOutcome:
        seen.append(queue)
        return ConversionOutcome()

    monkeypatch.setattr(ConversionExecutor, "run", run)
    executor = ConversionExecutor(resources.store, None, 1)  # type: ignore[arg-type]
    previews: Any = object.__new__(PreviewExecutor)
    tasks = queue_tasks(resources, executor, previews, Mock(), max_expensive=1)[queue].tasks
    job = ConversionJob(id="a", source_key="source/a.png", outputs=())
    await tasks[TASK]({"job_id": "a", "job_try": 1}, job.model_dump())

    assert seen == [queue]
