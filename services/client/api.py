"""A client of the images API: one method for each operation that the commands use."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple
from urllib.parse import quote

import aiohttp

_BASE = "/images"
_CONNECT_TIMEOUT_SECONDS = 10
_READ_TIMEOUT_SECONDS = 90
_EVENT_TIMEOUT_SECONDS = 40  # the gateway sends a heartbeat every 15 seconds
_RETRY_DELAYS = (0.5, 1.0, 2.0, 4.0)  # seconds between attempts
_RECONNECT_DELAY_SECONDS = 1.0
_RETRY_TIMEOUT_SECONDS = 60.0


class Access(NamedTuple):
    """A server and a key for it."""

    server: str
    """`http(s)://host:port`, optionally with a path, without a slash at the end."""
    key: str


class ApiError(Exception):
    """An error that ends a command; the message is one line."""


class ServerUnavailableError(ApiError):
    """The server does not respond, or responds with a temporary error."""


class RequestRejectedError(ApiError):
    """The server has rejected a request; sending it again does not help."""

    def __init__(self, status: int, reason: str, field: str) -> None:
        """Store the HTTP *status*, the server's *reason* and the *field* that it names, "" if none."""
        super().__init__(
            f"the server rejected the API key: {reason}" if status == HTTPStatus.UNAUTHORIZED else reason
        )
        self.status = status
        self.reason = reason
        self.field = field


class ImagesApi:
    """The operations. Each raises an ApiError. Idempotent requests are retried while the server is unavailable."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        """Use *server* through *session*, which sends the key."""
        self._session = session
        self._server = server

    async def status(self) -> dict[str, Any]:
        """Return the state of the running or last run. Not retried, so that a wrong server is reported at once."""
        return await self._call("GET", "/convert/status", attempts=1)

    async def runs(self) -> list[dict[str, Any]]:
        """Return the states of the last runs, newest first."""
        return list((await self._call("GET", "/convert/runs"))["items"])

    async def run_status(self, run: str) -> dict[str, Any]:
        """Return the state of *run*."""
        return await self._call("GET", "/convert/status", query={"run": run})

    async def stage(self, body: bytes, directory: str) -> str:
        """Upload the images in *body* to *directory*, to a new one if it is ""; returns its path."""
        query = {"directory": directory} if directory else {}
        return str((await self._call("POST", "/upload", query=query, body=body))["path"])

    async def start(self, directory: str, formats: Sequence[str], *, action: str) -> str:
        """Start a run over *directory* and return its id. Not retried: it would conflict with the first attempt."""
        request = {"action": action, "source": "directory", "formatList": list(formats), "directory": directory}
        started = await self._call("POST", "/convert/start", body=json.dumps(request).encode(), attempts=1)
        for run in await self.runs():
            if run["action"] == action and run["timer"]["start"] == started["timer"]["start"]:
                return str(run["id"])
        raise ServerUnavailableError("the run was started, but the server no longer lists it")

    async def cancel(self) -> None:
        """Cancel the running run and wait until it has ended."""
        await self._call("POST", "/convert/cancel", body=b"{}")

    async def dead_jobs(self) -> list[dict[str, Any]]:
        """Return the dead letters, newest first."""
        return list((await self._call("GET", "/jobs/dead"))["items"])

    async def retry_dead_job(self, job: str) -> None:
        """Queue *job* again. Not retried: a second attempt would not find it."""
        await self._call("POST", f"/jobs/dead/{quote(job, safe='')}", attempts=1)

    async def drop_dead_job(self, job: str) -> None:
        """Delete *job*. Not retried: a second attempt would not find it."""
        await self._call("DELETE", f"/jobs/dead/{quote(job, safe='')}", attempts=1)

    async def replace_catalog(self, type_id: str, file: Path, notation: str) -> dict[str, Any]:
        """Upload the catalog in *file*; returns its new state, or only an "id" while the import continues.

        Not retried: an invalid line would be rejected again.
        """
        with file.open("rb") as data:
            return await self._send("PUT", f"/catalog/{type_id}", {"as": notation}, data)

    async def catalog(self, type_id: str, import_id: str) -> dict[str, Any]:
        """Return the state of the current catalog, version "" if there is none, and of the import *import_id*."""
        return await self._call("GET", f"/catalog/{type_id}", query={"import": import_id})

    async def start_report(self, *, shrunken: Sequence[str]) -> None:
        """Start a scan that creates reports, or join the running one; accept the shrinkage of *shrunken* types."""
        await self._call("POST", "/report", body=json.dumps({"shrunken": list(shrunken)}).encode())

    async def report_status(self) -> dict[str, Any]:
        """Return the progress of the scan."""
        return await self._call("GET", "/report/status")

    async def report(self, type_id: str, *, limit: int) -> dict[str, Any]:
        """Return the newest report with up to *limit* missing and *limit* unused images."""
        return await self._call("GET", f"/report/{type_id}", query={"limit": str(limit)})

    async def run_cleanup(self, type_id: str, *, dry: bool, share: float | None) -> dict[str, Any]:
        """Move unused files to the trash, if *dry* only count them. Moving is not retried."""
        query = {"dryRun": "true" if dry else "false"}
        if share is not None:
            query["share"] = str(share)
        return await self._call(
            "DELETE", f"/report/{type_id}/unused", query=query, attempts=len(_RETRY_DELAYS) if dry else 1
        )

    async def trash(self) -> list[dict[str, Any]]:
        """Return the trash batches that can be restored."""
        return list((await self._call("GET", "/report/trash"))["items"])

    async def restore(self, trash: str) -> dict[str, Any]:
        """Restore a trash batch; returns an empty object if that continues in the background."""
        return await self._call("POST", "/report/restore", body=json.dumps({"trash": trash}).encode())

    async def repair(self, type_id: str) -> dict[str, Any]:
        """Convert missing images again; returns an empty object if that continues in the background."""
        return await self._call("POST", f"/report/{type_id}/repair", body=b"{}")

    async def results(self, run: str) -> AsyncIterator[dict[str, Any]]:
        """Yield a row for each output of *run*."""
        cursor: str | None = "0"
        while cursor is not None:
            page = await self._call("GET", "/convert/results", query={"run": run, "cursor": cursor})
            for row in page["items"]:
                yield row
            cursor = page.get("cursor")

    async def events(self, run: str) -> AsyncIterator[dict[str, Any]]:
        """Yield the state of *run* after each change until the run has ended. Reconnects after a lost connection.

        Raises ServerUnavailableError if there was no event for a minute.
        """
        last_event_at = time.monotonic()
        while True:
            reason = "the connection is closed repeatedly"
            try:
                async for state in self._events_of_one_connection(run):
                    last_event_at = time.monotonic()
                    yield state
                    if not state["running"]:
                        return
            except ServerUnavailableError as error:
                reason = str(error)
            if time.monotonic() - last_event_at > _RETRY_TIMEOUT_SECONDS:
                raise ServerUnavailableError(reason)
            await asyncio.sleep(_RECONNECT_DELAY_SECONDS)

    async def _events_of_one_connection(self, run: str) -> AsyncIterator[dict[str, Any]]:
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_TIMEOUT_SECONDS, sock_read=_EVENT_TIMEOUT_SECONDS)
        url = f"{self._server}{_BASE}/convert/events"
        try:
            async with self._session.get(
                url, params={"run": run}, timeout=timeout, allow_redirects=False
            ) as response:
                if response.status != HTTPStatus.OK:
                    raise _error(response.status, await response.read(), self._server)
                async for line in response.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line.removeprefix(b"data: "))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _unavailable(self._server, error) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        attempts: int = len(_RETRY_DELAYS) + 1,
    ) -> dict[str, Any]:
        """Send a request, with retries, and return the JSON object of the response."""
        delays = iter(_RETRY_DELAYS[: attempts - 1])
        while True:
            try:
                return await self._send(method, path, query or {}, None if body is None else io.BytesIO(body))
            except ServerUnavailableError:
                delay = next(delays, None)
                if delay is None:
                    raise
            await asyncio.sleep(delay)

    async def _send(self, method: str, path: str, query: dict[str, str], data: BinaryIO | None) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_TIMEOUT_SECONDS, sock_read=_READ_TIMEOUT_SECONDS)
        url = f"{self._server}{_BASE}{path}"
        try:
            async with self._session.request(
                method, url, params=query, data=data, timeout=timeout, allow_redirects=False
            ) as response:
                status, text = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _unavailable(self._server, error) from None
        parsed = _object(text)
        if status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
            raise _error(status, text, self._server)
        if parsed is None:
            raise RequestRejectedError(status, f"{self._server} is not an images API", "")
        return parsed


@asynccontextmanager
async def open_api(access: Access) -> AsyncIterator[ImagesApi]:
    """Open a client of the images API that *access* names."""
    headers = {"Authorization": f"Bearer {access.key}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield ImagesApi(session, access.server)


def _unavailable(server: str, error: BaseException) -> ServerUnavailableError:
    return ServerUnavailableError(f"{server} does not respond: {str(error) or type(error).__name__}")


def _error(status: int, text: bytes, server: str) -> ApiError:
    """Return the error for a response with a status other than 200 or 202."""
    body = _object(text) or {}
    reason = str(body.get("reason") or f"{server} responded with status {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerUnavailableError(reason)
    return RequestRejectedError(status, reason, str(body.get("field", "")))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
