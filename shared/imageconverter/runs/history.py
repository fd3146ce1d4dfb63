"""The history of runs: the last ones are in Redis, those before in the object store, for 30 days."""

import asyncio
import heapq
from typing import NamedTuple

from imageconverter import keys
from imageconverter.runs.run import RunStatus
from imageconverter.runs.store import RUNS_KEPT, RunStore
from imageconverter.runs.summary import get_summary
from imageconverter.storage.store import ObjectStore


class HistoryPage(NamedTuple):
    """A part of the history."""

    runs: list[RunStatus]
    """The newest first."""
    cursor: str
    """Where the next page begins, "" if this is the last one."""


async def read_history(run_store: RunStore, store: ObjectStore, *, cursor: str = "") -> HistoryPage:
    """Return the runs that Redis has, automatic ones included, or with a *cursor* some of those before.

    A cursor is the id of the last run on the page before. Raises QueueUnavailable, StoreUnavailable.
    """
    histories = [await run_store.history(automatic=automatic) for automatic in (False, True)]
    known = [each for history in histories for each in history]
    archived = await _archived(store, set(known))
    if cursor:
        begin = archived.index(cursor) + 1 if cursor in archived else 0
        ids, rest = archived[begin : begin + RUNS_KEPT], archived[begin + RUNS_KEPT :]
        summaries = await asyncio.gather(*(get_summary(store, each) for each in ids))
        found = [summary.status for summary in summaries if summary is not None]
    else:
        ids, rest = known, archived
        read = [await asyncio.gather(*map(run_store.status, history)) for history in histories]
        runs, automatic = ([status for status in statuses if status is not None] for statuses in read)
        # Each is in the order of the starts already, also if the clock of Redis was set.
        found = list(heapq.merge(runs, automatic, key=lambda status: -status.started))
    return HistoryPage(found, ids[-1] if ids and rest else "")


async def _archived(store: ObjectStore, known: set[str]) -> list[str]:
    """Return the ids of the runs that ended and that are not *known*, the last one that was archived first."""
    listed = [stored async for page in store.list(keys.run_summaries()) for stored in page]
    listed.sort(key=lambda stored: (stored.modified, stored.key), reverse=True)
    return [run_id for stored in listed if (run_id := keys.run_of(stored.key)) not in known]
