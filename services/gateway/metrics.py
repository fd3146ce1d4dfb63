"""The gateway's Prometheus metrics."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imageconverter.jobs import PeriodicStats


class Metrics:
    """The request metrics of this process, in a registry of its own."""

    def __init__(self) -> None:
        """Create the registry."""
        self._registry = CollectorRegistry()
        self._histograms: dict[tuple[str, str, int], Histogram] = {}
        self._requests = Histogram(
            "imageconverter_http_request_seconds",
            "Time from the head of a request to the end of its response.",
            ["method", "route", "status"],
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record a request; *route* is the template of its path, never the path itself."""
        found = self._histograms.get((method, route, status))
        if found is None:  # `labels` takes longer than `observe`
            found = self._histograms[method, route, status] = self._requests.labels(method, route, str(status))
        found.observe(seconds)

    def render(
        self,
        depths: Mapping[str, int],
        refused: Mapping[str, int],
        refused_system_calls: Mapping[str, int],
        periodic: Mapping[str, PeriodicStats],
    ) -> bytes:
        """Return all metrics in text format, with the current ones of the queues and the periodic tasks."""
        shared = CollectorRegistry()
        shared.register(_Queue(depths, refused))
        shared.register(_Sandbox(refused_system_calls))
        shared.register(_PeriodicTasks(periodic))
        return generate_latest(self._registry) + generate_latest(shared)


class _Queue(Collector):
    def __init__(self, depths: Mapping[str, int], refused: Mapping[str, int]) -> None:
        self._depths = depths
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("imageconverter_queue_jobs", "Waiting and running jobs.", labels=["lane"])
        for queue, count in self._depths.items():
            depth.add_metric([queue], count)
        yield depth
        refused = CounterMetricFamily(
            "imageconverter_queue_refused", "Jobs rejected because their queue was full.", labels=["lane"]
        )
        for queue in self._depths:
            refused.add_metric([queue], self._refused.get(queue, 0))
        yield refused


class _Sandbox(Collector):
    def __init__(self, refused_system_calls: Mapping[str, int]) -> None:
        self._refused = refused_system_calls

    def collect(self) -> Iterator[Metric]:
        refused = CounterMetricFamily(
            "imageconverter_sandbox_refused_system_calls",
            "System calls that the sandbox has refused while converting images: a fault of this installation.",
            labels=["system_call"],
        )
        for name, count in self._refused.items():
            refused.add_metric([name], count)
        yield refused


class _PeriodicTasks(Collector):
    def __init__(self, periodic: Mapping[str, PeriodicStats]) -> None:
        self._periodic = periodic

    def collect(self) -> Iterator[Metric]:
        items = CounterMetricFamily(
            "imageconverter_recurring_things",
            "Items that periodic tasks of the reporters have processed: files deleted, runs restarted, …",
            labels=["task"],
        )
        last = GaugeMetricFamily(
            "imageconverter_recurring_last_seconds",
            "When a periodic task last ended, in Unix seconds.",
            labels=["task"],
        )
        for task, stats in self._periodic.items():
            items.add_metric([task], stats.items)
            last.add_metric([task], stats.at)
        yield items
        yield last
