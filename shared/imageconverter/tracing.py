"""Spans of traces: what is done for a request, and how long it takes, across processes.

The core knows only this module. What records the spans is OpenTelemetry, an extra (`services/runtime/tracing.py`);
without it, a span costs a look at a variable.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar
from typing import Final, Literal, Protocol

SpanKind = Literal["server", "producer", "consumer", "client", "internal"]
Attribute = str | int | float | bool

TRACE_PARENT: Final = "traceparent"
"""The name of the context of a trace in headers and jobs (W3C Trace Context)."""

_NO_SPAN: Final = nullcontext()


class Tracer(Protocol):
    """What records spans."""

    def span(
        self, name: str, kind: SpanKind, parent: str, link: str, attributes: Mapping[str, Attribute]
    ) -> AbstractContextManager[object]:
        """Return the context of a span."""

    def current(self) -> str:
        """Return the `traceparent` of the current span; "" if there is none."""


_TRACER: Final[ContextVar[Tracer | None]] = ContextVar("tracer", default=None)
_PARENT: Final[ContextVar[str]] = ContextVar("trace_parent", default="")


def record_with(tracer: Tracer) -> None:
    """Record the spans of this task, and of those that it starts, with *tracer*."""
    _TRACER.set(tracer)


def is_recorded() -> bool:
    """Return whether spans are recorded."""
    return _TRACER.get() is not None


def span(
    name: str, kind: SpanKind = "internal", *, parent: str = "", link: str = "", **attributes: Attribute
) -> AbstractContextManager[object]:
    """Return the context of a span: below *parent*, a `traceparent`, or else below the current span.

    With *link* instead, a `traceparent` too, it begins a trace of its own that refers to that one.
    """
    tracer = _TRACER.get()
    return _NO_SPAN if tracer is None else tracer.span(name, kind, parent, link, attributes)


def current() -> str:
    """Return the `traceparent` of the current span for a header or a job; "" if there is none."""
    tracer = _TRACER.get()
    return "" if tracer is None else tracer.current()


def keep_parent(trace_parent: object) -> None:
    """Remember the `traceparent` of a job that was read, for `parent_of_job`."""
    _PARENT.set(trace_parent if isinstance(trace_parent, str) else "")


def parent_of_job() -> str:
    """Return the `traceparent` of the job that this task has read; "" if it has none."""
    return _PARENT.get()
