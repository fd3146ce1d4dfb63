"""Many requests to compare runs: comparing must not keep the reporter from others."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient

from imageconverter import keys
from imageconverter.catalog.database import Workspace
from imageconverter.jobs import QueueName
from imageconverter.reports import commands
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunSummary
from imageconverter.runs.comparison import RunComparison
from services.reporter.tasks import ReporterTasks
from tests.conftest import ADMIN

_WAITING = 20


@pytest.fixture
async def runs(resources: Resources) -> tuple[str, str]:
    """Two runs that have ended."""
    ids = (uuid4().hex[:12], uuid4().hex[:12])
    for each in ids:
        summary = RunSummary(
            run=Run(id=each, action="", batches=(), formats=()),
            state="finished",
            sources={},
            outputs={},
            sources_total=0,
            outputs_total=0,
            started=1,
            ended=2,
            results=0,
        )
        await resources.store.put(
            keys.run_summary(each), summary.model_dump_json().encode(), content_type="application/json"
        )
    return ids


@pytest.fixture
async def busy_reporter(resources: Resources) -> AsyncIterator[None]:
    """Let as many commands wait as comparisons may find."""
    await resources.redis.delete(keys.queue(QueueName.SCAN))  # what other tests have left
    for number in range(_WAITING):
        await resources.queue.enqueue(QueueName.SCAN, "task", f"waiting-{number}", {})
    yield
    await resources.redis.delete(keys.queue(QueueName.SCAN))


@pytest.mark.usefixtures("busy_reporter")
async def test_comparisons_are_refused_while_many_commands_wait(
    gateway: TestClient[Any, Any], resources: Resources, runs: tuple[str, str]
) -> None:
    """And with the time after which to try again."""
    response = await gateway.post("/images/convert/compare", json={"run": runs[0], "base": runs[1]}, headers=ADMIN)

    assert response.status == 503, await response.text()
    assert "Retry-After" in response.headers
    assert await resources.queue.depth(QueueName.SCAN) == _WAITING


async def test_equal_requests_are_carried_out_once(
    resources: Resources, runs: tuple[str, str], tmp_path: Path
) -> None:
    """A command finds what one before has stored."""
    run, base = runs
    stored = RunComparison(run=run, base=base, same=1, failed=2, fixed=3, new=4, gone=5)
    await resources.store.put(
        keys.comparison(run, base), stored.model_dump_json().encode(), content_type="application/json"
    )
    tasks = ReporterTasks(
        resources.store,
        resources.queue,
        resources.formats,
        Mock(),
        Workspace(tmp_path),
        Mock(),
        Mock(),
        resources.outbox,
        resources.runs,
    )
    command = commands.CompareRunsCommand(id=uuid4().hex, run=run, base=base)
    await tasks.tasks()[commands.COMPARE_RUNS]({"job_id": command.id, "job_try": 1}, command.model_dump())

    assert RunComparison.model_validate(await resources.queue.wait(command.id, seconds=5)) == stored
