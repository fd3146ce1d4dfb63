"""Automatic runs: beside the runs of people, and out of their sight where these ask for the last run."""

import asyncio
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning
from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunSummary, plan_more, read_history, requeue_stalled_run
from imageconverter.runs.run import Batch
from tests.runs.test_store import result, waiting
from tests.testing.runs import THUMBNAIL, Client, get, post, put_sources

pytestmark = pytest.mark.usefixtures("no_run")


async def started(resources: Resources, *, automatic: bool) -> Run:
    """Start a run over three new sources."""
    directory = await put_sources(resources, {f"{number}.png": b"x" for number in range(3)})
    run = Run(
        id=uuid4().hex[:12],
        action="automatic" if automatic else "manual",
        batches=(Batch(directory=directory, formats=(load_formats(None)[THUMBNAIL],)),),
        formats=(THUMBNAIL,),
        started_by="task automatic" if automatic else "key shop",
        automatic=automatic,
    )
    await resources.runs.start(run)
    return run


async def convert(resources: Resources, run: Run) -> None:
    """Record the sources of a run as workers do."""
    for index in range(3):
        await resources.runs.record(run.id, result(index), index)


async def test_an_automatic_run_neither_refuses_nor_delays_another_one(resources: Resources) -> None:
    """Each has jobs of its own, and ends when they are done."""
    automatic = await started(resources, automatic=True)
    other = await started(resources, automatic=False)
    for run in (automatic, other):
        await plan_more(run.id, resources.runs, resources.store)
        assert await waiting(resources, run) == [0, 1, 2]
    with pytest.raises(RunAlreadyRunning):
        await started(resources, automatic=True)
    with pytest.raises(RunAlreadyRunning):
        await started(resources, automatic=False)

    await convert(resources, other)
    assert not await resources.runs.is_running(other.id)
    assert await resources.runs.is_running(automatic.id)
    await convert(resources, automatic)
    assert not await resources.runs.is_running(automatic.id)


async def test_what_a_client_asks_of_the_last_run_is_that_of_a_person(resources: Resources, gateway: Client) -> None:
    """Or a client that waits for its run would wait for another one, and read its results."""
    assert (await get(gateway, "/images/convert/status"))[1]["status"] == "ready"
    automatic = await started(resources, automatic=True)
    assert (await get(gateway, "/images/convert/status"))[1]["status"] == "ready"
    assert (await get(gateway, f"/images/convert/status?run={automatic.id}"))[1]["status"] == "running"
    assert await get(gateway, "/images/convert/results") == (200, {"items": []})

    status, _ = await post(gateway, "/images/convert/cancel", {})
    assert (status, await resources.runs.is_running(automatic.id)) == (200, True)
    status, canceled = await post(gateway, f"/images/convert/cancel?run={automatic.id}", {})
    assert (status, canceled["status"]) == (200, "canceled")
    assert (await post(gateway, "/images/convert/cancel?run=unknown", {}))[0] == 404


async def test_the_history_has_both_kinds_in_the_order_of_their_starts(resources: Resources) -> None:
    """With action and starter."""
    automatic = await started(resources, automatic=True)
    async with resources.redis.pipeline() as pipe:
        pipe.hincrby(keys.run(automatic.id), "started", -10)
        await pipe.execute()
    other = await started(resources, automatic=False)
    page = await read_history(resources.runs, resources.store)
    shown = [(each.run.id, each.run.action) for each in page.runs]
    assert shown == [(other.id, "manual"), (automatic.id, "automatic")]


async def test_the_history_is_in_the_order_of_the_starts_although_the_clock_of_redis_was_set(
    resources: Resources,
) -> None:
    """The last run is the first one, also if it was started earlier by the clock."""
    first = await started(resources, automatic=False)
    await resources.runs.cancel(first.id, seconds=20)
    last = await started(resources, automatic=False)
    async with resources.redis.pipeline() as pipe:
        pipe.hincrby(keys.run(last.id), "started", -1000)
        await pipe.execute()
    page = await read_history(resources.runs, resources.store)
    assert [each.run.id for each in page.runs][:2] == [last.id, first.id]


async def test_a_stalled_automatic_run_is_planned_again(resources: Resources) -> None:
    """Its planner's job was lost, as was that of another run."""
    runs = [await started(resources, automatic=automatic) for automatic in (True, False)]
    await resources.redis.delete(keys.queue(QueueName.BATCH))
    assert await requeue_stalled_run(resources.runs, resources.queue) == 2
    for run in runs:
        await plan_more(run.id, resources.runs, resources.store)
        await convert(resources, run)
        assert not await resources.runs.is_running(run.id)


async def test_restored_automatic_runs_are_not_those_of_people(resources: Resources) -> None:
    """Redis has lost both."""
    summaries = []
    for automatic in (True, False):
        run = await started(resources, automatic=automatic)
        await resources.runs.cancel(run.id, seconds=20)
        status = await resources.runs.status(run.id)
        assert status is not None
        summaries.append(RunSummary.of(status, results=0))
    lost = [keys.run(each.run.id) for each in summaries]
    await resources.redis.delete(keys.RUNS, keys.AUTOMATIC_RUNS, *lost)

    assert sum(await asyncio.gather(*(resources.runs.restore(summaries) for _ in range(2)))) == 2
    assert await resources.runs.history(automatic=True) == [summaries[0].run.id]
    assert await resources.runs.history() == [summaries[1].run.id]
