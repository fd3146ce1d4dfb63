"""The results of a run: recent ones in Redis, others as NDJSON parts in the store."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from datetime import timedelta
from typing import Final, NamedTuple

from imageconverter import keys
from imageconverter.images.output_index import OutputIndex
from imageconverter.runs.result_query import ResultQuery
from imageconverter.runs.run import Counts, SourceResult, is_run_id
from imageconverter.runs.store import RunStore
from imageconverter.runs.summary import get_summary
from imageconverter.storage.store import ObjectStore

_KEPT: Final = timedelta(days=30)
_AUTOMATIC_KEPT: Final = timedelta(days=3)  # there may be one every few seconds


class ResultPage(NamedTuple):
    """A page of results, roughly in the order of the run."""

    results: list[SourceResult]
    next_cursor: int | None
    """Start of the next page, None if there is none yet."""


class _Unread(NamedTuple):
    """Results that were not read yet."""

    run_id: str
    moved: int
    recent: Sequence[SourceResult]
    start: int


async def move_results(run_id: str, run_store: RunStore, store: ObjectStore, *, at_least: int) -> None:
    """Move the results in Redis to a new part, and to the output index, if there are *at_least* that many.

    One process moves at a time; if it dies, nothing has moved, and the next process writes the part again. Raises
    QueueUnavailable, StoreUnavailable.
    """
    if not await run_store.may_move_results(run_id):
        return
    moved, results = await run_store.unmoved_results(run_id)
    if len(results) < at_least:
        await run_store.results_moved(run_id, after=moved, count=0)
        return
    results.sort(key=lambda result: result.index)
    key = keys.result_part(run_id, moved, len(results), *Counts.of_outputs(results))
    await store.put(key, _ndjson(results), content_type="application/x-ndjson")
    await OutputIndex(store).add(made for result in results for made in result.made)
    await run_store.results_moved(run_id, after=moved, count=len(results))


async def read_results(
    run_id: str,
    run_store: RunStore,
    store: ObjectStore,
    *,
    start: int,
    limit: int,
    query: ResultQuery | None = None,
    max_read: int | None = None,
) -> ResultPage:
    """Return up to *limit* results from number *start* on, those that match *query*.

    Reads at most *max_read*, by default *limit*, results, so that a page may have fewer results, or none, although
    there are more. Parts that have no result for the query are not read. Raises QueueUnavailable, StoreUnavailable.
    """
    query = query or ResultQuery()
    moved, recent = await unmoved_results(run_id, run_store, store)
    end = moved + len(recent)
    found: list[SourceResult] = []
    read = 0
    async with aclosing(_read(run_store, store, _Unread(run_id, moved, recent, start), query)) as results:
        async for number, result in results:
            is_full = len(found) == limit and result is not None
            if is_full or read == (max_read or limit):
                return ResultPage(found, number)
            read += 1
            if result is not None:
                found.append(result)
            if query.is_all and len(found) == limit:  # the next one need not be read
                return ResultPage(found, number + 1 if number + 1 < end else None)
    return ResultPage(found, None)


async def _read(
    run_store: RunStore, store: ObjectStore, unread: _Unread, query: ResultQuery
) -> AsyncGenerator[tuple[int, SourceResult | None]]:
    """Yield the numbers of the *unread* results, each with the result, None if it does not match *query*."""
    run_id, moved, recent, start = unread
    for part in await run_store.parts.list(run_id, store, moved=moved) if start < moved else []:
        if part.end <= start or not part.may_have(query.status):
            continue
        loaded = await store.get(part.key)
        if loaded is None:
            run_store.parts.forget(run_id, moved=moved)
            continue
        for number, line in enumerate(bytes(loaded.data).splitlines(), part.first):
            if number >= start:
                result = SourceResult.model_validate_json(line) if query.may_match(line) else None
                yield number, result if result and query.matches(result) else None
    for number, result in enumerate(recent, moved):
        if number >= start:
            yield number, result if query.matches(result) else None


async def result_lines(run_id: str, run_store: RunStore, store: ObjectStore) -> AsyncGenerator[bytes]:
    """Yield all results of a run as NDJSON, about a thousand at a time. Raises QueueUnavailable, StoreUnavailable."""
    moved, recent = await unmoved_results(run_id, run_store, store)
    for part in await run_store.parts.list(run_id, store, moved=moved):
        loaded = await store.get(part.key)
        if loaded is not None:
            yield bytes(loaded.data)
    if recent:
        yield _ndjson(recent)


async def unmoved_results(run_id: str, run_store: RunStore, store: ObjectStore) -> tuple[int, list[SourceResult]]:
    """Return the number of results in the store, and those that Redis has, in the order of the run."""
    moved, recent = await run_store.unmoved_results(run_id)
    if not moved and not recent and is_run_id(run_id) and (summary := await get_summary(store, run_id)):
        return summary.results, []
    return moved, sorted(recent, key=lambda result: result.index)


def _ndjson(results: Sequence[SourceResult]) -> bytes:
    return "".join(
        result.model_dump_json(exclude_defaults=True, exclude={"made"}) + "\n" for result in results
    ).encode()


async def sweep(run_store: RunStore, store: ObjectStore, *, kept: timedelta = _KEPT) -> int:
    """Delete results and summaries older than *kept* of runs that Redis does not have; returns their number.

    Those of automatic runs are deleted after three days.
    """
    oldest, oldest_automatic = await store.cutoff(kept), await store.cutoff(min(kept, _AUTOMATIC_KEPT))
    known: dict[str, bool] = {}
    swept = 0
    async for page in store.list(keys.RUN_RESULTS):
        expired = []
        for stored in page:
            run_id = keys.run_of(stored.key)
            is_automatic = run_id.startswith(keys.AUTOMATIC_RUN_ID)
            if not run_id or stored.modified >= (oldest_automatic if is_automatic else oldest):
                continue
            if run_id not in known:
                known[run_id] = await run_store.is_known(run_id)
            if not known[run_id]:
                expired.append(stored.key)
        await store.delete(expired)
        swept += len(expired)
    return swept
