"""Events: what scripts record in Redis, read as the bodies of webhooks."""

import json
from hashlib import sha256
from typing import Final, Literal, NamedTuple

import structlog
from pydantic import ValidationError

from imageconverter.runs.run_hash import read_status
from imageconverter.webhooks.payloads import (
    CleanupFinishedEvent,
    DeadLetterCreatedEvent,
    EndedRun,
    Payload,
    ReportReadyEvent,
    RunFinishedEvent,
)

_log = structlog.get_logger(__name__)

EventType = Literal["run.finished", "report.ready", "cleanup.finished", "dead_letter.created"]

_EVENTS: Final[dict[str, type[Payload]]] = {
    "run.finished": RunFinishedEvent,
    "report.ready": ReportReadyEvent,
    "cleanup.finished": CleanupFinishedEvent,
    "dead_letter.created": DeadLetterCreatedEvent,
}


class Event(NamedTuple):
    """Something that has happened."""

    id: str
    """The same for the same fact, however often it is recorded; it is sent as `webhook-id`."""
    type: str
    at: int
    """In seconds since 1970, by Redis's clock."""
    body: str
    """The body of its webhooks."""


def read_event(recorded: bytes) -> Event | None:
    """Return the event that `record_event` of the scripts has recorded; None if it is unreadable, which is logged."""
    try:
        values = json.loads(recorded)
        kind, at, subject = str(values["type"]), int(values["at"]), str(values["subject"])
        data = _run(values["data"]) if kind == "run.finished" else values["data"]
        body = _EVENTS[kind].model_validate({"type": kind, "timestamp": at, "data": data}).model_dump_json()
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        reason = str(error) if not isinstance(error, ValidationError) else str(error.errors(include_input=False))
        _log.error("webhook event unreadable", reason=reason)
        return None
    return Event(f"msg_{sha256(f'{kind} {subject}'.encode()).hexdigest()[:32]}", kind, at, body)


def _run(data: list[str]) -> Payload:
    """Return the run with these names and values of its hash."""
    fields = {name.encode(): value.encode() for name, value in zip(data[::2], data[1::2], strict=True)}
    run_id = json.loads(fields[b"run"])["id"]
    return EndedRun.of(read_status(run_id, fields, 0))
