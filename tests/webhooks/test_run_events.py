"""The end of a run is an event, however it ends."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.images.conversions import OutputOutcome
from imageconverter.images.formats_file import load_formats
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunRequest, SourceResult, create_run, plan_more
from imageconverter.webhooks import EndpointRecord
from tests.testing.openapi_document import IMAGES
from tests.testing.runs import THUMBNAIL, put_sources
from tests.testing.webhook_deliveries import forget_all

ENDPOINT = EndpointRecord(id="0", origin="https://example.com", events=("run.finished",))


@pytest.fixture(autouse=True)
async def endpoint(
    no_run: None,  # noqa: ARG001 - it may end a run
    resources: Resources,
) -> AsyncIterator[None]:
    """One endpoint gets the events of runs."""
    await forget_all(resources)
    await resources.outbox.register([ENDPOINT])
    yield
    await forget_all(resources)


async def started(resources: Resources, *names: str) -> Run:
    """Start a run over sources with these names."""
    directory = await put_sources(resources, dict.fromkeys(names or (".directory",), b"x"))
    request = RunRequest(
        action="nightly", source="directory", directory=directory, formats=(THUMBNAIL,), started_by="key shop"
    )
    run = await create_run(resources.store, load_formats(None), request)
    await resources.runs.start(run)
    return run


def result(index: int) -> SourceResult:
    """Return an error as the result of a source."""
    outcome = OutputOutcome(status="error", message="broken", path="a.png")
    return SourceResult(index=index, source="secret.png", outputs=((THUMBNAIL, outcome),))


async def events(resources: Resources) -> list[Any]:
    """Return the recorded events, which the OpenAPI document allows."""
    await resources.outbox.distribute()
    (log,) = await resources.outbox.logs()
    return [IMAGES.check_webhook(each.body) for each in log.deliveries]


async def test_a_run_whose_last_source_is_recorded_has_finished(resources: Resources) -> None:
    """With the counters that the status has, and without the names of images."""
    run = await started(resources, "a.png", "b.png")
    await plan_more(run.id, resources.runs, resources.store)
    await resources.runs.record(run.id, result(0), 0)
    assert await events(resources) == []
    await resources.runs.record(run.id, result(1), 1)
    await resources.runs.record(run.id, result(1), 1)
    (event,) = await events(resources)
    status = await resources.runs.status(run.id)

    assert status is not None
    assert event["data"] == {
        "id": run.id,
        "action": "nightly",
        "startedBy": "key shop",
        "status": "finished",
        "reason": "",
        "counter": {"error": 2, "skipped": 0, "success": 0, "warning": 0},
        "formatCounter": {"error": 2, "skipped": 0, "success": 0, "warning": 0},
        "start": status.started,
        "end": status.ended,
        "usedFormats": [THUMBNAIL],
    }
    assert "secret" not in str(event)


async def test_a_run_without_sources_has_finished(resources: Resources) -> None:
    """When the planner has found none."""
    run = await started(resources)
    await plan_more(run.id, resources.runs, resources.store)
    await plan_more(run.id, resources.runs, resources.store)

    (event,) = await events(resources)
    assert (event["data"]["status"], event["data"]["counter"]["success"]) == ("finished", 0)


async def test_a_canceled_run_has_ended_once(resources: Resources) -> None:
    """Canceling it again is no event."""
    run = await started(resources, "a.png")
    await plan_more(run.id, resources.runs, resources.store)
    await resources.runs.cancel(run.id, seconds=5)
    await resources.runs.cancel(run.id, seconds=5)

    assert [each["data"]["status"] for each in await events(resources)] == ["canceled"]


async def test_a_run_that_fails_has_ended_with_the_reason(resources: Resources) -> None:
    """Its state and the event agree; a run that was canceled before stays canceled."""
    run = await started(resources, "a.png")
    await resources.runs.fail(run.id, "The source directory could not be read.")
    status = await resources.runs.status(run.id)
    (event,) = await events(resources)
    await resources.runs.cancel(run.id, seconds=5)

    assert status is not None
    assert (status.state, status.reason) == ("error", "The source directory could not be read.")
    assert (event["data"]["status"], event["data"]["reason"]) == ("error", status.reason)
    assert len(await events(resources)) == 1


async def test_a_run_that_ends_before_a_reporter_has_started_is_sent(resources: Resources) -> None:
    """A reporter that has no endpoints removes the events, so that they do not gather."""
    await forget_all(resources)
    run = await started(resources, "a.png")
    await resources.runs.cancel(run.id, seconds=5)
    await resources.outbox.register([ENDPOINT])
    assert len(await events(resources)) == 1

    run = await started(resources, "a.png")
    await resources.runs.cancel(run.id, seconds=5)
    await resources.outbox.register([])
    assert await resources.redis.exists(keys.WEBHOOK_EVENTS) == 0
    await resources.outbox.register([ENDPOINT])


async def test_the_same_run_is_the_same_event(resources: Resources) -> None:
    """Also if it has to run again because Redis has lost it; else the ids differ."""
    ids = []
    run = await started(resources, "a.png")
    for _ in range(2):
        await resources.runs.cancel(run.id, seconds=5)
        await resources.outbox.distribute()
        (log,) = await resources.outbox.logs()
        ids += [each.id for each in log.deliveries]
        await forget_all(resources)
        await resources.outbox.register([ENDPOINT])
        await resources.redis.delete(keys.RUNS, keys.run(run.id))
        await resources.runs.start(run)

    assert ids[0] == ids[1]
