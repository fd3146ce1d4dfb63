"""The responses of `images/system`."""

from datetime import UTC, datetime
from typing import Annotated, Final, Self

from pydantic import Field

from imageconverter.jobs import QueueName, QueueState, RunningTask
from imageconverter.monitoring.process_report import SandboxReport
from imageconverter.monitoring.system_state import Availability, Process, RedisState
from services.gateway.http.responses import Count, NonEmpty, ResponseModel, Timestamp, optional
from services.runtime.roles import ROLES

QUEUES: Final = Field(json_schema_extra={"enum": [*map(str, QueueName)]})
_ROLES: Final = Field(json_schema_extra={"enum": [*ROLES]})
Seconds = Annotated[float, Field(ge=0)]


class TaskResponse(ResponseModel):
    """A job or a periodic task that runs now."""

    task: NonEmpty
    queue: Annotated[str, QUEUES] | None = optional()
    """The queue of a job; omitted for a periodic task."""
    subject: str
    """What a job is about: the key of a source or preview, a run or a type; empty if unknown."""
    since: Timestamp

    @classmethod
    def of(cls, task: RunningTask) -> Self:
        """Return *task* as a response."""
        return cls(task=task.task, queue=task.queue or None, subject=task.subject, since=time_of(task.since))


class SandboxResponse(ResponseModel):
    """The sandbox of a worker."""

    missing: str
    """Why system calls are not filtered; empty if they are."""
    processes: Count
    converting: Count
    """How many of them convert an image now."""

    @classmethod
    def of(cls, sandbox: SandboxReport) -> Self:
        """Return *sandbox* as a response."""
        return cls(missing=sandbox.missing, processes=sandbox.processes, converting=sandbox.converting)


class ProcessResponse(ResponseModel):
    """A process that is running."""

    host: str
    pid: Count
    version: str
    """Its release; empty if that does not report it."""
    started: Timestamp | None = optional()
    """Omitted if unknown."""
    formats: str
    """The digest of its image formats; empty if unknown."""
    tasks: tuple[TaskResponse, ...]
    """Those that run longest, up to 32."""
    task_count: Count
    """The number of all that run."""
    sandbox: SandboxResponse | None = optional()
    """Of a worker."""

    @classmethod
    def of(cls, process: Process) -> Self:
        """Return *process* as a response."""
        report = process.report
        return cls(
            host=process.host,
            pid=process.pid,
            version=report.version,
            started=time_of(report.started) if report.started else None,
            formats=process.formats,
            tasks=tuple(map(TaskResponse.of, report.tasks)),
            task_count=report.task_count,
            sandbox=SandboxResponse.of(report.sandbox) if report.sandbox else None,
        )


class RoleResponse(ResponseModel):
    """The processes of a role."""

    role: Annotated[str, _ROLES]
    processes: tuple[ProcessResponse, ...]


class QueueResponse(ResponseModel):
    """A queue."""

    queue: Annotated[str, QUEUES]
    jobs: Count
    """Those that wait and those that run."""
    running: Count
    """Those that run, among the first 1,000."""
    oldest_seconds: Seconds | None
    """For how long the job waits that has waited longest; null if none waits."""
    refused: Count
    """Jobs that were refused because the queue was full, since Redis was empty."""

    @classmethod
    def of(cls, name: QueueName, queue: QueueState, refused: int) -> Self:
        """Return *queue* as a response."""
        return cls(
            queue=name.value,
            jobs=queue.jobs,
            running=queue.running,
            oldest_seconds=queue.oldest_waits,
            refused=refused,
        )


class RedisResponse(ResponseModel):
    """Redis."""

    state: Availability
    version: str
    """Empty if unknown."""
    used_bytes: Count
    """Memory; 0 if unknown."""
    max_bytes: Count | None
    """The limit; null if there is none."""

    @classmethod
    def of(cls, redis: RedisState) -> Self:
        """Return *redis* as a response."""
        return cls(
            state=redis.availability,
            version=redis.version,
            used_bytes=redis.used_bytes,
            max_bytes=redis.max_bytes or None,
        )


class StoreResponse(ResponseModel):
    """The object store."""

    state: Availability


class SystemCallResponse(ResponseModel):
    """A system call that the sandbox has refused while it converted an image: a fault of the installation."""

    system_call: NonEmpty
    count: Count


class SystemResponse(ResponseModel):
    """The state of the system. Of processes and jobs nothing is known while Redis is down."""

    at: Timestamp
    version: NonEmpty
    """The release of this gateway."""
    formats: NonEmpty
    """The digest of this gateway's image formats."""
    problems: tuple[NonEmpty, ...]
    """What needs attention, as sentences: what Redis or the store lack, other formats in some processes, …"""
    redis: RedisResponse
    store: StoreResponse
    roles: tuple[RoleResponse, ...]
    queues: tuple[QueueResponse, ...]
    dead_letters: Count
    refused_system_calls: tuple[SystemCallResponse, ...]


def time_of(seconds: float) -> datetime:
    """Return the time *seconds* after 1970 began."""
    return datetime.fromtimestamp(seconds, UTC)
