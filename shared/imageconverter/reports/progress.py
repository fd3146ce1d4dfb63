"""How far the running scan is, and what became of the last one; kept in Redis."""

import json
import time
from collections.abc import Iterable
from typing import NamedTuple

from redis.asyncio import Redis

from imageconverter import keys
from imageconverter.jobs import QueueName, redis_errors
from imageconverter.reports.commands import SCAN

_UPDATE_SECONDS = 1.0
_IMPORT = "import:"
_IMPORT_SECONDS = 24 * 3600


class ScanState(NamedTuple):
    """What is known of scans."""

    running: bool
    """Whether one runs or waits for a reporter."""
    kind: str
    """The type of images that it is at, "" before it begins."""
    files: int
    """How many files of it were listed."""
    started: int
    """Seconds since 1970, 0 before the first."""
    ended: int
    """When the last one ended; 0 before the first."""
    failure: str
    """Why the last one failed, or ""."""


class LastImport(NamedTuple):
    """What became of the last catalog that was to be taken over."""

    arrival: str
    """The id that it had where a client sent it."""
    failure: str
    """Why it was not taken over, or ""."""


_NO_IMPORT = LastImport("", "")


class ScanProgress:
    """Tells and asks. Every method raises QueueUnavailable where Redis does not answer."""

    def __init__(self, redis: Redis, *, retry_timeout: float) -> None:
        """Use *redis* for up to *retry_timeout* seconds a call."""
        self._redis = redis
        self._retry_timeout = retry_timeout
        self._told = 0.0

    async def start(self) -> set[str]:
        """Tell that a scan runs; returns the types that are done: one that was broken off goes on."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hmget(keys.SCAN, ["going", "done"])
            ((going, done),) = await pipe.execute()
        if going == b"1":
            return set((done or b"").decode().split())
        await self._set(going=1, done="", failure="", started=int(time.time()))
        return set()

    async def begin(self, kind: str) -> None:
        """Tell that the files for *kind* are looked at."""
        self._told = 0.0
        await self._set(kind=kind, files=0)

    async def listed(self, files: int) -> None:
        """Tell how many files were listed, once a second at most."""
        now = time.monotonic()
        if now - self._told >= _UPDATE_SECONDS:
            self._told = now
            await self._set(files=files)

    async def made(self, kinds: Iterable[str]) -> None:
        """Tell of which types this scan has made the report."""
        await self._set(done=" ".join(kinds))

    async def failed(self, failure: str) -> None:
        """Tell what went wrong; the scan is tried again."""
        await self._set(failure=failure)

    async def end(self, failure: str = "") -> None:
        """Tell that the scan has ended, and why it has failed."""
        await self._set(going=0, kind="", ended=int(time.time()), failure=failure)

    async def record_import(self, kind: str, arrival: str, failure: str = "") -> None:
        """Tell that a catalog for *kind* was taken over, or why that has failed; *arrival* is "" for a source."""
        told = json.dumps([arrival, failure])
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.SCAN, mapping={f"{_IMPORT}{kind}": told})
            if arrival:
                pipe.set(keys.import_result(arrival), told, ex=_IMPORT_SECONDS)
            await pipe.execute()

    async def last_import(self, kind: str) -> LastImport:
        """Return what became of the last catalog for *kind*."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hget(keys.SCAN, f"{_IMPORT}{kind}")
            (told,) = await pipe.execute()
        return _NO_IMPORT if told is None else LastImport(*json.loads(told))

    async def import_of(self, arrival: str) -> LastImport:
        """Return what became of the catalog that arrived as *arrival*, with an empty id where that is not known."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.get(keys.import_result(arrival))
            (told,) = await pipe.execute()
        return _NO_IMPORT if told is None else LastImport(*json.loads(told))

    async def state(self) -> ScanState:
        """Return how things stand."""
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(keys.SCAN)
            pipe.zscore(keys.queue(QueueName.SCAN), SCAN)
            fields, waiting = await pipe.execute()
        told = {name.decode(): value.decode() for name, value in fields.items()}
        return ScanState(
            running=waiting is not None,
            kind=told.get("kind", ""),
            files=int(told.get("files", 0)),
            started=int(told.get("started", 0)),
            ended=int(told.get("ended", 0)),
            failure=told.get("failure", ""),
        )

    async def _set(self, **fields: str | int) -> None:
        async with redis_errors(self._retry_timeout), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(keys.SCAN, mapping=dict(fields))
            await pipe.execute()
