"""The gateway's numbers for Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imageconverter.jobs import PeriodicStats


class Metrics:
    """This process's measurements, in a registry of its own."""

    def __init__(self) -> None:
        """Start at zero."""
        self._registry = CollectorRegistry()
        self._children: dict[tuple[str, str, int], Histogram] = {}
        self._requests = Histogram(
            "imageconverter_http_request_seconds",
            "Time from a request's head to the end of its answer.",
            ["method", "route", "status"],
            registry=self._registry,
        )

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request; *route* is the template of its path, never the path itself."""
        found = self._children.get((method, route, status))
        if found is None:  # looking it up by its labels takes longer than observing
            found = self._children[method, route, status] = self._requests.labels(method, route, str(status))
        found.observe(seconds)

    def render(
        self,
        depths: Mapping[str, int],
        refused: Mapping[str, int],
        refused_system_calls: Mapping[str, int],
        periodic: Mapping[str, PeriodicStats],
    ) -> bytes:
        """Return everything as text, with the numbers of the queue and the recurring tasks as they are now."""
        gather_all = CollectorRegistry()
        gather_all.register(_Queue(depths, refused))
        gather_all.register(_Sandbox(refused_system_calls))
        gather_all.register(_PeriodicTasks(periodic))
        return generate_latest(self._registry) + generate_latest(gather_all)


class _Queue(Collector):
    def __init__(self, depths: Mapping[str, int], refused: Mapping[str, int]) -> None:
        self._depths = depths
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily("imageconverter_queue_jobs", "Jobs that wait or run.", labels=["lane"])
        for queue, count in self._depths.items():
            depth.add_metric([queue], count)
        yield depth
        refused = CounterMetricFamily(
            "imageconverter_queue_refused", "Jobs refused because their lane was full.", labels=["lane"]
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
        self._recurring = periodic

    def collect(self) -> Iterator[Metric]:
        items = CounterMetricFamily(
            "imageconverter_recurring_things",
            "What recurring tasks of the reporters have dealt with: files deleted, runs revived, …",
            labels=["task"],
        )
        last = GaugeMetricFamily(
            "imageconverter_recurring_last_seconds",
            "When a recurring task was done last, in seconds since 1970.",
            labels=["task"],
        )
        for task, stats in self._recurring.items():
            items.add_metric([task], stats.items)
            last.add_metric([task], stats.at)
        yield items
        yield last
