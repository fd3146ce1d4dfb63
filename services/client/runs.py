"""Runs: conversions of whole directories."""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from typing import cast

from services.client.errors import ServerUnavailableError
from services.client.responses import (
    AutomaticScan,
    Orphan,
    OrphanPage,
    Result,
    ResultsPage,
    Run,
    RunsPage,
    RunState,
    Schedule,
)
from services.client.transport import Request, Transport, idempotency_key

_BASE = "/images/convert"
_EVENT_TIMEOUT_SECONDS = 40  # the gateway sends a heartbeat every 15 seconds
_RECONNECT_DELAY_SECONDS = 1.0
_RETRY_TIMEOUT_SECONDS = 60.0


class Runs:
    """Operations on runs; each raises ApiError."""

    def __init__(self, transport: Transport) -> None:
        """Send requests by *transport*."""
        self._transport = transport

    async def start(self, directory: str, formats: Sequence[str], *, action: str = "convert") -> str:
        """Start a run over the source *directory* and return its id; *action* is its label.

        Repeated if there is no response, but not while another run is active.
        """
        body = {"action": action, "source": "directory", "formatList": list(formats), "directory": directory}
        request = Request("POST", f"{_BASE}/start", headers=idempotency_key(), json=body, repeat="unanswered")
        started = cast("RunState", await self._transport.json(request))
        for run in await self.list():
            if run["action"] == action and run["timer"]["start"] == started["timer"]["start"]:
                return run["id"]
        raise ServerUnavailableError("the run was started, but the server no longer lists it")

    async def status(self, run: str = "") -> RunState:
        """Return the state of *run*, or of the running or last one."""
        return cast("RunState", await self._transport.json(Request("GET", f"{_BASE}/status", _query(run))))

    async def list(self) -> list[Run]:
        """Return the states of the last runs, newest first."""
        return cast("RunsPage", await self._transport.json(Request("GET", f"{_BASE}/runs")))["items"]

    async def cancel(self, run: str = "") -> RunState:
        """Cancel *run*, or the running run that a client has started, and wait until it has ended."""
        request = Request("POST", f"{_BASE}/cancel", _query(run), json={})
        return cast("RunState", await self._transport.json(request))

    async def schedule(self) -> Schedule:
        """Return the schedule of automatic runs and its next times."""
        return cast("Schedule", await self._transport.json(Request("GET", f"{_BASE}/schedule")))

    async def set_schedule(self, cron: str, *, time_zone: str = "") -> Schedule:
        """Scan for automatic runs by a cron expression of five fields, "" for only on request."""
        body = {"cron": cron, "timeZone": time_zone}
        return cast("Schedule", await self._transport.json(Request("PUT", f"{_BASE}/schedule", json=body)))

    async def reset_schedule(self) -> Schedule:
        """Return to the schedule of the settings."""
        return cast("Schedule", await self._transport.json(Request("DELETE", f"{_BASE}/schedule")))

    async def scan(self) -> AutomaticScan:
        """Return the state of the running scan for automatic runs, or of the last one."""
        return cast("AutomaticScan", await self._transport.json(Request("GET", f"{_BASE}/scan")))

    async def start_scan(self, *, share: float = 0) -> None:
        """Request a scan; it may move the *share* of the images of a format to the trash, if settings allow less."""
        await self._transport.json(Request("POST", f"{_BASE}/scan", json={"share": share}))

    async def orphans(self) -> AsyncGenerator[Orphan, None]:
        """Yield the converted images whose source is gone, of formats with `follow`."""
        query: dict[str, str] = {}
        while True:
            page = cast("OrphanPage", await self._transport.json(Request("GET", f"{_BASE}/orphans", query)))
            for orphan in page["items"]:
                yield orphan
            if "cursor" not in page:
                return
            query = {"cursor": page["cursor"]}

    async def results(self, run: str) -> AsyncGenerator[Result, None]:
        """Yield a row for each output of *run*."""
        query = {"run": run, "cursor": "0"}
        while True:
            page = cast("ResultsPage", await self._transport.json(Request("GET", f"{_BASE}/results", query)))
            for row in page["items"]:
                yield row
            if "cursor" not in page:
                return
            query["cursor"] = page["cursor"] or ""

    async def watch(self, run: str) -> AsyncGenerator[RunState, None]:
        """Yield the state of *run* after each change until the run has ended. Reconnects after a lost connection.

        Raises ServerUnavailableError if there was no event for a minute.
        """
        last_event_at = time.monotonic()
        while True:
            reason = "the connection is closed repeatedly"
            try:
                async for state in self._events(run):
                    last_event_at = time.monotonic()
                    yield state
                    if not state["running"]:
                        return
            except ServerUnavailableError as error:
                reason = str(error)
            if time.monotonic() - last_event_at > _RETRY_TIMEOUT_SECONDS:
                raise ServerUnavailableError(reason)
            await asyncio.sleep(_RECONNECT_DELAY_SECONDS)

    async def _events(self, run: str) -> AsyncGenerator[RunState, None]:
        """Yield the events of one connection."""
        request = Request("GET", f"{_BASE}/events", _query(run), read_seconds=_EVENT_TIMEOUT_SECONDS)
        async with self._transport.opened(request) as response:
            async for line in response.content:
                if line.startswith(b"data: "):
                    try:
                        yield json.loads(line.removeprefix(b"data: "))
                    except ValueError as error:
                        raise ServerUnavailableError(f"an event is not JSON: {error}") from None


def _query(run: str) -> dict[str, str]:
    return {"run": run} if run else {}
