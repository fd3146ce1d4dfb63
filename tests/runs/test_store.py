"""The run store: each source counts once, whatever is delivered, killed or canceled in between."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.errors import RunAlreadyRunning
from imageconverter.images.conversions import OutputOutcome
from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources
from imageconverter.runs import (
    Run,
    RunRequest,
    RunStore,
    SourceResult,
    count_more,
    create_run,
    plan_more,
    read_results,
    requeue_stalled_run,
)
from imageconverter.runs.cursor import PlanCursor
from imageconverter.runs.run_source import RunSource

THUMBNAIL = "content.imageFormat.thumbnailProduct"
APP = "content.imageFormat.app"

pytestmark = pytest.mark.usefixtures("no_run")


@pytest.fixture
async def run_store(resources: Resources) -> RunStore:
    """The run store on the real Redis; no worker claims the jobs."""
    return resources.runs


@pytest.fixture
def small_window(monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows of ten sources and parts of five results, so that a small run needs many of both."""
    monkeypatch.setattr("imageconverter.runs.store._REFILL_BELOW", 5)
    monkeypatch.setattr("imageconverter.runs.store.FLUSH_AT", 5)
    monkeypatch.setattr("imageconverter.runs.planner.WINDOW", 10)
    monkeypatch.setattr("imageconverter.runs.planner.FLUSH_AT", 5)


async def started(resources: Resources, count: int, *formats: str) -> Run:
    """Store *count* sources and start a run over them."""
    directory = f"run store {uuid4().hex}"
    await asyncio.gather(
        *(resources.store.put(f"source/{directory}/{n:04}.png", b"x", content_type="image/png") for n in range(count))
    )
    if not count:
        await resources.store.put(f"source/{directory}/.directory", b"x", content_type="text/plain")
    request = RunRequest(source="directory", directory=directory, formats=formats or (THUMBNAIL,))
    run = await create_run(resources.store, load_formats(None), request)
    await resources.runs.start(run)
    return run


def result(index: int, *statuses: str) -> SourceResult:
    """Return a result with one output for each of *statuses*."""
    outputs = tuple(
        (THUMBNAIL, OutputOutcome(status=status, message=status, path=f"{index}.png"))
        for status in statuses or ("success",)
    )
    return SourceResult(index=index, source=f"{index}.png", outputs=outputs)


async def waiting(resources: Resources, run: Run) -> list[int]:
    """Return the indexes of the sources that are handed out."""
    ids = [each.decode() for each in await resources.redis.zrange(keys.queue(QueueName.BATCH), 0, -1)]
    return sorted(int(i.partition(":")[2]) for i in ids if i.startswith(run.id) and i.partition(":")[2].isdigit())


async def calls(resources: Resources, run: Run) -> list[str]:
    """Return the calls for the planner that wait."""
    ids = [each.decode() for each in await resources.redis.zrange(keys.queue(QueueName.BATCH), 0, -1)]
    return [each for each in ids if each.startswith(f"{run.id}:plan:")]


async def work(resources: Resources, run: Run, *, chance: Callable[[], Any] | None = None) -> None:
    """Do what workers do until nothing of the run waits: plan when called, record every source."""
    redis, queue = resources.redis, keys.queue(QueueName.BATCH)
    async with asyncio.timeout(60):
        while ids := [each.decode() for each in await redis.zrange(queue, 0, 50)]:
            for job_id in ids:
                if job_id.startswith(f"{run.id}:plan:"):
                    await plan_more(run.id, resources.runs, resources.store)
                elif job_id.partition(":")[2].isdigit():
                    index = int(job_id.partition(":")[2])
                    await resources.runs.record(run.id, result(index), index)
                    if chance is not None:
                        await chance()
                await redis.zrem(queue, job_id)


async def test_source_recorded_many_times_counts_once(resources: Resources, run_store: RunStore) -> None:
    """Jobs are delivered at least once; the first record wins."""
    run = await started(resources, 3, THUMBNAIL, APP)
    await plan_more(run.id, run_store, resources.store)
    recorded = await asyncio.gather(
        *(run_store.record(run.id, result(1, "success", "warning"), 1) for _ in range(20)),
        *(run_store.record(run.id, result(1, "error", "error"), 1) for _ in range(20)),
    )
    status = await run_store.status(run.id)

    assert recorded.count(True) == 1
    assert status is not None
    assert sum(status.sources) == 1
    assert sum(status.outputs) == 2
    assert len((await run_store.unmoved_results(run.id))[1]) == 1


async def test_source_counts_by_the_worst_status_of_its_outputs(resources: Resources, run_store: RunStore) -> None:
    """Error before warning before skipped before success."""
    run = await started(resources, 4)
    await plan_more(run.id, run_store, resources.store)
    for index, statuses in enumerate(
        [("success", "error"), ("warning", "skipped"), ("success", "skipped"), ("success", "success")]
    ):
        await run_store.record(run.id, result(index, *statuses), index)
    status = await run_store.status(run.id)

    assert status is not None
    assert status.sources == (1, 1, 1, 1)
    assert status.outputs == (1, 2, 4, 1)
    assert status.state == "finished"
    assert status.ended >= status.started


@pytest.mark.usefixtures("small_window")
async def test_no_more_than_a_window_is_outstanding(resources: Resources, run_store: RunStore) -> None:
    """However large the run is; recording enqueues the next ones before the workers idle."""
    run = await started(resources, 60)
    most = 0

    async def look() -> None:
        nonlocal most
        most = max(most, len(await waiting(resources, run)))

    await work(resources, run, chance=look)
    status = await run_store.status(run.id)

    assert status is not None
    assert (status.state, status.sources.success) == ("finished", 60)
    assert 5 <= most <= 10


@pytest.mark.usefixtures("small_window")
async def test_results_are_moved_to_the_store_and_read_in_order(resources: Resources, run_store: RunStore) -> None:
    """Redis has few of them; pages of any size return all of them once each."""
    run = await started(resources, 42)
    await work(resources, run)
    await plan_more(run.id, run_store, resources.store)
    moved, recent = await run_store.unmoved_results(run.id)
    for limit in (1, 4, 7, 100):
        position: int | None = 0
        found: list[int] = []
        while position is not None:
            page = await read_results(run.id, run_store, resources.store, start=position, limit=limit)
            found += [each.index for each in page.results]
            position = page.next_cursor
        assert sorted(found) == list(range(42))

    assert moved + len(recent) == 42
    assert moved == 42


@pytest.mark.usefixtures("small_window")
async def test_concurrent_moves_lose_and_duplicate_no_results(resources: Resources, run_store: RunStore) -> None:
    """Twenty planners at once, several times."""
    run = await started(resources, 40)

    async def twenty() -> None:
        await asyncio.gather(*(plan_more(run.id, run_store, resources.store) for _ in range(20)))

    await work(resources, run, chance=twenty)
    page = await read_results(run.id, run_store, resources.store, start=0, limit=1000)
    status = await run_store.status(run.id)

    assert sorted(each.index for each in page.results) == list(range(40))
    assert status is not None
    assert status.sources.success == 40


class Killed(BaseException):
    """What a kill -9 looks like from inside."""


@pytest.mark.usefixtures("small_window")
@pytest.mark.parametrize("after", range(1, 12))
async def test_planner_killed_at_any_point_is_resumed(
    resources: Resources, run_store: RunStore, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """It dies at its n-th command to Redis or the store; the run finishes and each source counts once."""
    run = await started(resources, 25)
    words = 0

    def dying(method: Any) -> Any:
        async def call(*args: Any, **options: Any) -> Any:
            nonlocal words
            words += 1
            if words == after:
                raise Killed
            outcome = await method(*args, **options)
            if words == after - 1 and after % 2:
                words += 1
                raise Killed
            return outcome

        return call

    for name in ("begin_planning", "run", "is_running", "unmoved_results", "results_moved", "extend"):
        monkeypatch.setattr(run_store, name, dying(getattr(run_store, name)))
    try:
        for _ in range(5):
            await plan_more(run.id, run_store, resources.store)
    except Killed:
        pass
    monkeypatch.undo()
    await resources.redis.delete(keys.run_moving(run.id))
    await work(resources, run)  # the call that the dead one had taken is still in the queue
    status = await run_store.status(run.id)
    page = await read_results(run.id, run_store, resources.store, start=0, limit=1000)

    assert status is not None
    assert (status.state, status.sources.success, sum(status.sources)) == ("finished", 25, 25)
    assert sorted(each.index for each in page.results) == list(range(25))


async def test_run_of_an_empty_directory_is_finished(resources: Resources, run_store: RunStore) -> None:
    """There is nothing to do."""
    run = await started(resources, 0)
    await plan_more(run.id, run_store, resources.store)
    status = await run_store.status(run.id)

    assert status is not None
    assert (status.state, status.sources_total) == ("finished", 0)


async def test_second_run_does_not_start_while_one_is_running(resources: Resources, run_store: RunStore) -> None:
    """It starts after the first has ended, and the first is still known."""
    first = await started(resources, 2)
    with pytest.raises(RunAlreadyRunning):
        await started(resources, 2)
    await run_store.cancel(first.id, seconds=5)
    second = await started(resources, 2)

    assert (await run_store.history())[:2] == [second.id, first.id]


async def test_cancel_drops_waiting_jobs_and_waits_for_running_ones(
    resources: Resources, run_store: RunStore
) -> None:
    """A source that is being converted is waited for; its late record does not count."""
    run = await started(resources, 10)
    await plan_more(run.id, run_store, resources.store)
    await resources.redis.set(f"arq:in-progress:{run.id}:3", "a worker", px=30_000)
    canceling = asyncio.create_task(run_store.cancel(run.id, seconds=10))
    await asyncio.sleep(0.3)
    assert not canceling.done()

    await run_store.record(run.id, None, 3)
    await resources.redis.delete(f"arq:in-progress:{run.id}:3")
    await resources.redis.zrem(keys.queue(QueueName.BATCH), f"{run.id}:3")
    await canceling
    status = await run_store.status(run.id)

    assert status is not None
    assert (status.state, sum(status.sources)) == ("canceled", 0)
    assert await waiting(resources, run) == []


async def test_canceled_run_is_not_planned_further(resources: Resources, run_store: RunStore) -> None:
    """A late planner enqueues nothing."""
    run = await started(resources, 10)
    await run_store.cancel(run.id, seconds=5)
    await plan_more(run.id, run_store, resources.store)
    late = await run_store.extend(
        run, PlanCursor(0, "", 0, 0, listed=False), [RunSource("k", "e")], PlanCursor(0, "k", 1, 1, listed=False)
    )

    assert await waiting(resources, run) == []
    assert late is None


async def test_concurrent_planners_do_not_enqueue_the_same_sources(resources: Resources, run_store: RunStore) -> None:
    """The second one sees that another was faster."""
    run = await started(resources, 10)
    await asyncio.gather(*(plan_more(run.id, run_store, resources.store) for _ in range(10)))

    assert await waiting(resources, run) == list(range(10))


@pytest.mark.usefixtures("small_window")
async def test_lost_planner_job_is_enqueued_again(resources: Resources, run_store: RunStore) -> None:
    """For a run that needs a refill; not for one with enough outstanding, or one that has ended."""
    run = await started(resources, 30)
    await resources.redis.delete(keys.queue(QueueName.BATCH))
    assert await requeue_stalled_run(run_store, resources.queue) == 1
    assert await calls(resources, run) == [f"{run.id}:plan:again"]

    await plan_more(run.id, run_store, resources.store)
    assert await requeue_stalled_run(run_store, resources.queue) == 0
    await work(resources, run)
    assert await requeue_stalled_run(run_store, resources.queue) == 0


async def test_old_runs_are_removed(resources: Resources, run_store: RunStore) -> None:
    """Redis keeps the last twenty, and those that still have a backup."""
    first, second = await started(resources, 0), ""
    for _ in range(20):
        latest = await run_store.latest()
        assert latest is not None
        second = second or (latest if latest != first.id else "")
        await run_store.cancel(latest, seconds=5)
        if latest != first.id:
            await run_store.mark_archived(latest)
        await started(resources, 0)
    assert await run_store.status(first.id) is not None
    latest = await run_store.latest()
    assert latest is not None
    await run_store.cancel(latest, seconds=5)
    await run_store.mark_archived(first.id)
    await started(resources, 0)

    assert await run_store.status(first.id) is None
    assert await run_store.status(second) is None
    assert len(await run_store.history()) == 20


async def test_count_continues_where_it_stopped(
    resources: Resources, run_store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not start again if its worker is killed."""
    monkeypatch.setattr("imageconverter.runs.planner._PAGES_AT_ONCE", 1)
    first, second = await started(resources, 3), await order_of(resources, 1200)
    run = first.model_copy(update={"id": "counted", "batches": (*first.batches, *second.batches)})
    await resources.redis.delete(keys.RUNS)
    await run_store.start(run)
    totals = []
    while not await count_more(run.id, run_store, resources.store):
        totals.append((await run_store.count(run.id)).sources)
    stand = await run_store.status(run.id)

    assert totals == [3, 1003, 1203]
    assert stand is not None
    assert (stand.sources_total, stand.outputs_total) == (1203, 3 + 1200 * 2)


async def order_of(resources: Resources, count: int) -> Run:
    """Store *count* sources and return a run over them, in two formats, that is not started."""
    directory = f"run store {uuid4().hex}"
    await asyncio.gather(
        *(resources.store.put(f"source/{directory}/{n:04}.png", b"x", content_type="image/png") for n in range(count))
    )
    request = RunRequest(source="directory", directory=directory, formats=(THUMBNAIL, APP))
    return await create_run(resources.store, load_formats(None), request)
