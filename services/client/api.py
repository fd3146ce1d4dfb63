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
_CONNECT_SECONDS = 10
_SILENCE_SECONDS = 90
_HEARTBEAT_SECONDS = 40  # the gateway says something at least every 15 seconds
_PAUSES = (0.5, 1.0, 2.0, 4.0)  # seconds between tries
_RECONNECT_SECONDS = 1.0
_RETRY_TIMEOUT_SECONDS = 60.0


class Access(NamedTuple):
    """A server and a key for it."""

    server: str
    """`http(s)://host:port`, perhaps with a path, without a slash at the end."""
    key: str


class ApiError(Exception):
    """What keeps a command from going on, in one line for a person."""


class ServerUnavailable(ApiError):  # noqa: N818 - named after what happened, like the core's errors
    """The server does not answer, or has trouble that may pass."""


class Refused(ApiError):  # noqa: N818
    """The server has refused a request; sending it again changes nothing."""

    def __init__(self, status: int, reason: str, field: str) -> None:
        """Keep the HTTP *status*, the server's *reason* and the *field* that it names, if any."""
        super().__init__(f"the server refused the key: {reason}" if status == HTTPStatus.UNAUTHORIZED else reason)
        self.status = status
        self.reason = reason
        self.field = field


class ImagesApi:
    """The operations. Each raises Away or Refused; those that may safely be tried again are."""

    def __init__(self, session: aiohttp.ClientSession, server: str) -> None:
        """Talk to *server* over *session*, which carries the key."""
        self._session = session
        self._server = server

    async def status(self) -> dict[str, Any]:
        """Return how the running or last run stands. It is tried once: it is the first that is asked."""
        return await self._call("GET", "/convert/status", attempts=1)

    async def runs(self) -> list[dict[str, Any]]:
        """Return how the last runs stand, the newest first."""
        return list((await self._call("GET", "/convert/runs"))["items"])

    async def run_stands(self, run: str) -> dict[str, Any]:
        """Return how *run* stands."""
        return await self._call("GET", "/convert/status", query={"run": run})

    async def stage(self, body: bytes, directory: str) -> str:
        """Upload the images in *body* into *directory*, into a new one without it; returns its path."""
        query = {"directory": directory} if directory else {}
        return str((await self._call("POST", "/upload", query=query, body=body))["path"])

    async def start(self, directory: str, formats: Sequence[str], *, action: str) -> str:
        """Start a run over *directory* and return its id. It is tried once: a second would find the first running."""
        order = {"action": action, "source": "directory", "formatList": list(formats), "directory": directory}
        started = await self._call("POST", "/convert/start", body=json.dumps(order).encode(), attempts=1)
        for run in await self.runs():
            if run["action"] == action and run["timer"]["start"] == started["timer"]["start"]:
                return str(run["id"])
        raise ServerUnavailable("the run was started, but the server does not know it any more")

    async def cancel(self) -> None:
        """Stop the run that runs; returns when nothing of it runs any more."""
        await self._call("POST", "/convert/cancel", body=b"{}")

    async def dead_jobs(self) -> list[dict[str, Any]]:
        """Return the jobs that were given up, the last first."""
        return list((await self._call("GET", "/jobs/dead"))["items"])

    async def retry_dead_job(self, job: str) -> None:
        """Have *job* tried again. It is tried once: a second try would not find it."""
        await self._call("POST", f"/jobs/dead/{quote(job, safe='')}", attempts=1)

    async def drop_dead_job(self, job: str) -> None:
        """Have *job* forgotten. It is tried once: a second try would not find it."""
        await self._call("DELETE", f"/jobs/dead/{quote(job, safe='')}", attempts=1)

    async def replace_catalog(self, type_id: str, file: Path, notation: str) -> dict[str, Any]:
        """Send the catalog in *file*; returns what counts from now on, or with an "id" only, where that takes long.

        It is tried once: a broken line would be found again.
        """
        with file.open("rb") as data:
            return await self._try("PUT", f"/catalog/{type_id}", {"as": notation}, data)

    async def catalog(self, type_id: str, arrival: str) -> dict[str, Any]:
        """Return what is told of the catalog that counts, and of the one that was sent with the id *arrival*."""
        return await self._call("GET", f"/catalog/{type_id}", query={"import": arrival})

    async def start_report(self, *, shrunken: Sequence[str]) -> None:
        """Have reports made, or join the scan that makes them; the catalogs of *shrunken* may have lost half."""
        await self._call("POST", "/report", body=json.dumps({"shrunken": list(shrunken)}).encode())

    async def report_status(self) -> dict[str, Any]:
        """Return how far the scan is."""
        return await self._call("GET", "/report/status")

    async def report(self, type_id: str, *, limit: int) -> dict[str, Any]:
        """Return the newest report, with up to *limit* rows of either kind."""
        return await self._call("GET", f"/report/{type_id}", query={"limit": str(limit)})

    async def run_cleanup(self, type_id: str, *, dry: bool, share: float | None) -> dict[str, Any]:
        """Move unused files to the trash, or tell what that would be; really doing it is tried once."""
        query = {"dryRun": "true" if dry else "false"}
        if share is not None:
            query["share"] = str(share)
        return await self._call(
            "DELETE", f"/report/{type_id}/unused", query=query, attempts=len(_PAUSES) if dry else 1
        )

    async def trash(self) -> list[dict[str, Any]]:
        """Return what can be put back."""
        return list((await self._call("GET", "/report/trash"))["items"])

    async def restore(self, trash: str) -> dict[str, Any]:
        """Put back what a clean-up took; returns nothing where that takes long."""
        return await self._call("POST", "/report/restore", body=json.dumps({"trash": trash}).encode())

    async def repair(self, type_id: str) -> dict[str, Any]:
        """Have missing images converted again; returns nothing where that takes long."""
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
        """Yield how *run* stands whenever that changes, until it has ended; a lost connection is made again.

        Raises Away where the server was not heard of for a minute.
        """
        heard = time.monotonic()
        while True:
            trouble = "the connection ends again and again"
            try:
                async for stand in self._events_of_one_connection(run):
                    heard = time.monotonic()
                    yield stand
                    if not stand["running"]:
                        return
            except ServerUnavailable as away:
                trouble = str(away)
            if time.monotonic() - heard > _RETRY_TIMEOUT_SECONDS:
                raise ServerUnavailable(trouble)
            await asyncio.sleep(_RECONNECT_SECONDS)

    async def _events_of_one_connection(self, run: str) -> AsyncIterator[dict[str, Any]]:
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_HEARTBEAT_SECONDS)
        url = f"{self._server}{_BASE}/convert/events"
        try:
            async with self._session.get(url, params={"run": run}, timeout=timeout, allow_redirects=False) as answer:
                if answer.status != HTTPStatus.OK:
                    raise _failure(answer.status, await answer.read(), self._server)
                async for line in answer.content:
                    if line.startswith(b"data: "):
                        yield json.loads(line.removeprefix(b"data: "))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise _away(self._server, error) from None

    async def _call(
        self,
        method: str,
        path: str,
        *,
        query: dict[str, str] | None = None,
        body: bytes | None = None,
        attempts: int = len(_PAUSES) + 1,
    ) -> dict[str, Any]:
        """Send a request and return the JSON object that answers it."""
        pauses = iter(_PAUSES[: attempts - 1])
        while True:
            try:
                return await self._try(method, path, query or {}, None if body is None else io.BytesIO(body))
            except ServerUnavailable:
                pause = next(pauses, None)
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def _try(self, method: str, path: str, query: dict[str, str], data: BinaryIO | None) -> dict[str, Any]:
        timeout = aiohttp.ClientTimeout(sock_connect=_CONNECT_SECONDS, sock_read=_SILENCE_SECONDS)
        url = f"{self._server}{_BASE}{path}"
        try:
            async with self._session.request(
                method, url, params=query, data=data, timeout=timeout, allow_redirects=False
            ) as answer:
                status, text = answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _away(self._server, error) from None
        parsed = _object(text)
        if status not in (HTTPStatus.OK, HTTPStatus.ACCEPTED):
            raise _failure(status, text, self._server)
        if parsed is None:
            raise Refused(status, f"{self._server} answers, but not as an images API does", "")
        return parsed


@asynccontextmanager
async def open_api(access: Access) -> AsyncIterator[ImagesApi]:
    """Open the images API that *access* leads to."""
    headers = {"Authorization": f"Bearer {access.key}", "Content-Type": "application/json"}
    async with aiohttp.ClientSession(headers=headers) as session:
        yield ImagesApi(session, access.server)


def _away(server: str, error: BaseException) -> ServerUnavailable:
    return ServerUnavailable(f"{server} does not answer: {str(error) or type(error).__name__}")


def _failure(status: int, text: bytes, server: str) -> ApiError:
    """Return what an answer with another status than 200 means."""
    body = _object(text) or {}
    reason = str(body.get("reason") or f"{server} answers with status {status}")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerUnavailable(reason)
    return Refused(status, reason, str(body.get("field", "")))


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        parsed = json.loads(text)
    except ValueError:
        return None
    return parsed if isinstance(parsed, dict) else None
