"""Response models of runs and of conversions that a client waits for."""

from collections.abc import Iterator
from typing import Literal, Self

from imageconverter.images.conversions import FormatResult, OutputOutcome, Status
from imageconverter.images.image_formats import ImageFormats
from imageconverter.runs import Counts, RunStatus, SourceResult
from services.gateway.http.responses import ResponseModel, optional

_KILOBYTE = 1024


class Result(ResponseModel):
    """One source in one format."""

    duration: int
    file_size: str
    format: str
    format_id: str
    message: str
    output: str
    output_filename: str
    source: str
    source_filename: str
    status: Status

    @classmethod
    def of(cls, source_path: str, name: str, node_id: str, outcome: OutputOutcome) -> Self:
        """Return the result of converting *source_path* to the format called *name*."""
        return cls(
            duration=int(outcome.seconds),
            file_size=file_size(outcome.size),
            format=name,
            format_id=node_id,
            message=outcome.message,
            output=outcome.path,
            output_filename=outcome.path.rsplit("/", 1)[-1],
            source=source_path,
            source_filename=source_path.rsplit("/", 1)[-1],
            status=outcome.status,
        )


class ResultsPage(ResponseModel):
    """A page of the results of a run; the last one has no cursor."""

    items: tuple[Result, ...] = ()
    cursor: str | None = optional()


class Counter(ResponseModel):
    """Sources or outputs by how they ended."""

    error: int = 0
    skipped: int = 0
    success: int = 0
    warning: int = 0

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Return *counts* as a response."""
        return cls(error=counts.error, skipped=counts.skipped, success=counts.success, warning=counts.warning)


class Progress(ResponseModel):
    """Finished sources or outputs, of those known so far."""

    finished: int = 0
    percentage: int = 0
    total: int = 0

    @classmethod
    def of(cls, counts: Counts, total: int) -> Self:
        """Return the share of *total* that is finished, rounded down to whole percent."""
        finished = sum(counts)
        return cls(finished=finished, percentage=100 * finished // total if total else 0, total=total)


class Timer(ResponseModel):
    """Start and end of a run in Unix seconds, its duration in seconds; the end is 0 until it has ended."""

    duration: int = 0
    end: int = 0
    start: int = 0


class StatusResponse(ResponseModel):
    """The status of a run, or by default that there was none yet."""

    canceled: bool = True
    counter: Counter = Counter()
    format_counter: Counter = Counter()
    progress: Progress = Progress()
    progress_format: Progress = Progress()
    running: bool = False
    status: Literal["ready", "running", "finished", "canceled", "error"] = "ready"
    timer: Timer = Timer()
    used_formats: tuple[str, ...] = ()

    @classmethod
    def of(cls, status: RunStatus | None, **more: str) -> Self:
        """Return *status* as a response, with *more* fields; None if there was no run yet."""
        if status is None:
            return cls(**more)
        ended = status.ended or status.now
        return cls(
            canceled=not status.is_running,
            counter=Counter.of(status.sources),
            format_counter=Counter.of(status.outputs),
            progress=Progress.of(status.sources, status.sources_total),
            progress_format=Progress.of(status.outputs, status.outputs_total),
            running=status.is_running,
            status=status.state,
            timer=Timer(duration=ended - status.started, end=status.ended, start=status.started),
            used_formats=status.run.formats,
            **more,
        )


class RunResponse(StatusResponse):
    """A run in the list of runs."""

    id: str
    action: str


def format_result(source_path: str, result: FormatResult) -> Result:
    """Return the result of one format of an upload that was converted at once."""
    return Result.of(source_path, result.format.name, result.format.node_id, result.outcome)


def source_results(result: SourceResult, formats: ImageFormats) -> Iterator[Result]:
    """Yield the results of one source of a run; a format that is no longer configured is named by its id."""
    for node_id, outcome in result.outputs:
        found = formats.get(node_id)
        yield Result.of(result.source, found.name if found else node_id, node_id, outcome)


def file_size(size: int) -> str:
    """Return *size*, in bytes, in whole KB of 1,024 bytes; at least one KB unless the size is 0."""
    return f"{max(1, round(size / _KILOBYTE)) if size else 0} KB"
