"""Which results of a run a request asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Self, get_args

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.conversions import Status
from imageconverter.images.image_formats import ImageFormat
from imageconverter.runs import ResultQuery, Run, SourceResult, find_status
from services.gateway import state
from services.gateway.images_api.run_responses import Result

_STATUSES: Final[tuple[Status, ...]] = get_args(Status)


@dataclass(frozen=True)
class ResultFilter:
    """The requested results, and the names of their formats."""

    formats: Mapping[str, ImageFormat]
    """For the names in the results."""
    query: ResultQuery

    @classmethod
    async def of(cls, request: web.Request, run_id: str | None) -> Self:
        """Return the filter of `?status=` and `?format=`, a format or set.

        Raises InvalidValue for an unknown status, and for a format that is not configured and that the run has not.
        """
        subshops, run = request.app[state.FORMATS].subshops, None
        if run_id is not None:
            found = await find_status(run_id, request.app[state.RUNS], request.app[state.STORE])
            run = found.run if found else None
        catalog = subshops.get(run.subshop if run else "", subshops.default).formats
        requested, node_id = request.query.get("status"), request.query.get("format")
        status = next((each for each in _STATUSES if each == requested), None)
        if status != requested:
            raise InvalidValue(f"status must be one of {', '.join(_STATUSES)}.", field="status")
        if node_id is None:
            return cls(_named(catalog, run), ResultQuery(status))
        node_ids = catalog.sets.get(node_id, (node_id,))
        if node_ids == (node_id,) and node_id not in catalog and (run is None or node_id not in run.formats):
            catalog.select([node_id], field="format")
        return cls(_named(catalog, run), ResultQuery(status, node_ids))

    @classmethod
    def of_failures(cls, request: web.Request, run: Run) -> Self:
        """Return the filter of the outputs of *run* with an error."""
        return cls(_named(request.app[state.FORMATS].current, run), ResultQuery("error"))

    def results(self, result: SourceResult) -> Iterator[Result]:
        """Yield the requested results of one source; a format that is no longer configured is named by its id."""
        for node_id, outcome in self.query.outputs(result):
            found = self.formats.get(node_id)
            yield Result.of(result.source, found.name if found else node_id, node_id, outcome)


def _named(catalog: Mapping[str, ImageFormat], run: Run | None) -> Mapping[str, ImageFormat]:
    """Return the formats of *catalog*, and those of *run* as they were when it started."""
    return {**catalog, **({each.node_id: each for batch in run.batches for each in batch.formats} if run else {})}
