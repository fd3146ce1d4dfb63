"""The events of a run: status, rate, and failures as they come."""

import json
from typing import Any

import pytest

from imageconverter.images.conversions import OutputOutcome
from imageconverter.images.formats_file import load_formats
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunRequest, SourceResult, count_more, create_run, plan_more
from tests.conftest import ADMIN
from tests.testing.runs import THUMBNAIL, Client, put_sources

pytestmark = pytest.mark.usefixtures("no_run")

EVENTS = "/images/convert/events?details=true"


async def started(resources: Resources, sources: int) -> Run:
    """Start a run that no worker converts."""
    directory = await put_sources(resources, {f"{n}.png": b"x" for n in range(sources)})
    request = RunRequest(source="directory", directory=directory, formats=(THUMBNAIL,))
    run = await create_run(resources.store, load_formats(None), request)
    await resources.runs.start(run)
    await plan_more(run.id, resources.runs, resources.store)
    await count_more(run.id, resources.runs, resources.store)
    return run


async def record(resources: Resources, run: Run, index: int, status: Any) -> None:
    """Record a result as a worker does."""
    outcome = OutputOutcome(status=status, message=f"no {index}", path=f"{index}.png")
    result = SourceResult(index=index, source=f"{index}.png", outputs=((THUMBNAIL, outcome),))
    await resources.runs.record(run.id, result, index)


async def next_events(stream: Any, event: str) -> dict[str, Any]:
    """Return the data of the next *event*, with its id."""
    found: dict[str, str] = {}
    async for line in stream.content:
        if line == b"\n":
            if found.get("event") == event:
                return {"id": found.get("id"), **json.loads(found["data"])}
            found = {}
        else:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            found[name] = value
    raise AssertionError(f"no {event}")


async def test_failures_are_sent_as_they_come(gateway: Client, resources: Resources) -> None:
    """Each once, also to a client that connects again; the status has rate and time left."""
    run = await started(resources, 6)
    await record(resources, run, 0, "success")
    await record(resources, run, 1, "error")
    async with gateway.get(EVENTS, headers=ADMIN) as stream:
        first = await next_events(stream, "failed")
        await record(resources, run, 2, "error")
        await record(resources, run, 3, "error")
        second = await next_events(stream, "failed")
        status = await next_events(stream, "status")
    async with gateway.get(EVENTS, headers={**ADMIN, "Last-Event-ID": first["id"]}) as stream:
        again = await next_events(stream, "failed")
        await resources.runs.cancel(run.id, seconds=5)
        while (last := await next_events(stream, "status"))["running"]:
            pass

    assert [row["message"] for row in first["items"]] == ["no 1"]
    assert [row["message"] for row in second["items"]] == ["no 2", "no 3"]
    assert (first["total"], second["total"], second["id"]) == (1, 3, "3")
    assert again == second
    assert status["rate"] > 0
    assert status["secondsLeft"] > 0
    assert (status["progress"]["total"], status["id"]) == (6, run.id)
    assert last["status"] == "canceled"
    assert "rate" not in last


async def test_many_failures_are_cut_to_the_last_hundred(gateway: Client, resources: Resources) -> None:
    """The number says how many there are; the results have all."""
    run = await started(resources, 150)
    for index in range(130):
        await record(resources, run, index, "error")
    async with gateway.get(EVENTS, headers=ADMIN) as stream:
        failed = await next_events(stream, "failed")

    assert (failed["total"], len(failed["items"])) == (130, 100)
    assert failed["items"][-1]["message"] == "no 129"
    assert len((await resources.runs.failures(run.id)).last) == 100
