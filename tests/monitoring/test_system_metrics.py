"""The metrics of the whole system, from what is in Redis."""

from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import redis_command
from imageconverter.monitoring.system_state import system_state
from imageconverter.resources import Resources
from imageconverter.runs import RunRequest, create_run
from services.gateway.metrics import SystemMetrics
from tests.testing.runs import put_sources


async def values(resources: Resources) -> dict[str, float]:
    """Return the metrics that have no labels."""
    state = await system_state([], resources.queue, resources.runs, resources.redis, resources.store)
    return {
        sample.name: sample.value
        for family in SystemMetrics(state, {}).collect()
        for sample in family.samples
        if not sample.labels
    }


@pytest.mark.usefixtures("no_run")
async def test_metrics_have_the_images_of_a_run_until_it_ends(resources: Resources) -> None:
    """As far as they are counted."""
    directory = await put_sources(resources, {f"{uuid4().hex}.png": b"x"})
    run = await create_run(resources.store, load_formats(None), RunRequest(source="directory", directory=directory))
    await resources.runs.start(run)
    counters = ("sources_total", "7", "sources:success", "2", "sources:error", "1")
    await redis_command(resources.redis, 4, "HSET", keys.run(run.id), *counters)

    found = await values(resources)
    assert found["imageconverter_runs_running"] == 1
    assert found["imageconverter_run_waiting_images"] == 7 - 2 - 1

    await resources.runs.fail(run.id, "test")
    found = await values(resources)
    assert found["imageconverter_runs_running"] == 0
    assert found["imageconverter_run_waiting_images"] == 0
