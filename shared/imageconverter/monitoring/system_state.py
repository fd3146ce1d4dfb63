"""The state of the whole system: all live processes, the queues, the last run, Redis and the object store."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import JobQueue, QueueName, QueueState
from imageconverter.monitoring.process_report import ProcessReport, read_report
from imageconverter.runs.run import RunStatus
from imageconverter.runs.store import RunStore
from imageconverter.storage.store import ObjectStore

Availability = Literal["up", "read-only", "down"]


class Process(NamedTuple):
    """A process with a recent heartbeat."""

    host: str
    pid: int
    formats: str
    """The digest of its image formats; "" if it has not reported any."""
    report: ProcessReport


@dataclass(frozen=True)
class RedisState:
    """Redis, and the memory that it uses; 0 if unknown."""

    availability: Availability
    version: str = ""
    used_bytes: int = 0
    max_bytes: int = 0
    """`maxmemory`; 0 without a limit."""


@dataclass(frozen=True)
class Jobs:
    """What Redis knows of jobs."""

    queues: Mapping[QueueName, QueueState] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)
    """Jobs that were refused because their queue was full, by queue."""
    dead_letters: int = 0
    refused_system_calls: Mapping[str, int] = field(default_factory=dict)
    """What the sandbox has refused, by the name of the system call."""


@dataclass(frozen=True)
class SystemState:
    """The state at one moment; nothing of processes and jobs is known while Redis is down."""

    at: datetime
    redis: RedisState
    store: Availability
    processes: Mapping[str, Sequence[Process]]
    """By role."""
    jobs: Jobs
    last_run: RunStatus | None = None
    """Of the run that was started last."""

    @property
    def have_formats_in_common(self) -> bool:
        """Whether all processes have the same image formats."""
        digests = {process.formats for found in self.processes.values() for process in found}
        return len(digests - {""}) <= 1


async def system_state(
    roles: Sequence[str], queue: JobQueue, runs: RunStore, redis: Redis, store: ObjectStore
) -> SystemState:
    """Return the current state; never raises for what is unavailable."""
    redis_state, store_state, processes, jobs, last_run = await asyncio.gather(
        _redis_state(queue, redis), store.availability(), _processes(roles, queue), _jobs(queue), _last_run(runs)
    )
    return SystemState(datetime.now(UTC), redis_state, store_state, processes, jobs, last_run)


async def _redis_state(queue: JobQueue, redis: Redis) -> RedisState:
    availability = await queue.availability()
    try:
        server = await redis.info("server") if availability != "down" else {}
        memory = await redis.info("memory") if server else {}
    except (RedisError, OSError):  # an ACL may forbid it
        server, memory = {}, {}
    return RedisState(
        availability,
        version=str(server.get("redis_version", "")),
        used_bytes=int(memory.get("used_memory", 0)),
        max_bytes=int(memory.get("maxmemory", 0)),
    )


async def _processes(roles: Sequence[str], queue: JobQueue) -> dict[str, list[Process]]:
    async def of(role: str) -> list[Process]:
        live, reports = await queue.live_processes(role), await queue.reports(role)
        return [
            Process(*_host_and_pid(process), formats, read_report(reports.get(process, "")))
            for process, formats in live.items()
        ]

    try:
        return dict(zip(roles, await asyncio.gather(*map(of, roles)), strict=True))
    except QueueUnavailable:
        return {role: [] for role in roles}


def _host_and_pid(process: str) -> tuple[str, int]:
    host, _, pid = process.rpartition(":")
    return (host, int(pid)) if pid.isascii() and pid.isdigit() else (process, 0)


async def _jobs(queue: JobQueue) -> Jobs:
    try:
        states = await asyncio.gather(*(queue.state(name) for name in QueueName))
        refused, dead, calls = await asyncio.gather(queue.refused(), queue.dead.count(), queue.refused_system_calls())
    except QueueUnavailable:
        return Jobs()
    return Jobs(dict(zip(QueueName, states, strict=True)), refused, dead, calls)


async def _last_run(runs: RunStore) -> RunStatus | None:
    try:
        latest = await runs.latest()
        return None if latest is None else await runs.status(latest)
    except QueueUnavailable:
        return None
