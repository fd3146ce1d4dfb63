"""Runs over the sources that have failed in an earlier run."""

import asyncio
import secrets
from typing import Final, NamedTuple

from imageconverter import keys
from imageconverter.errors import InvalidValue, RunAlreadyRunning
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.subshops import Subshops
from imageconverter.runs.result_query import ResultQuery
from imageconverter.runs.results import read_results
from imageconverter.runs.run import Batch, Run, RunStatus
from imageconverter.runs.run_source import RunSource
from imageconverter.runs.store import RunStore
from imageconverter.storage.store import ObjectStore

_FAILED: Final = ResultQuery("error")
# Of the earlier run, so that a call ends soon although few have failed.
_RESULTS_AT_ONCE: Final = 20_000


class FailedSources(NamedTuple):
    """Some of the sources that have failed."""

    sources: list[RunSource]
    """Their ETags are ""."""
    next_cursor: int | None
    """Where the next ones begin, None if these are the last."""


def create_retry(subshops: Subshops, failed: RunStatus, *, action: str, started_by: str, run_id: str = "") -> Run:
    """Return a run over the sources of *failed* with an error, in its formats as they are configured now.

    Raises RunAlreadyRunning if that run has not ended, InvalidValue if there is nothing to retry, and if its subshop
    is not configured any more.
    """
    if failed.is_running:
        raise RunAlreadyRunning("The run has not ended yet.")
    if not failed.sources.error:
        raise InvalidValue("No source of this run has failed.", field="run")
    subshop = subshops.get(failed.run.subshop) if failed.run.subshop else subshops.default
    if subshop is None:
        raise InvalidValue("The subshop of this run is not configured any more.", field="run")

    def now(image_format: ImageFormat) -> ImageFormat | None:
        # An automatic run has the formats of all subshops.
        return (
            subshops.configured(image_format) if failed.run.automatic else subshop.formats.get(image_format.node_id)
        )

    batches = [
        Batch(directory=batch.directory, formats=configured)
        for batch in failed.run.batches
        if (configured := tuple(found for each in batch.formats if (found := now(each))))
    ]
    if not batches:
        raise InvalidValue("None of the formats of this run is configured any more.", field="run")
    node_ids = {each.node_id for batch in batches for each in batch.formats}
    return Run(
        id=run_id or secrets.token_hex(6),
        action=action or failed.run.action,
        batches=tuple(batches),
        formats=tuple(each for each in failed.run.formats if each in node_ids),
        started_by=started_by,
        retry_of=failed.run.id,
        subshop=failed.run.subshop,
    )


async def failed_sources(
    run: Run, run_store: RunStore, store: ObjectStore, *, start: int, limit: int
) -> FailedSources:
    """Return up to *limit* of the sources of a retry, from the earlier run's result number *start* on.

    There may be none although there are more. Raises QueueUnavailable, StoreUnavailable.
    """
    page = await read_results(
        run.retry_of, run_store, store, start=start, limit=limit, query=_FAILED, max_read=_RESULTS_AT_ONCE
    )
    batches = {each.node_id: index for index, batch in enumerate(run.batches) for each in batch.formats}
    found = []
    for result in page.results:
        batch = next((batches[node_id] for node_id, _ in result.outputs if node_id in batches), None)
        if batch is not None:
            found.append(RunSource(keys.source(result.source), "", batch))
    return FailedSources(found, page.next_cursor)


async def with_etags(sources: list[RunSource], store: ObjectStore) -> list[RunSource]:
    """Return *sources* with their ETags; those that do not exist any more fail when they are converted."""
    found = await asyncio.gather(*(store.head(source.key) for source in sources))
    return [
        source._replace(etag=stored.etag) if stored else source for source, stored in zip(sources, found, strict=True)
    ]
