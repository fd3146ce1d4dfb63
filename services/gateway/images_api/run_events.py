"""The progress of a run as server-sent events."""

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, suppress

from aiohttp import web

from imageconverter.errors import NotFound
from imageconverter.runs import RunStatus, find_status
from services.gateway import state
from services.gateway.images_api.parameters import flag
from services.gateway.images_api.result_filter import ResultFilter
from services.gateway.images_api.run_responses import FailedSources, RunStateResponse
from services.gateway.images_api.run_watcher import RunUpdate

NO_SUCH_RUN = "There is no such run."
_HEARTBEAT_SECONDS = 15
_MAX_ID_DIGITS = 12


async def events(request: web.Request) -> web.StreamResponse:
    """Send each change of the status as a server-sent event, at most two a second, until the run ends.

    With `?details=true` also the sources that fail, from the last event on that the client has received.
    """
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    details = flag(request, "details")
    first = await requested_status(request)
    request.app[state.RUN_WATCHER].require_room()
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    messages = _Messages(request, details=details)
    with suppress(ConnectionResetError):
        async for update in _updates(request, first):
            for message in messages.of(update):
                await response.write(message.encode())
        await response.write_eof()
    return response


async def requested_status(request: web.Request) -> RunStatus | None:
    """Return the status of the run of `?run=`, or of the running or last one; None if there was none yet.

    Raises NotFound.
    """
    run_store = request.app[state.RUNS]
    requested = request.query.get("run")
    run_id = requested or await run_store.latest()
    found = await find_status(run_id, run_store, request.app[state.STORE]) if run_id else None
    if requested and found is None:
        raise NotFound(NO_SUCH_RUN)
    return found


class _Messages:
    """What is sent to one client."""

    def __init__(self, request: web.Request, *, details: bool) -> None:
        last = request.headers.get("Last-Event-ID", "")
        self._failed = int(last) if last.isascii() and last.isdigit() and len(last) <= _MAX_ID_DIGITS else 0
        self._request = request
        self._details = details
        self._status = ""
        self._sent_at = time.monotonic()

    def of(self, update: RunUpdate | None) -> Iterator[str]:
        """Yield the messages that say what is new in *update*."""
        if self._details and update is not None and update.failures.total > self._failed:
            failed = update.failures.after(self._failed)
            self._failed = update.failures.total
            failures = ResultFilter.of_failures(self._request, update.status.run)
            items = tuple(row for each in failed for row in failures.results(each))
            data = FailedSources(items=items, total=self._failed).to_json()
            yield f"event: failed\nid: {self._failed}\ndata: {data}\n\n"
        text = _status(update, details=self._details).to_json()
        if text != self._status:
            yield f"event: status\ndata: {text}\n\n"
            self._status, self._sent_at = text, time.monotonic()
        elif time.monotonic() - self._sent_at > _HEARTBEAT_SECONDS:
            yield ": keep-alive\n\n"
            self._sent_at = time.monotonic()


def _status(update: RunUpdate | None, *, details: bool) -> RunStateResponse:
    if update is None:
        return RunStateResponse()
    if not (details and update.status.is_running):
        return RunStateResponse.of(update.status, details=details)
    return RunStateResponse.of(update.status, details=True, rate=update.rate, seconds_left=update.seconds_left)


async def _updates(request: web.Request, first: RunStatus | None) -> AsyncIterator[RunUpdate | None]:
    if first is None:
        yield None
        return
    current: RunUpdate | None = RunUpdate(first)
    yield current
    async with aclosing(request.app[state.RUN_WATCHER].updates(first.run.id)) as updates:
        while current is not None and current.status.is_running and not request.app[state.STOPPING].is_set():
            current = await anext(updates)
            yield current
