"""The pages *Runs*: the active one, the history, a run with its results, and the comparison of two runs."""

from datetime import UTC, datetime
from typing import Any, Final, get_args

from aiohttp import web

from imageconverter.errors import NotFound
from imageconverter.images.conversions import Status
from imageconverter.images.image_formats import ImageFormat
from imageconverter.runs import (
    ResultQuery,
    Run,
    RunStatus,
    SourceResult,
    find_status,
    read_history,
    read_results,
)
from imageconverter.runs.comparison import Difference, check_comparable, get_comparison, read_compared
from services.gateway import state
from services.gateway.auth.route_permissions import grant_of, granted_types
from services.gateway.console.automatic import has_automatic_formats
from services.gateway.console.languages import N_
from services.gateway.console.rendering import render
from services.gateway.console.subshops import chosen_subshop, subshop_choice, subshop_to_send
from services.gateway.images_api.image_types import type_id
from services.gateway.images_api.parameters import cursor

_SOURCES_SHOWN: Final = 50
_RESULTS_READ: Final = 5000  # for one page with a filter
_STATUSES: Final[tuple[Status, ...]] = get_args(Status)
_DIFFERENCES: Final[tuple[Difference, ...]] = get_args(Difference)
# Those of a run that most results have, for their translation.
_MESSAGES: Final = (
    N_("The output is up to date."),
    N_("The file is not of a supported image format."),
    N_("The source does not exist any more."),
    N_("The conversion failed too often."),
)
_NO_SUCH_RUN: Final = "There is no such run."


async def page(request: web.Request) -> web.StreamResponse:
    """Return the active run and the history."""
    history = await read_history(
        request.app[state.RUNS], request.app[state.STORE], cursor=request.query.get("cursor", "")
    )
    runs = [_shown(request, each) for each in history.runs]
    running = sorted((each for each in runs if each["is_running"]), key=lambda each: each["is_automatic"])
    active = running[0] if running else None
    return await render(
        request,
        "runs.html",
        active=active,
        runs=[each for each in runs if each is not active],
        is_first_page="cursor" not in request.query,
        cursor=history.cursor,
        may_start=bool(granted_types(request, "images.publish")),
        has_automatic=has_automatic_formats(request),
    )


async def new_page(request: web.Request) -> web.StreamResponse:
    """Return the form that starts a run, with the formats of the types that the key may publish."""
    types = granted_types(request, "images.publish")
    subshop = chosen_subshop(request)
    formats = [each for each in subshop.formats.values() if each.type in types]
    return await render(
        request,
        "runs-new.html",
        subshops=subshop_choice(request, subshop),
        subshop=subshop_to_send(request, subshop),
        formats=[_format(each) for each in formats],
        directory=request.query.get("directory", ""),
        are_all=len(formats) == len(subshop.formats),
    )


async def run_page(request: web.Request) -> web.StreamResponse:
    """Return a run with a page of its results, those with `?status=` and `?format=`."""
    run_id = request.match_info["run"]
    run_store, store = request.app[state.RUNS], request.app[state.STORE]
    status = await find_status(run_id, run_store, store)
    if status is None:
        raise NotFound(_NO_SUCH_RUN)
    wanted, node_id = request.query.get("status", ""), request.query.get("format", "")
    query = ResultQuery(
        status=next((each for each in _STATUSES if each == wanted), None), node_ids=(node_id,) if node_id else None
    )
    start = cursor(request)
    results = await read_results(
        run_id, run_store, store, start=start, limit=_SOURCES_SHOWN, query=query, max_read=_RESULTS_READ
    )
    names = {each.node_id: each.name for batch in status.run.batches for each in batch.formats}
    others = [] if status.is_running else await _comparable(request, status)
    return await render(
        request,
        "runs-run.html",
        run=_shown(request, status),
        results=[_result(request, each, query, names) for each in results.results],
        cursor=results.next_cursor,
        is_first_page=start == 0,
        outcome=query.status or "",
        format=node_id,
        others=[_shown(request, each) for each in others],
        base=next((each.run.id for each in others if _is_before(each, status)), ""),
    )


async def comparison_page(request: web.Request) -> web.StreamResponse:
    """Return the comparison of two runs, with the sources of `?difference=`; or that it is being made."""
    run_id, base_id = request.match_info["run"], request.match_info["base"]
    run_store, store = request.app[state.RUNS], request.app[state.STORE]
    await check_comparable(run_id, base_id, run_store, store)
    run, base = await find_status(run_id, run_store, store), await find_status(base_id, run_store, store)
    found = await get_comparison(store, run_id, base_id)
    if run is None or base is None:
        raise NotFound(_NO_SUCH_RUN)
    wanted = request.query.get("difference", "")
    difference = next((each for each in _DIFFERENCES if each == wanted), None)
    if found is not None and difference is None:
        difference = next((each for each in _DIFFERENCES if getattr(found, each)), _DIFFERENCES[0])
    start = cursor(request)
    compared = None
    if found is not None and difference is not None:
        compared = await read_compared(store, found, difference, start=start, limit=_SOURCES_SHOWN)
    return await render(
        request,
        "runs-comparison.html",
        run=_shown(request, run),
        base=_shown(request, base),
        comparison=found,
        difference=difference,
        sources=compared.sources if compared else [],
        cursor=compared.next_cursor if compared else None,
        is_first_page=start == 0,
    )


async def _comparable(request: web.Request, status: RunStatus) -> list[RunStatus]:
    """Return the runs with which one can be compared, the newest first."""
    history = await read_history(request.app[state.RUNS], request.app[state.STORE])
    return [each for each in history.runs if not each.is_running and each.run.id != status.run.id]


def _is_before(other: RunStatus, status: RunStatus) -> bool:
    """Whether *other* has converted the same directories before."""
    directories = [[batch.directory for batch in each.run.batches] for each in (other, status)]
    return other.started <= status.started and directories[0] == directories[1]


def _shown(request: web.Request, status: RunStatus) -> dict[str, Any]:
    run, grant = status.run, grant_of(request)
    done = sum(status.sources)
    return {
        "id": run.id,
        "state": status.state,
        "is_running": status.is_running,
        "action": run.action,
        "is_automatic": run.automatic,
        "started_by": run.started_by,
        "retry_of": run.retry_of,
        "subshop": _subshop_name(request, run),
        "reason": status.reason,
        "directories": list(dict.fromkeys(batch.directory for batch in run.batches if batch.directory)),
        "selected": sum(len(batch.sources) for batch in run.batches),
        "formats": list({each.node_id: each for batch in run.batches for each in batch.formats}.values()),
        "started": datetime.fromtimestamp(status.started, UTC),
        "seconds": max(0, (status.ended or status.now) - status.started),
        "sources": status.sources,
        "outputs": status.outputs,
        "sources_done": done,
        "sources_total": status.sources_total,
        "outputs_done": sum(status.outputs),
        "outputs_total": status.outputs_total,
        "percentage": 100 * done // status.sources_total if status.sources_total else 0,
        "may_change": grant is not None and grant.may("images.publish", run.types),
    }


def _subshop_name(request: web.Request, run: Run) -> str:
    """Return the name of the subshop of *run*, its id if it is not configured any more; "" if there is only one."""
    subshops = request.app[state.FORMATS].subshops
    found = subshops.get(run.subshop)
    if run.automatic or (len(subshops) <= 1 and found is not None):
        return ""
    return found.name if found else run.subshop


def _format(each: ImageFormat) -> dict[str, Any]:
    return {
        "id": each.node_id,
        "name": each.name,
        "type": type_id(each.type),
        "width": each.max_width,
        "height": each.max_height,
        "source_directory": each.source_directory,
        "target_directory": each.target_directory,
    }


def _result(request: web.Request, result: SourceResult, query: ResultQuery, names: dict[str, str]) -> dict[str, Any]:
    language = request.app[state.TEMPLATES].languages.of(request)
    outputs = [
        {
            "format": names.get(node_id, node_id),
            "outcome": outcome,
            "message": "" if outcome.message == outcome.status else language.gettext(outcome.message),
        }
        for node_id, outcome in query.outputs(result)
    ]
    return {
        "source": result.source,
        "name": result.source.rpartition("/")[2],
        "directory": result.source.rpartition("/")[0],
        "status": result.status,
        "outputs": outputs,
    }
