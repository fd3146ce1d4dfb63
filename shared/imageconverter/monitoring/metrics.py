"""What a process has measured since its start, for Prometheus.

The metrics of all roles are defined here, each with its type, unit and labels, whose values are few whatever happens.
Those of the whole system, which are in Redis, are in `services/gateway/metrics.py`.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, Literal

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    Info,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.core import InfoMetricFamily, Metric
from prometheus_client.registry import Collector

import imageconverter
from imageconverter.images.current_formats import CurrentFormats
from imageconverter.jobs import JobEnd, QueueName
from imageconverter.storage.calls import CallOutcome as StoreOutcome
from imageconverter.storage.calls import Verb
from imageconverter.storage.store import ObjectStore

SandboxEvent = Literal["started", "not started", "crashed", "timed out", "killed while idle"]

_MAX_EXEMPLAR: Final = 128 - len("request_id")  # characters, by OpenMetrics
_OF_REQUESTS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_OF_CONVERSIONS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_OF_CALLS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_OF_TASKS: Final = (0.01, 0.1, 1, 10, 60, 600, 3600)


class Metrics:
    """The metrics of this process, in a registry of their own."""

    def __init__(self) -> None:
        """Begin at zero."""
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        GCCollector(registry=registry)
        Info("imageconverter_build", "The release.", registry=registry).info({"version": imageconverter.__version__})
        self.http_requests = Histogram(
            "imageconverter_http_request_seconds",
            "Time from the head of a request to the end of its response.",
            ["method", "route", "status"],
            buckets=_OF_REQUESTS,
            registry=registry,
        )
        self._http_requests: dict[tuple[str, str, int], Histogram] = {}
        self.conversions = Histogram(
            "imageconverter_conversion_seconds",
            "Time of a conversion of one source to all of its outputs, with its transfers from and to the store.",
            ["kind", "queue", "outcome"],
            buckets=_OF_CONVERSIONS,
            registry=registry,
        )
        self.outputs = Counter(
            "imageconverter_outputs",
            "Outputs of conversions of images; the source type is that of the leading bytes.",
            ["format", "source_type", "outcome", "queue"],
            registry=registry,
        )
        self.source_bytes = Counter(
            "imageconverter_source_bytes",
            "Bytes of the sources that were read.",
            ["kind", "queue"],
            registry=registry,
        )
        self.output_bytes = Counter(
            "imageconverter_output_bytes",
            "Bytes of the outputs that were stored.",
            ["kind", "queue"],
            registry=registry,
        )
        self.jobs = Counter(
            "imageconverter_jobs_ended",
            "Attempts of jobs by how they ended: `retried` counts as an attempt, `requeued` does not.",
            ["queue", "end"],
            registry=registry,
        )
        self.sandbox_processes = Counter(
            "imageconverter_sandbox_processes",
            "What happened to processes of the sandbox.",
            ["event"],
            registry=registry,
        )
        self.store_calls = Histogram(
            "imageconverter_store_call_seconds",
            "Time of a call of the object store, with its retries.",
            ["verb", "outcome"],
            buckets=_OF_CALLS,
            registry=registry,
        )
        self.store_unavailable = Gauge(
            "imageconverter_store_unavailable",
            "1 while the circuit breaker is open, so that calls of the object store fail at once.",
            ["access"],
            registry=registry,
        )
        self.redis_commands = Histogram(
            "imageconverter_redis_command_seconds",
            "Time of a command or pipeline of Redis, with its retries.",
            ["command", "outcome"],
            buckets=_OF_CALLS,
            registry=registry,
        )
        self.previews = Counter(
            "imageconverter_previews_served",
            "Previews that the ImageConverter API has served.",
            ["from"],
            registry=registry,
        )
        self.periodic_tasks = Histogram(
            "imageconverter_periodic_task_seconds",
            "Time of a periodic task of the reporter.",
            ["task", "outcome"],
            buckets=_OF_TASKS,
            registry=registry,
        )

    def http_request(self, method: str, route: str, status: int, seconds: float, request_id: str) -> None:
        """Record a request; *route* is the template of its path, never the path itself."""
        found = self._http_requests.get((method, route, status))
        if found is None:  # `labels` takes longer than `observe`
            found = self._http_requests[method, route, status] = self.http_requests.labels(method, route, str(status))
        fits = len(request_id) <= _MAX_EXEMPLAR
        found.observe(seconds, {"request_id": request_id} if fits else None)

    def store_call(self, verb: Verb, outcome: StoreOutcome, seconds: float) -> None:
        """Record a call of the object store."""
        self.store_calls.labels(verb, outcome).observe(seconds)

    def redis_command(self, name: str, succeeded: bool, seconds: float) -> None:  # noqa: FBT001 - a listener
        """Record a command of Redis."""
        self.redis_commands.labels(name, "success" if succeeded else "error").observe(seconds)

    def job_ended(self, queue: QueueName, end: JobEnd) -> None:
        """Record how an attempt of a job has ended."""
        self.jobs.labels(queue.value, end).inc()

    def sandbox_event(self, event: SandboxEvent) -> None:
        """Record what happened to a process of the sandbox."""
        self.sandbox_processes.labels(event).inc()

    @contextmanager
    def periodic_task(self, name: str) -> Iterator[None]:
        """Record the periodic task that is carried out in the block."""
        began, outcome = time.perf_counter(), "error"
        try:
            yield
            outcome = "success"
        finally:
            self.periodic_tasks.labels(name, outcome).observe(time.perf_counter() - began)

    def watch_store(self, store: ObjectStore) -> None:
        """Let the metrics say whether *store* is unavailable."""
        for access in ("reading", "writing"):
            self.store_unavailable.labels(access).set_function(partial(_is_unavailable, store, access))

    def watch_formats(self, formats: CurrentFormats) -> None:
        """Let the metrics have the digest of *formats*."""
        self.registry.register(_Formats(formats))


def _is_unavailable(store: ObjectStore, access: Literal["reading", "writing"]) -> float:
    return float(store.unavailable_for[access])


class _Formats(Collector):
    """The digest of the formats as a label, because they can change while a process runs."""

    def __init__(self, formats: CurrentFormats) -> None:
        self._formats = formats

    def collect(self) -> Iterator[Metric]:
        family = InfoMetricFamily("imageconverter_formats", "The image formats in effect, by their digest.")
        family.add_metric([], {"digest": self._formats.current.digest()})
        yield family
