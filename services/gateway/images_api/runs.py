"""Handlers of `images/convert/…`: runs."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TypeVar

from aiohttp import web

from imageconverter.errors import (
    InvalidFieldFormat,
    InvalidValue,
    MalformedRequest,
    NotFound,
    RunAlreadyRunning,
    StoreUnavailable,
)
from imageconverter.runs import (
    ResultPage,
    Run,
    archive_run,
    create_retry,
    create_run,
    delete_backup,
    dry_run,
    find_status,
    read_history,
    read_results,
    save_backup,
)
from services.gateway import audit, state
from services.gateway.auth.route_permissions import actor, changes_no_subshop, granted_types, require_types
from services.gateway.http.compression import compressed
from services.gateway.http.responses import json_response
from services.gateway.http.revalidation import revalidated
from services.gateway.http.streaming import stream
from services.gateway.idempotency.once import token as idempotency_token
from services.gateway.images_api.json_bodies import read_json
from services.gateway.images_api.parameters import cursor, flag
from services.gateway.images_api.request_bodies import EmptyBody, PlanBody, RetryRunBody, StartBody
from services.gateway.images_api.result_filter import ResultFilter
from services.gateway.images_api.run_events import NO_SUCH_RUN, requested_status
from services.gateway.images_api.run_responses import ResultsPage, RunPlan, RunResponse, RunsPage, RunStateResponse
from services.gateway.images_api.subshops import require_subshop_of, subshop_of

Start = TypeVar("Start", bound=StartBody)

# Sources in a page of results; NDJSON has all of them.
RESULTS_AT_ONCE = 2000
# Of a plan, so that a tree of any size costs little.
_PLAN_REQUESTS = 4000
_PLAN_SECONDS = 2.0
_POLL_SECONDS = 0.05
_CANCEL_SECONDS = 30


async def start(request: web.Request) -> web.Response:
    """Start a run; returns its status, after waiting for `start_seconds` in case that it is a small one."""
    run, body = await _requested(request, StartBody)
    audit.describe(request, run=run.id, directory=body.directory or "")
    return await _start(request, run)


async def plan(request: web.Request) -> web.Response:
    """Return what a run with the same body would do, of as many sources as can be checked in a short time."""
    run, body = await _requested(request, PlanBody)
    require_types(request, "images.publish", run.types)
    found = await dry_run(
        run,
        request.app[state.STORE],
        cursor=body.cursor,
        max_requests=_PLAN_REQUESTS,
        seconds=_PLAN_SECONDS,
    )
    return json_response(RunPlan.of(found, run))


async def retry(request: web.Request) -> web.Response:
    """Start a run over the sources that have failed in another one; returns its status like `start`."""
    body = await read_json(request, RetryRunBody)
    failed = await find_status(body.run, request.app[state.RUNS], request.app[state.STORE])
    if failed is None:
        raise NotFound(NO_SUCH_RUN)
    require_subshop_of(request, failed.run)
    run = create_retry(
        request.app[state.FORMATS].subshops,
        failed,
        action=body.action,
        started_by=actor(request),
        run_id=idempotency_token(request),
    )
    audit.describe(request, run=run.id, retry_of=failed.run.id)
    return await _start(request, run)


async def _requested(request: web.Request, schema: type[Start]) -> tuple[Run, Start]:
    """Return the run that the body describes, and the body. Raises MalformedRequest."""
    try:
        body = await read_json(request, schema)
        subshop = subshop_of(request, body.requested_subshop)
        asked = body.request(run_id=idempotency_token(request), subshop=subshop.id, started_by=actor(request))
        return await create_run(request.app[state.STORE], subshop.formats, asked), body
    except (InvalidFieldFormat, InvalidValue) as error:
        raise MalformedRequest(error.reason, field=error.field) from None


async def _start(request: web.Request, run: Run) -> web.Response:
    details = flag(request, "details")
    require_types(request, "images.publish", run.types)
    run_store, store = request.app[state.RUNS], request.app[state.STORE]
    if not await run_store.is_known(run.id):  # else it was started by the same request before
        await save_backup(store, run)
        try:
            await run_store.start(run)
        except RunAlreadyRunning:
            await delete_backup(store, run.id)
            raise
    until = time.monotonic() + request.app[state.GATEWAY].start_seconds
    status = await run_store.status(run.id)
    while status is not None and status.is_running and time.monotonic() < until:
        await asyncio.sleep(_POLL_SECONDS)
        status = await run_store.status(run.id)
    return json_response(RunStateResponse.of(status, details=details))


@revalidated
async def status(request: web.Request) -> web.Response:
    """Return the status of the running or last run, or of that of `?run=`; more of it with `?details=true`."""
    details = flag(request, "details")
    return json_response(RunStateResponse.of(await requested_status(request), details=details))


async def cancel(request: web.Request) -> web.Response:
    """Cancel the running run, or that of `?run=`; returns its status once all of its jobs have ended."""
    await read_json(request, EmptyBody)
    run_store = request.app[state.RUNS]
    requested = request.query.get("run")
    run_id = requested or await run_store.latest()
    audit.describe(request, run=run_id or "")
    run = None if run_id is None else await run_store.run(run_id)
    if requested and run is None:
        raise NotFound(NO_SUCH_RUN)
    require_types(request, "images.publish", run.types if run else granted_types(request, "images.publish"))
    if run is None:
        changes_no_subshop(request)
    else:
        require_subshop_of(request, run)
    if run_id is None:
        return json_response(RunStateResponse())
    await run_store.cancel(run_id, seconds=_CANCEL_SECONDS)
    with suppress(StoreUnavailable):  # the reporter will do it
        await archive_run(run_id, run_store, request.app[state.STORE])
    return json_response(RunStateResponse.of(await run_store.status(run_id)))


@compressed
@revalidated
async def results(request: web.Request) -> web.StreamResponse:
    """Return the results of the last run, or of that of `?run=`: a page, or all of them as NDJSON.

    With `?status=` and `?format=` only some. A page then ends after as many sources as were read, so it may be empty.
    """
    run_id = request.query.get("run") or await request.app[state.RUNS].latest()
    requested = await ResultFilter.of(request, run_id)
    if "application/x-ndjson" in request.headers.get("Accept", ""):
        return await _all_results(request, run_id, requested)
    begin = cursor(request)
    if run_id is None:
        return json_response(ResultsPage())
    page = await _page(request, run_id, begin, requested)
    items = [row for each in page.results for row in requested.results(each)]
    following = None if page.next_cursor is None else str(page.next_cursor)
    return json_response(ResultsPage(items=tuple(items), cursor=following))


@compressed
@revalidated
async def history(request: web.Request) -> web.Response:
    """Return the last runs, the newest first, or with `?cursor=` those before."""
    page = await read_history(
        request.app[state.RUNS], request.app[state.STORE], cursor=request.query.get("cursor", "")
    )
    items = tuple(RunResponse.of(each, details=True) for each in page.runs)
    return json_response(RunsPage(items=items, cursor=page.cursor or None))


async def _all_results(request: web.Request, run_id: str | None, requested: ResultFilter) -> web.StreamResponse:
    async def pieces() -> AsyncIterator[str]:
        position: int | None = 0 if run_id is not None else None
        while position is not None and run_id is not None:
            page = await _page(request, run_id, position, requested)
            yield "".join(row.to_json() + "\n" for each in page.results for row in requested.results(each))
            position = page.next_cursor

    return await stream(request, pieces(), {"Content-Type": "application/x-ndjson"})


async def _page(request: web.Request, run_id: str, start: int, requested: ResultFilter) -> ResultPage:
    return await read_results(
        run_id,
        request.app[state.RUNS],
        request.app[state.STORE],
        start=start,
        limit=RESULTS_AT_ONCE,
        query=requested.query,
    )
