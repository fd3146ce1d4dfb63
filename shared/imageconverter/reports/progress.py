"""The progress of the running scan and the outcome of the last scan and imports; kept in Redis."""

import json
import time
from collections.abc import Iterable
from itertools import chain
from typing import Any, NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.errors import BrokenLine, UserError
from imageconverter.jobs import QueueName, redis_command, redis_errors
from imageconverter.reports.commands import SCAN

_UPDATE_SECONDS = 1.0
_IMPORT = "import:"
_IMPORT_SECONDS = 24 * 3600


class ScanState(NamedTuple):
    """The state of the running scan and of the last one."""

    running: bool
    """Whether a scan runs or waits for a reporter."""
    kind: str
    """The type of images being scanned, "" before the scan begins."""
    files: int
    """Files of that type listed so far."""
    started: int
    """Seconds since the epoch, 0 before the first scan."""
    ended: int
    """When the last scan ended; 0 before the first."""
    failure: str
    """Why the last scan failed, or ""."""


class LastImport(NamedTuple):
    """The outcome of the last import of a catalog."""

    pending_id: str
    """The id of the upload, "" if the catalog was read from a source."""
    failure: str
    """Why the import failed, or ""."""
    lines: tuple[BrokenLine, ...] = ()
    """The invalid lines of an uploaded catalog, up to `MAX_BROKEN_LINES`; known for a day."""


_NO_IMPORT = LastImport("", "")


class ScanProgress:
    """Records and returns the progress. Every method raises QueueUnavailable if Redis does not answer."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis* for up to *retry_timeout* seconds a call."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._updated = 0.0

    async def start(self) -> set[str]:
        """Record that a scan runs; returns the types that are done if an interrupted scan is continued."""
        going, done = await self._send("HMGET", keys.SCAN, "going", "done")
        if going == b"1":
            return set((done or b"").decode().split())
        await self._set(going=1, done="", failure="", started=int(time.time()))
        return set()

    async def begin(self, kind: str) -> None:
        """Record that the files of *kind* are being scanned."""
        self._updated = 0.0
        await self._set(kind=kind, files=0)

    async def listed(self, files: int) -> None:
        """Record how many files were listed, at most once a second."""
        now = time.monotonic()
        if now - self._updated >= _UPDATE_SECONDS:
            self._updated = now
            await self._set(files=files)

    async def made(self, kinds: Iterable[str]) -> None:
        """Record the types whose reports this scan has made."""
        await self._set(done=" ".join(kinds))

    async def failed(self, failure: str) -> None:
        """Record an error after which the scan is retried."""
        await self._set(failure=failure)

    async def end(self, failure: str = "") -> None:
        """Record that the scan has ended, and why it failed."""
        await self._set(going=0, kind="", ended=int(time.time()), failure=failure)

    async def record_import(self, kind: str, pending_id: str, failure: UserError | str = "") -> None:
        """Record that a catalog of *kind* was imported, or why not; *pending_id* is "" for a source."""
        broken = (failure, *failure.others) if isinstance(failure, BrokenLine) else ()
        outcome = json.dumps([pending_id, failure.reason if isinstance(failure, UserError) else failure])
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.SCAN, mapping={f"{_IMPORT}{kind}": outcome})
            if pending_id:
                lines = json.dumps([[each.line, each.place, each.problem] for each in broken])
                pipe.set(keys.import_result(pending_id), outcome, ex=_IMPORT_SECONDS)
                pipe.set(keys.import_lines(pending_id), lines, ex=_IMPORT_SECONDS)
            await pipe.execute()

    async def last_import(self, kind: str) -> LastImport:
        """Return the outcome of the last import of a catalog of *kind*."""
        return await self._last_import(await self._send("HGET", keys.SCAN, f"{_IMPORT}{kind}"))

    async def import_result(self, pending_id: str) -> LastImport:
        """Return the outcome of one import; its id is "" if the import is unknown or has not ended."""
        return await self._last_import(await self._send("GET", keys.import_result(pending_id)))

    async def state(self) -> ScanState:
        """Return the state of the running scan and of the last one."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.SCAN)
            pipe.zscore(keys.queue(QueueName.SCAN), SCAN)
            stored, waiting = await pipe.execute()
        fields = {name.decode(): value.decode() for name, value in stored.items()}
        return ScanState(
            running=waiting is not None,
            kind=fields.get("kind", ""),
            files=int(fields.get("files", 0)),
            started=int(fields.get("started", 0)),
            ended=int(fields.get("ended", 0)),
            failure=fields.get("failure", ""),
        )

    async def _last_import(self, outcome: bytes | None) -> LastImport:
        if outcome is None:
            return _NO_IMPORT
        pending_id, failure = json.loads(outcome)
        stored = await self._send("GET", keys.import_lines(pending_id)) if pending_id and failure else None
        return LastImport(pending_id, failure, tuple(BrokenLine(*each) for each in json.loads(stored or "[]")))

    async def _set(self, **fields: str | int) -> None:
        await self._send("HSET", keys.SCAN, *chain.from_iterable(fields.items()))

    async def _send(self, *command: str | int) -> Any:
        return await redis_command(self._redis, self._retry_timeout, *command)
