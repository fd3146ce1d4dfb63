"""The planner: enqueues the sources of a run, a window at a time, and counts them."""

from collections.abc import Callable, Iterator, Sequence

from imageconverter.jobs import JobQueue, QueueName
from imageconverter.runs.batch_sources import batch_sources
from imageconverter.runs.cursor import CountCursor, PlanCursor
from imageconverter.runs.job import PLAN_TASK, RunJob
from imageconverter.runs.results import move_results
from imageconverter.runs.retry import failed_sources, with_etags
from imageconverter.runs.run import Run
from imageconverter.runs.run_source import RunSource
from imageconverter.runs.store import FLUSH_AT, WINDOW, RunStore
from imageconverter.runs.unchanged import find_unchanged
from imageconverter.storage.store import ObjectStore

# Enqueued by one script, which blocks Redis: a thousand would take ten milliseconds and more.
_CHUNK_SIZE = 100
# Counted by one call, so that little is repeated if the worker is killed.
_PAGES_AT_ONCE = 5


async def plan_more(
    run_id: str,
    run_store: RunStore,
    store: ObjectStore,
    *,
    limit: int = WINDOW,
    on_unchanged: Callable[[int], None] = lambda _: None,
) -> bool:
    """Move results to the store and enqueue about *limit* sources, until the window is full or all are listed.

    Unchanged sources are recorded instead; *on_unchanged* is called with their number.

    Returns False if it stopped at *limit* and has to be called again at once. It may be killed at any point and
    called again at any time, also concurrently: the cursor moves in the same step in which sources are enqueued. It
    is enqueued by recording a source when few are left. Raises RunUnreadable, QueueUnavailable, StoreUnavailable.
    """
    cursor = await run_store.begin_planning(run_id)
    run = await run_store.run(run_id)
    if run is None:
        return True
    running = await run_store.is_running(run_id)
    await move_results(run_id, run_store, store, at_least=FLUSH_AT if running else 1)
    enough = cursor.planned + limit
    while running and not cursor.listed and cursor.outstanding < WINDOW:
        if cursor.planned >= enough:
            return False
        if run.retry_of:
            sources, next_cursor = await _next_failed(run, cursor, run_store, store)
        else:
            sources, next_cursor = await _next_page(run, cursor, store)
        for portion, behind in _portions(sources, cursor, next_cursor):
            outstanding = await run_store.extend(run, cursor, portion, behind)
            if outstanding is None:
                return True
            cursor = behind._replace(outstanding=outstanding)
            on_unchanged(sum(bool(source.unchanged) for source in portion))
    if cursor.listed and not cursor.outstanding:
        await move_results(run_id, run_store, store, at_least=1)
    return True


async def count_more(run_id: str, run_store: RunStore, store: ObjectStore) -> bool:
    """Count more sources of a run while it converts, so that its progress can be shown as a percentage.

    Continues after the last call. Returns True if all are counted, or if the run is not running any more. Raises
    RunUnreadable, QueueUnavailable, StoreUnavailable.
    """
    run = await run_store.run(run_id)
    if run is None:
        return True
    count = await run_store.count(run_id)
    if run.retry_of:
        return await _count_failed(run, count, run_store, store)
    pages = 0
    for index in range(count.batch, len(run.batches)):
        batch, after = run.batches[index], count.after if index == count.batch else ""
        async for page in batch_sources(store, batch, after=after):
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
    """Enqueue the planner of each running run that needs a refill, in case its job was lost; returns their number.

    A superfluous call does no harm.
    """
    latest = [await run_store.latest(automatic=automatic) for automatic in (False, True)]
    stalled = [run_id for run_id in latest if run_id is not None and await run_store.needs_refill(run_id)]
    for run_id in stalled:
        await queue.enqueue(QueueName.BATCH, PLAN_TASK, f"{run_id}:plan:again", RunJob(run_id=run_id).payload())
    return len(stalled)


def _portions(
    sources: Sequence[RunSource], cursor: PlanCursor, next_cursor: PlanCursor
) -> Iterator[tuple[Sequence[RunSource], PlanCursor]]:
    """Split *sources*, found at *cursor*, into portions, each with the cursor behind it."""
    begins = range(0, max(1, len(sources)), _CHUNK_SIZE)
    for begin in begins:
        portion = sources[begin : begin + _CHUNK_SIZE]
        is_last = begin == begins[-1]
        planned = cursor.planned + begin + len(portion)
        yield portion, next_cursor if is_last else cursor._replace(after=portion[-1].key, planned=planned)


async def _next_page(run: Run, cursor: PlanCursor, store: ObjectStore) -> tuple[list[RunSource], PlanCursor]:
    """Return the sources behind *cursor* for which the window has room, and the cursor behind them."""
    batch = run.batches[cursor.batch]
    async for page in batch_sources(store, batch, after=cursor.after):
        if page:
            found = page[: WINDOW - cursor.outstanding]
            unchanged = await find_unchanged(found, batch.formats, store, run_id=run.id)
            sources = [
                RunSource(stored.key, stored.etag, cursor.batch, unchanged.get(stored.key, ())) for stored in found
            ]
            next_cursor = cursor._replace(after=sources[-1].key, planned=cursor.planned + len(sources))
            return sources, next_cursor
    next_batch = cursor.batch + 1
    return [], cursor._replace(batch=next_batch, after="", listed=next_batch >= len(run.batches))


async def _next_failed(
    run: Run, cursor: PlanCursor, run_store: RunStore, store: ObjectStore
) -> tuple[list[RunSource], PlanCursor]:
    """Return the sources of a retry behind *cursor*, at most those of one portion, and the cursor behind them."""
    limit = min(_CHUNK_SIZE, WINDOW - cursor.outstanding)
    found = await failed_sources(run, run_store, store, start=int(cursor.after or 0), limit=limit)
    planned = cursor.planned + len(found.sources)
    after = "" if found.next_cursor is None else str(found.next_cursor)
    next_cursor = cursor._replace(after=after, planned=planned, listed=found.next_cursor is None)
    return await with_etags(found.sources, store), next_cursor


async def _count_failed(run: Run, count: CountCursor, run_store: RunStore, store: ObjectStore) -> bool:
    """Count more sources of a retry; returns True if all are counted."""
    if count.batch:
        return True
    found = await failed_sources(run, run_store, store, start=int(count.after or 0), limit=WINDOW)
    is_last = found.next_cursor is None
    outputs = sum(len(run.batches[source.batch].formats) for source in found.sources)
    await run_store.save_count(
        run.id,
        CountCursor(
            batch=len(run.batches) if is_last else 0,
            after="" if is_last else str(found.next_cursor),
            sources=count.sources + len(found.sources),
            outputs=count.outputs + outputs,
        ),
    )
    return is_last
