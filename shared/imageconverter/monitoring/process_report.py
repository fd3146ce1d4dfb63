"""What a process reports about itself with its heartbeats."""

from typing import Final, Self

from pydantic import BaseModel, ValidationError

import imageconverter
from imageconverter.jobs import Activity, RunningTask

_MAX_TASKS: Final = 32


class SandboxReport(BaseModel):
    """The sandbox of a worker."""

    missing: str = ""
    """Why system calls are not filtered; "" if they are."""
    processes: int = 0
    converting: int = 0
    """How many of them convert an image now."""


class ProcessReport(BaseModel):
    """What one process is and does. Releases share it during an upgrade: unknown fields are ignored."""

    version: str = ""
    started: float = 0
    """In seconds since 1970, by the clock of the process; 0 if unknown."""
    tasks: tuple[RunningTask, ...] = ()
    """Those that run longest."""
    task_count: int = 0
    sandbox: SandboxReport | None = None

    @classmethod
    def of(cls, activity: Activity, *, started: float, sandbox: SandboxReport | None) -> Self:
        """Return a report on this process, which has *started* at that time."""
        return cls(
            version=imageconverter.__version__,
            started=round(started, 1),
            tasks=activity.oldest(_MAX_TASKS),
            task_count=activity.count,
            sandbox=sandbox,
        )


def read_report(text: str) -> ProcessReport:
    """Return the report in *text*; an empty one if it cannot be read."""
    try:
        return ProcessReport.model_validate_json(text)
    except ValidationError:
        return ProcessReport()
