"""Which results of a run a request asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Self, get_args

from aiohttp import web

from imageconverter.errors import InvalidValue
from imageconverter.images.conversions import Status
from imageconverter.images.image_formats import ImageFormats
from imageconverter.runs import ResultQuery, SourceResult, find_status
from services.gateway import state
from services.gateway.images_api.run_responses import Result

_STATUSES: Final[tuple[Status, ...]] = get_args(Status)


@dataclass(frozen=True)
class ResultFilter:
    """The requested results, and the names of their formats."""

    formats: ImageFormats
    """The configured ones, for the names in the results."""
    query: ResultQuery

    @classmethod
    async def of(cls, request: web.Request, run_id: str | None) -> Self:
        """Return the filter of `?status=` and `?format=`, a format or set.

        Raises InvalidValue for an unknown status, and for a format that is not configured and that the run has not.
        """
        catalog = request.app[state.FORMATS].current
        requested, node_id = request.query.get("status"), request.query.get("format")
        status = next((each for each in _STATUSES if each == requested), None)
        if status != requested:
            raise InvalidValue(f"status must be one of {', '.join(_STATUSES)}.", field="status")
        if node_id is None:
            return cls(catalog, ResultQuery(status))
        node_ids = catalog.sets.get(node_id, (node_id,))
        if node_ids == (node_id,) and node_id not in catalog:
            runs, store = request.app[state.RUNS], request.app[state.STORE]
            run = None if run_id is None else await find_status(run_id, runs, store)
            if run is None or node_id not in run.run.formats:
                catalog.select([node_id], field="format")
        return cls(catalog, ResultQuery(status, node_ids))

    def results(self, result: SourceResult) -> Iterator[Result]:
        """Yield the requested results of one source; a format that is no longer configured is named by its id."""
        for node_id, outcome in self.query.outputs(result):
            found = self.formats.get(node_id)
            yield Result.of(result.source, found.name if found else node_id, node_id, outcome)
