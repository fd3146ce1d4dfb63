"""Response models of runs and of conversions that a client waits for."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from imageconverter.images.conversions import FormatResult, OutputOutcome, Status
from imageconverter.runs import Counts, DryRun, Run, RunStatus
from services.gateway.http.responses import Count, NonEmpty, ResponseModel, optional

_KILOBYTE = 1024


class Result(ResponseModel):
    """One source in one format."""

    duration: Count
    """Duration of the conversion, in whole seconds."""
    file_size: Annotated[str, Field(pattern="^[0-9]+ KB$")]
    """Size of the output in KB of 1,024 bytes; `0 KB` if there is none."""
    format: str
    """Name of the format."""
    format_id: str
    """Id of the format."""
    message: str
    """`success`, or the warning or error."""
    output: str
    """Path of the output in the target tree; the image is at `/content/<output>`."""
    output_filename: str
    """The last part of `output`."""
    source: str
    """Path of the source in the source tree."""
    source_filename: str
    """The last part of `source`."""
    status: Status
    bytes: Count | None = optional()
    """Size of the output; this and the next fields with `details=true` only."""
    width: Count | None = optional()
    """In pixels; 0 if there is no output."""
    height: Count | None = optional()
    seconds: Annotated[float, Field(ge=0)] | None = optional()
    """Duration of the conversion."""

    @classmethod
    def of(cls, source_path: str, name: str, node_id: str, outcome: OutputOutcome, *, details: bool = False) -> Self:
        """Return the result of converting *source_path* to the format called *name*, with *details* of the output."""
        more: dict[str, Any] = {}
        if details:
            more = {
                "bytes": outcome.size,
                "width": outcome.width,
                "height": outcome.height,
                "seconds": round(outcome.seconds, 3),
            }
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
            **more,
        )


class ResultsPage(ResponseModel):
    """A page of the results of a run."""

    items: tuple[Result, ...] = ()
    cursor: Annotated[str, Field(pattern="^[0-9]{1,12}$")] | None = optional()
    """Omitted on the last page."""


class FormatPlan(ResponseModel):
    """What a run would do in one format."""

    id: NonEmpty
    """Id of the format."""
    name: str
    make: Count = 0
    """Outputs that are missing or outdated; some may turn out to be broken."""
    up_to_date: Count = 0
    """Outputs that would be skipped."""
    not_images: Count = 0
    """Files that are not images and would be skipped."""


class RunPlan(ResponseModel):
    """What a run would do with the sources that were checked."""

    sources: Count
    """The sources that were checked."""
    formats: tuple[FormatPlan, ...]
    """In the order of the request."""
    complete: bool
    """Whether all sources have been checked."""
    cursor: NonEmpty | None = optional()
    """For the request that checks the next sources, if there are more."""

    @classmethod
    def of(cls, found: DryRun, run: Run) -> Self:
        """Return what was *found* out on *run*."""
        names = {each.node_id: each.name for batch in run.batches for each in batch.formats}
        formats = []
        for node_id in run.formats:
            counts = found.outputs.get(node_id, {})
            formats.append(
                FormatPlan(
                    id=node_id,
                    name=names[node_id],
                    make=counts.get("make", 0),
                    up_to_date=counts.get("up_to_date", 0),
                    not_images=counts.get("not_an_image", 0),
                )
            )
        return cls(
            sources=found.sources, formats=tuple(formats), complete=not found.cursor, cursor=found.cursor or None
        )


class Counter(ResponseModel):
    """Sources or outputs by how they ended."""

    error: Count = 0
    skipped: Count = 0
    """Not an image, or its output is newer."""
    success: Count = 0
    warning: Count = 0
    """Converted, with a warning as `message`."""

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Return *counts* as a response."""
        return cls(error=counts.error, skipped=counts.skipped, success=counts.success, warning=counts.warning)


class Progress(ResponseModel):
    """Finished sources or outputs, of those known so far."""

    finished: Count = 0
    percentage: Annotated[int, Field(ge=0, le=100)] = 0
    """Rounded down; 0 if `total` is 0."""
    total: Count = 0
    """Increases while the sources are being listed."""

    @classmethod
    def of(cls, counts: Counts, total: int) -> Self:
        """Return the share of *total* that is finished, rounded down to whole percent."""
        finished = sum(counts)
        return cls(finished=finished, percentage=100 * finished // total if total else 0, total=total)


class Timer(ResponseModel):
    """Start, end and duration of a run."""

    duration: Count = 0
    """Seconds; for an active run, until now."""
    end: Count = 0
    """Unix seconds; 0 while it is active."""
    start: Count = 0
    """Unix seconds."""


class RunStateResponse(ResponseModel):
    """The status of a run, or that there was none yet."""

    id: NonEmpty | None = optional()
    """Of the run; this and the next fields with `details=true` only."""
    action: str | None = optional()
    """The label of the run."""
    started_by: str | None = optional()
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""
    reason: NonEmpty | None = optional()
    """Why the run has the status `error`."""
    retry_of: NonEmpty | None = optional()
    """The run whose failed sources this one converts."""
    subshop_id: NonEmpty | None = optional()
    """The subshop whose formats are used; none for a run of an earlier release, and for an automatic one."""
    rate: Annotated[float, Field(ge=0)] | None = optional()
    """Sources per second in the last seconds; in events of an active run."""
    seconds_left: Count | None = optional()
    """Seconds until its end at this rate; in events of an active run, once all sources are counted."""
    canceled: bool = True
    """True unless the run is active, so also for a finished run."""
    counter: Counter = Counter()
    """Finished sources, by the worst status of their outputs."""
    format_counter: Counter = Counter()
    """Finished outputs."""
    progress: Progress = Progress()
    """Sources."""
    progress_format: Progress = Progress()
    """Outputs."""
    running: bool = False
    status: Literal["ready", "running", "finished", "canceled", "error"] = "ready"
    """`ready`: there was no run yet. `canceled`: it was canceled before its end. `error`: it failed."""
    timer: Timer = Timer()
    used_formats: tuple[str, ...] = ()
    """Ids of the formats of the run, in the order of the request."""

    @classmethod
    def of(
        cls,
        status: RunStatus | None,
        *,
        details: bool = False,
        rate: float | None = None,
        seconds_left: int | None = None,
    ) -> Self:
        """Return *status* as a response, with *details* of the run; None if there was no run yet."""
        if status is None:
            return cls()
        run = status.run
        more: dict[str, Any] = {}
        if details:
            more = {
                "id": run.id,
                "action": run.action,
                "started_by": run.started_by,
                "reason": status.reason or None,
                "retry_of": run.retry_of or None,
                "subshop_id": run.subshop or None,
            }
        seconds = max(0, (status.ended or status.now) - status.started)  # the clock may have been set back
        return cls(
            canceled=not status.is_running,
            counter=Counter.of(status.sources),
            format_counter=Counter.of(status.outputs),
            progress=Progress.of(status.sources, status.sources_total),
            progress_format=Progress.of(status.outputs, status.outputs_total),
            rate=None if rate is None else round(rate, 1),
            running=status.is_running,
            seconds_left=seconds_left,
            status=status.state,
            timer=Timer(duration=seconds, end=status.ended, start=status.started),
            used_formats=run.formats,
            **more,
        )


class FailedSources(ResponseModel):
    """Sources that have failed, as they come."""

    items: tuple[Result, ...]
    """Their outputs with an error."""
    total: Count
    """The number of all failed sources so far."""


class RunResponse(RunStateResponse):
    """A run in the list of runs."""

    id: NonEmpty
    action: str
    """The label of the run."""
    started_by: str
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""


class RunsPage(ResponseModel):
    """Runs, the newest first."""

    items: tuple[RunResponse, ...]
    cursor: NonEmpty | None = optional()
    """For the runs before; the last page has none."""


def format_result(source_path: str, result: FormatResult, *, details: bool = False) -> Result:
    """Return the result of one format of an upload that was converted at once."""
    return Result.of(source_path, result.format.name, result.format.node_id, result.outcome, details=details)


def file_size(size: int) -> str:
    """Return *size*, in bytes, in whole KB of 1,024 bytes; at least one KB unless the size is 0."""
    return f"{max(1, round(size / _KILOBYTE)) if size else 0} KB"
