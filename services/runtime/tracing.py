"""Traces with OpenTelemetry, and errors with Sentry: both are extras, and off without their settings."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import structlog

import imageconverter
from imageconverter import tracing
from imageconverter.settings import ProcessSettings, SettingsError

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer as OpenTelemetryTracer

_log = structlog.get_logger(__name__)

_SECRETS: Final = ("authorization", "cookie", "password", "secret", "token", "apikey")


@contextmanager
def observed(settings: ProcessSettings, role: str) -> Iterator[None]:
    """Record traces and errors of a process of *role* during the block, as the *settings* say.

    Raises SettingsError if a setting needs a package that is not installed.
    """
    if settings.sentry_dsn is not None:
        _require("sentry_sdk", "IMAGECONVERTER_SENTRY_DSN", extra="sentry")
        _begin_sentry(settings.sentry_dsn.get_secret_value(), role)
    if settings.trace_endpoint is None:
        yield
        return
    _require("opentelemetry.sdk", "IMAGECONVERTER_TRACE_ENDPOINT", extra="tracing")
    provider = _provider(settings.trace_endpoint, settings.trace_share, role)
    tracing.record_with(Spans(provider.get_tracer("imageconverter", imageconverter.__version__)))
    _log.info("traces recorded", endpoint=settings.trace_endpoint, share=settings.trace_share)
    try:
        yield
    finally:
        provider.shutdown()


def _require(module: str, setting: str, *, extra: str) -> None:
    try:
        is_installed = find_spec(module) is not None
    except ModuleNotFoundError:
        is_installed = False
    if not is_installed:
        raise SettingsError(f"{setting}: needs the extra {extra}, see docs/monitoring.md#traces-and-errors")


def _provider(endpoint: str, share: float, role: str) -> Any:
    """Return what samples spans and sends them in a thread."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - an extra
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio  # noqa: PLC0415

    resource = Resource.create({
        "service.name": f"imageconverter-{role}",
        "service.namespace": "imageconverter",
        "service.version": imageconverter.__version__,
    })  # fmt: skip
    provider = TracerProvider(sampler=ParentBasedTraceIdRatio(share), resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")))
    return provider


class Spans:
    """Records spans with OpenTelemetry."""

    def __init__(self, tracer: "OpenTelemetryTracer") -> None:
        """Use *tracer*."""
        from opentelemetry import trace  # noqa: PLC0415 - an extra
        from opentelemetry.trace.propagation import tracecontext  # noqa: PLC0415

        self._trace = trace
        self._tracer = tracer
        self._format = tracecontext.TraceContextTextMapPropagator()

    @contextmanager
    def span(
        self,
        name: str,
        kind: tracing.SpanKind,
        parent: str,
        link: str,
        attributes: Mapping[str, tracing.Attribute],
    ) -> Iterator[object]:
        """Record what is done in the block; an exception is recorded and raised."""
        links, context = [], self._context(parent) if parent else None
        if link:
            context = self._trace.set_span_in_context(self._trace.INVALID_SPAN)
            links = [self._trace.Link(self._trace.get_current_span(self._context(link)).get_span_context())]
        with self._tracer.start_as_current_span(
            name, context=context, kind=self._trace.SpanKind[kind.upper()], links=links, attributes=dict(attributes)
        ) as begun:
            yield begun

    def current(self) -> str:
        """Return the context of the current span as a header."""
        carrier: dict[str, str] = {}
        self._format.inject(carrier)
        return carrier.get(tracing.TRACE_PARENT, "")

    def _context(self, trace_parent: str) -> Any:
        return self._format.extract({tracing.TRACE_PARENT: trace_parent})


def _begin_sentry(dsn: str, role: str) -> None:
    """Send logged errors with their tracebacks, without local variables, headers or bodies."""
    import sentry_sdk  # noqa: PLC0415 - an extra

    sentry_sdk.init(
        dsn=dsn,
        release=imageconverter.__version__,
        server_name=role,
        include_local_variables=False,
        send_default_pii=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        default_integrations=True,
        auto_enabling_integrations=False,
        before_send=_without_secrets,
    )


def _without_secrets(event: Any, _hint: Any) -> Any:
    """Remove what may contain a secret from *event*."""
    event.pop("request", None)
    extra = event.get("extra", {})
    event["extra"] = {name: value for name, value in extra.items() if not _is_secret(name)}
    return event


def _is_secret(name: str) -> bool:
    return any(each in name.lower() for each in _SECRETS)
