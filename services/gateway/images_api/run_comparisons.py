"""Handlers of `images/convert/compare`: comparing two runs."""

from typing import Annotated, Final, Self, get_args

from aiohttp import web
from pydantic import Field

from imageconverter.errors import InvalidValue, NotFound
from imageconverter.images.conversions import Status
from imageconverter.reports import commands
from imageconverter.reports.commands import CompareRunsCommand
from imageconverter.runs.comparison import (
    ComparedSource,
    Difference,
    RunComparison,
    check_comparable,
    get_comparison,
    read_compared,
)
from services.gateway import state
from services.gateway.http.compression import compressed
from services.gateway.http.responses import Count, NonEmpty, ResponseModel, json_response, optional
from services.gateway.http.revalidation import revalidated
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import cursor, page_size
from services.gateway.images_api.request_bodies import CompareRunsBody

_MAX_WAITING: Final = 20
"""Commands of the reporter: comparing must not keep it from others, as everybody who may read can request it."""
_DIFFERENCES: Final[tuple[Difference, ...]] = get_args(Difference)


class RunComparisonResponse(ResponseModel):
    """How many sources have other outcomes in a run than in one before."""

    run: NonEmpty
    base: NonEmpty
    """The run before."""
    same: Count
    """Sources that failed in both runs, or in neither."""
    failed: Count
    """Sources that failed in the run, but not in the run before."""
    fixed: Count
    """Sources that failed in the run before, but not in the run."""
    new: Count
    """Sources that only the run has."""
    gone: Count
    """Sources that only the run before has."""

    @classmethod
    def of(cls, found: RunComparison) -> Self:
        """Return *found* as a response."""
        return cls(**found.model_dump())


class ComparedSourceResponse(ResponseModel):
    """A source with different outcomes."""

    source: NonEmpty
    """Path of the source in the source tree."""
    before: Status | None = optional()
    """The worst status of its outputs in the run before; omitted if it was not in it."""
    after: Status | None = optional()
    """The worst status of its outputs in the run; omitted if it was not in it."""
    message: str | None = optional()
    """The error, in the run that has one."""

    @classmethod
    def of(cls, found: ComparedSource) -> Self:
        """Return *found* as a response."""
        return cls(source=found.source, before=found.before, after=found.after, message=found.message or None)


class ComparedSourcesPage(ResponseModel):
    """A page of sources with different outcomes."""

    items: tuple[ComparedSourceResponse, ...]
    total: Count
    """The number of all sources with this difference."""
    cursor: Annotated[str, Field(pattern="^[0-9]{1,12}$")] | None = optional()
    """Omitted on the last page."""


async def compare(request: web.Request) -> web.Response:
    """Compare two runs, unless that was done before; the response is empty if it takes longer than a client waits."""
    body = await read_json(request, CompareRunsBody)
    store = request.app[state.STORE]
    await check_comparable(body.run, body.base, request.app[state.RUNS], store)
    found = await get_comparison(store, body.run, body.base)
    if found is None:
        reply = await commands.run_command(
            request.app[state.QUEUE],
            commands.COMPARE_RUNS,
            CompareRunsCommand(id=commands.new_id(), run=body.run, base=body.base),
            seconds=request.app[state.GATEWAY].wait_seconds,
            limit=_MAX_WAITING,
        )
        if reply is None:
            return web.json_response({}, status=202)
        found = RunComparison.model_validate(reply)
    return json_response(RunComparisonResponse.of(found))


@compressed
@revalidated
async def show(request: web.Request) -> web.Response:
    """Return the sources with the difference `?difference=` of a comparison that was made before, in pages."""
    run_id, base_id = request.query.get("run", ""), request.query.get("base", "")
    difference = next((each for each in _DIFFERENCES if each == request.query.get("difference")), None)
    if difference is None:
        raise InvalidValue(f"difference must be one of {', '.join(_DIFFERENCES)}.", field="difference")
    start, limit = cursor(request), page_size(request)
    await check_comparable(run_id, base_id, request.app[state.RUNS], request.app[state.STORE])
    found = await get_comparison(request.app[state.STORE], run_id, base_id)
    if found is None:
        raise NotFound("These runs have not been compared yet.")
    page = await read_compared(request.app[state.STORE], found, difference, start=start, limit=limit)
    return json_response(
        ComparedSourcesPage(
            items=tuple(map(ComparedSourceResponse.of, page.sources)),
            total=getattr(found, difference),
            cursor=None if page.next_cursor is None else str(page.next_cursor),
        )
    )
