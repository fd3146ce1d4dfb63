"""The results of a run: recent ones in Redis, others as NDJSON parts in the store."""

from datetime import timedelta
from typing import Final, NamedTuple

from imageconverter import keys
from imageconverter.runs.run import SourceResult
from imageconverter.runs.store import RunStore
from imageconverter.storage.store import ObjectStore

_KEPT: Final = timedelta(days=30)


class ResultPage(NamedTuple):
    """A page of results, roughly in the order of the run."""

    results: list[SourceResult]
    next_cursor: int | None
    """Start of the next page, None if there is none yet."""


async def move_results(run_id: str, run_store: RunStore, store: ObjectStore, *, at_least: int) -> None:
    """Move the results in Redis to a new part if there are *at_least* that many.

    The name of a part is the number of results before it. One process moves at a time; if it dies, nothing has moved,
    and the next process writes the part again. Raises QueueUnavailable, StoreUnavailable.
    """
    if not await run_store.may_move_results(run_id):
        return
    moved, results = await run_store.unmoved_results(run_id)
    if len(results) < at_least:
        await run_store.results_moved(run_id, after=moved, count=0)
        return
    results.sort(key=lambda result: result.index)
    text = "".join(result.model_dump_json(exclude_defaults=True) + "\n" for result in results)
    await store.put(keys.result_part(run_id, moved), text.encode(), content_type="application/x-ndjson")
    await run_store.results_moved(run_id, after=moved, count=len(results))


async def read_results(run_id: str, run_store: RunStore, store: ObjectStore, *, start: int, limit: int) -> ResultPage:
    """Return up to *limit* results from number *start* on; raises QueueUnavailable, StoreUnavailable."""
    moved, recent = await run_store.unmoved_results(run_id)
    recent.sort(key=lambda result: result.index)
    found: list[SourceResult] = []
    position = start
    if position < moved:
        parts = [part async for page in store.list(keys.result_parts(run_id)) for part in page]
        begins = [int(part.key.rpartition("/")[2].partition(".")[0]) for part in parts]
        for part, begin, end in zip(parts, begins, [*begins[1:], moved], strict=True):
            if position < end and len(found) < limit:
                loaded = await store.get(part.key)
                lines = bytes(loaded.data).splitlines() if loaded else []
                wanted = lines[position - begin : position - begin + limit - len(found)]
                found += [SourceResult.model_validate_json(line) for line in wanted]
                position += len(wanted)
    if position >= moved:
        wanted_recent = recent[position - moved : position - moved + limit - len(found)]
        found += wanted_recent
        position += len(wanted_recent)
    return ResultPage(found, position if position < moved + len(recent) else None)


async def sweep(run_store: RunStore, store: ObjectStore, *, kept: timedelta = _KEPT) -> int:
    """Delete results and summaries older than *kept* of runs that Redis does not have; returns their number."""
    oldest = await store.cutoff(kept)
    known: dict[str, bool] = {}
    swept = 0
    async for page in store.list(keys.RUN_RESULTS):
        expired = []
        for stored in page:
            run_id = keys.run_of(stored.key)
            if stored.modified >= oldest or not run_id:
                continue
            if run_id not in known:
                known[run_id] = await run_store.is_known(run_id)
            if not known[run_id]:
                expired.append(stored.key)
        await store.delete(expired)
        swept += len(expired)
    return swept
