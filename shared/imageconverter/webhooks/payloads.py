"""The bodies of webhooks, with the names that the images API has for the same facts."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from imageconverter.images.image_formats import ImageType
from imageconverter.reports.cleanup import CleanupReport
from imageconverter.reports.index import Report
from imageconverter.runs.run import Counts, RunStatus

TYPE_IDS: dict[ImageType, str] = {"product": "products", "category": "categories", "app": "appImages"}

_Count = Annotated[int, Field(ge=0)]
_Text = Annotated[str, Field(min_length=1)]


def _in_utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


_Timestamp = Annotated[datetime, PlainSerializer(_in_utc), Field(json_schema_extra={"format": "date-time"})]


class Payload(BaseModel):
    """A part of the body of a webhook. The OpenAPI document has its schema, with the docstrings."""

    model_config = ConfigDict(
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=True,
        serialize_by_alias=True,
        use_attribute_docstrings=True,
        json_schema_extra={"additionalProperties": False},
    )


class WebhookCounter(Payload):
    """Sources or outputs by how they ended."""

    error: _Count
    skipped: _Count
    success: _Count
    warning: _Count

    @classmethod
    def of(cls, counts: Counts) -> Self:
        """Return *counts* as a part of a body."""
        return cls(**counts._asdict())


class EndedRun(Payload):
    """A run that has ended."""

    id: _Text
    action: str
    """The label of the run."""
    started_by: str
    """`key NAME` or `user NAME`; empty for a run of an earlier release."""
    status: Literal["finished", "canceled", "error"]
    reason: str
    """Why it failed, or empty."""
    counter: WebhookCounter
    """Finished sources, by the worst status of their outputs; for a canceled run, when it was canceled."""
    format_counter: WebhookCounter
    """Finished outputs."""
    start: _Count
    """Unix seconds."""
    end: _Count
    """Unix seconds."""
    used_formats: tuple[str, ...]
    """Ids of the formats of the run."""

    @classmethod
    def of(cls, status: RunStatus) -> Self:
        """Return the run with *status*."""
        values: dict[str, Any] = {"status": status.state}
        return cls(
            id=status.run.id,
            action=status.run.action,
            started_by=status.run.started_by,
            reason=status.reason,
            counter=WebhookCounter.of(status.sources),
            format_counter=WebhookCounter.of(status.outputs),
            start=status.started,
            end=status.ended,
            used_formats=status.run.formats,
            **values,
        )


class ReadyReport(Payload):
    """A report that was made."""

    type: Annotated[str, Field(json_schema_extra={"enum": [*TYPE_IDS.values()]})]
    """The image type."""
    id: Annotated[int, Field(ge=1)]
    files: _Count
    bytes: _Count
    missing: _Count
    missing_but_near: _Count
    """Missing images with a file that differs only in case or extension."""
    unused: _Count
    unused_bytes: _Count
    unused_refused: str
    """Why no file is reported as unused; empty if files are."""

    @classmethod
    def of(cls, kind: ImageType, report: Report) -> Self:
        """Return *report* on images of *kind*."""
        summary = report.summary
        return cls(
            type=TYPE_IDS[kind],
            id=report.id,
            files=summary.files,
            bytes=summary.file_bytes,
            missing=summary.missing,
            missing_but_near=summary.missing_but_near,
            unused=summary.unused,
            unused_bytes=summary.unused_bytes,
            unused_refused=summary.unused_refused,
        )


class FinishedCleanup(Payload):
    """A clean-up that has moved files to the trash."""

    type: Annotated[str, Field(json_schema_extra={"enum": [*TYPE_IDS.values()]})]
    """The image type."""
    trash: str
    """The id for restoring the files; empty if none was moved."""
    report: Annotated[int, Field(ge=1)]
    """The newest report."""
    since: Annotated[int, Field(ge=1)]
    """The oldest report that lists the files as unused."""
    files: _Count
    bytes: _Count
    share: Annotated[float, Field(ge=0, le=1)]
    """Share of all files of the report."""
    refused: str
    """Why the clean-up was stopped before its end, or empty."""

    @classmethod
    def of(cls, kind: ImageType, done: CleanupReport) -> Self:
        """Return what a clean-up of images of *kind* has *done*."""
        return cls(
            type=TYPE_IDS[kind],
            trash=done.trash,
            report=done.report,
            since=done.since,
            files=done.files,
            bytes=done.bytes,
            share=done.share,
            refused=done.refused,
        )


class CreatedDeadLetter(Payload):
    """A job that has used up its attempts or could not be read."""

    id: _Text
    lane: str
    """The queue of the job."""
    task: str
    """The task; empty if the job could not be read."""
    reason: _Text
    """Why the job failed."""
    tries: _Count
    """Number of attempts."""


class RunFinishedEvent(Payload):
    """A run has ended: it is finished, was canceled or has failed."""

    type: Literal["run.finished"]
    timestamp: _Timestamp
    """When it happened."""
    data: EndedRun


class ReportReadyEvent(Payload):
    """A report was made."""

    type: Literal["report.ready"]
    timestamp: _Timestamp
    """When it happened."""
    data: ReadyReport


class CleanupFinishedEvent(Payload):
    """A clean-up has moved files to the trash."""

    type: Literal["cleanup.finished"]
    timestamp: _Timestamp
    """When it happened."""
    data: FinishedCleanup


class DeadLetterCreatedEvent(Payload):
    """A job has failed for good."""

    type: Literal["dead_letter.created"]
    timestamp: _Timestamp
    """When it happened."""
    data: CreatedDeadLetter
