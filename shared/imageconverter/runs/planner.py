"""Handing out the sources of a run, a window at a time, and counting them."""

from collections.abc import Iterator, Sequence

from imageconverter.images import directories
from imageconverter.jobs import JobQueue, QueueName
from imageconverter.runs.cursor import Count, Place
from imageconverter.runs.results import move_results
from imageconverter.runs.run import PLAN_TASK
from imageconverter.runs.store import FLUSH_AT, WINDOW, RunLedger, SourceJob
from imageconverter.storage.store import ObjectStore

# Handed out in one step: Redis does nothing else meanwhile, and a thousand would take it ten milliseconds and more.
_AT_ONCE = 100
# Counted by one call, so that one whose worker is killed has little to do again.
_PAGES_AT_ONCE = 5


async def plan_more(run_id: str, ledger: RunLedger, store: ObjectStore, *, most: int = WINDOW) -> bool:
    """Move results to the store and hand out sources until the window is full or all are listed, but *most* or so.

    Returns whether it has come so far, and need not be called again at once. It may be killed at any point and
    called again at any time, by two at once too: where it goes on is written in one step with what it hands out.
    It is called by the recording of sources when few are left.
    """
    place = await ledger.begin_planning(run_id)
    run = await ledger.run(run_id)
    if run is None:
        return True
    running = await ledger.is_running(run_id)
    await move_results(run_id, ledger, store, at_least=FLUSH_AT if running else 1)
    enough = place.planned + most
    while running and not place.listed and place.outstanding < WINDOW:
        if place.planned >= enough:
            return False
        sources, following = await _next_page(run.batches[place.batch].directory, place, len(run.batches), store)
        for portion, behind in _portions(sources, place, following):
            outstanding = await ledger.extend(run, place, portion, behind)
            if outstanding is None:
                return True
            place = behind._replace(outstanding=outstanding)
    if place.listed and not place.outstanding:
        await move_results(run_id, ledger, store, at_least=1)
    return True


async def count_more(run_id: str, ledger: RunLedger, store: ObjectStore) -> bool:
    """Count some more sources of a run beside its conversion, so that its progress can be told as a share.

    It goes on where the last call stopped. Returns whether all are counted, or nobody wants to know any more.
    """
    run = await ledger.run(run_id)
    if run is None:
        return True
    count = await ledger.count(run_id)
    pages = 0
    for index in range(count.batch, len(run.batches)):
        batch, after = run.batches[index], count.after if index == count.batch else ""
        async for page in directories.files(store, "source", batch.directory, after=after):
            if not await ledger.is_running(run_id):
                return True
            if page:
                outputs = count.outputs + len(page) * len(batch.formats)
                count = Count(index, page[-1].key, count.sources + len(page), outputs)
            pages += 1
            if pages == _PAGES_AT_ONCE:
                await ledger.counted(run_id, count)
                return False
        count = count._replace(batch=index + 1, after="")
    await ledger.counted(run_id, count)
    return True


async def revive(ledger: RunLedger, queue: JobQueue) -> int:
    """Call the planner of a run that hungers, should the call for it have been lost; returns how many were called.

    A call too many does no harm.
    """
    run_id = await ledger.latest()
    if run_id is None or not await ledger.is_hungry(run_id):
        return 0
    await queue.enqueue(QueueName.BATCH, PLAN_TASK, f"{run_id}:plan:again", [run_id])
    return 1


def _portions(
    sources: Sequence[SourceJob], place: Place, following: Place
) -> Iterator[tuple[Sequence[SourceJob], Place]]:
    """Cut *sources*, found at *place*, into portions, each with the place behind it."""
    for begin in range(0, len(sources), _AT_ONCE):
        portion = sources[begin : begin + _AT_ONCE]
        yield portion, place._replace(after=portion[-1].key, planned=place.planned + begin + len(portion))
    if not sources:
        yield sources, following


async def _next_page(directory: str, place: Place, batches: int, store: ObjectStore) -> tuple[list[SourceJob], Place]:
    """Return the sources behind *place* that the window has room for, and the place behind them."""
    async for page in directories.files(store, "source", directory, after=place.after):
        if page:
            sources = [SourceJob(stored.key, stored.etag) for stored in page[: WINDOW - place.outstanding]]
            following = place._replace(after=sources[-1].key, planned=place.planned + len(sources))
            return sources, following
    batch = place.batch + 1
    return [], place._replace(batch=batch, after="", listed=batch >= batches)
