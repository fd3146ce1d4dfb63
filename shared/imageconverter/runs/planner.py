"""Handing out the sources of a run, a window at a time, and counting them."""

from collections.abc import Iterator, Sequence

from imageconverter.images import directories
from imageconverter.jobs import JobQueue, QueueName
from imageconverter.runs.cursor import CountCursor, PlanCursor
from imageconverter.runs.job import PLAN_TASK, RunJob
from imageconverter.runs.results import move_results
from imageconverter.runs.store import FLUSH_AT, WINDOW, RunSource, RunStore
from imageconverter.storage.store import ObjectStore

# Handed out in one step: Redis does nothing else meanwhile, and a thousand would take it ten milliseconds and more.
_CHUNK_SIZE = 100
# Counted by one call, so that one whose worker is killed has little to do again.
_PAGES_AT_ONCE = 5


async def plan_more(run_id: str, run_store: RunStore, store: ObjectStore, *, most: int = WINDOW) -> bool:
    """Move results to the store and hand out sources until the window is full or all are listed, but *most* or so.

    Returns whether it has come so far, and need not be called again at once. It may be killed at any point and
    called again at any time, by two at once too: where it goes on is written in one step with what it hands out.
    It is called by the recording of sources when few are left.
    """
    cursor = await run_store.begin_planning(run_id)
    run = await run_store.run(run_id)
    if run is None:
        return True
    running = await run_store.is_running(run_id)
    await move_results(run_id, run_store, store, at_least=FLUSH_AT if running else 1)
    enough = cursor.planned + most
    while running and not cursor.listed and cursor.outstanding < WINDOW:
        if cursor.planned >= enough:
            return False
        sources, next_cursor = await _next_page(run.batches[cursor.batch].directory, cursor, len(run.batches), store)
        for portion, behind in _portions(sources, cursor, next_cursor):
            outstanding = await run_store.extend(run, cursor, portion, behind)
            if outstanding is None:
                return True
            cursor = behind._replace(outstanding=outstanding)
    if cursor.listed and not cursor.outstanding:
        await move_results(run_id, run_store, store, at_least=1)
    return True


async def count_more(run_id: str, run_store: RunStore, store: ObjectStore) -> bool:
    """Count some more sources of a run beside its conversion, so that its progress can be told as a share.

    It goes on where the last call stopped. Returns whether all are counted, or nobody wants to know any more.
    """
    run = await run_store.run(run_id)
    if run is None:
        return True
    count = await run_store.count(run_id)
    pages = 0
    for index in range(count.batch, len(run.batches)):
        batch, after = run.batches[index], count.after if index == count.batch else ""
        async for page in directories.files(store, "source", batch.directory, after=after):
            if not await run_store.is_running(run_id):
                return True
            if page:
                outputs = count.outputs + len(page) * len(batch.formats)
                count = CountCursor(index, page[-1].key, count.sources + len(page), outputs)
            pages += 1
            if pages == _PAGES_AT_ONCE:
                await run_store.save_count(run_id, count)
                return False
        count = count._replace(batch=index + 1, after="")
    await run_store.save_count(run_id, count)
    return True


async def requeue_stalled_run(run_store: RunStore, queue: JobQueue) -> int:
    """Call the planner of a run that hungers, should the call for it have been lost; returns how many were called.

    A call too many does no harm.
    """
    run_id = await run_store.latest()
    if run_id is None or not await run_store.needs_refill(run_id):
        return 0
    await queue.enqueue(QueueName.BATCH, PLAN_TASK, f"{run_id}:plan:again", RunJob(run_id=run_id).payload())
    return 1


def _portions(
    sources: Sequence[RunSource], cursor: PlanCursor, next_cursor: PlanCursor
) -> Iterator[tuple[Sequence[RunSource], PlanCursor]]:
    """Cut *sources*, found at *cursor*, into portions, each with the place behind it."""
    for begin in range(0, len(sources), _CHUNK_SIZE):
        portion = sources[begin : begin + _CHUNK_SIZE]
        yield portion, cursor._replace(after=portion[-1].key, planned=cursor.planned + begin + len(portion))
    if not sources:
        yield sources, next_cursor


async def _next_page(
    directory: str, cursor: PlanCursor, batches: int, store: ObjectStore
) -> tuple[list[RunSource], PlanCursor]:
    """Return the sources behind *cursor* that the window has room for, and the place behind them."""
    async for page in directories.files(store, "source", directory, after=cursor.after):
        if page:
            sources = [RunSource(stored.key, stored.etag) for stored in page[: WINDOW - cursor.outstanding]]
            next_cursor = cursor._replace(after=sources[-1].key, planned=cursor.planned + len(sources))
            return sources, next_cursor
    batch = cursor.batch + 1
    return [], cursor._replace(batch=batch, after="", listed=batch >= batches)
