"""The metrics of a gateway: its own, those of previews, and those of the whole system, which are in Redis."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from imageconverter.jobs import PeriodicStats
from imageconverter.monitoring.system_state import SystemState


def render(collectors: Sequence[Collector], accepted: str) -> tuple[bytes, str]:
    """Return the metrics of *collectors* and their media type: OpenMetrics, with exemplars, if that is *accepted*."""
    encode, media_type = choose_encoder(accepted)
    return encode(_Together(collectors)), media_type


class _Together(Collector):
    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._collectors = collectors

    def collect(self) -> Iterator[Metric]:
        for each in self._collectors:
            yield from each.collect()


class SystemMetrics(Collector):
    """The metrics of the system; every gateway has the same."""

    def __init__(self, state: SystemState, periodic: Mapping[str, PeriodicStats]) -> None:
        """Show *state* and what the *periodic* tasks have done."""
        self._state = state
        self._periodic = periodic

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        yield from self._queues()
        yield from self._runs()
        yield from self._processes()
        yield from self._periodic_tasks()

    def _queues(self) -> Iterator[Metric]:
        jobs = self._state.jobs
        depth = GaugeMetricFamily("imageconverter_queue_jobs", "Waiting and running jobs.", labels=["lane"])
        running = GaugeMetricFamily("imageconverter_queue_running_jobs", "Running jobs.", labels=["lane"])
        oldest = GaugeMetricFamily(
            "imageconverter_queue_oldest_seconds",
            "For how long the job waits that has waited longest; 0 if none waits.",
            labels=["lane"],
        )
        refused = CounterMetricFamily(
            "imageconverter_queue_refused", "Jobs rejected because their queue was full.", labels=["lane"]
        )
        for queue, each in jobs.queues.items():
            depth.add_metric([queue.value], each.jobs)
            running.add_metric([queue.value], each.running)
            oldest.add_metric([queue.value], each.oldest_waits or 0)
            refused.add_metric([queue.value], jobs.refused.get(queue.value, 0))
        yield from (depth, running, oldest, refused)
        yield GaugeMetricFamily("imageconverter_dead_letters", "Jobs that have failed for good.", jobs.dead_letters)
        calls = CounterMetricFamily(
            "imageconverter_sandbox_refused_system_calls",
            "System calls that the sandbox has refused while converting images: a fault of this installation.",
            labels=["system_call"],
        )
        for name, count in jobs.refused_system_calls.items():
            calls.add_metric([name], count)
        yield calls

    def _runs(self) -> Iterator[Metric]:
        """No run ever waits: a second one is refused while one is running."""
        run = self._state.last_run if self._state.last_run is not None and self._state.last_run.is_running else None
        yield GaugeMetricFamily("imageconverter_runs_running", "Runs in progress: 0 or 1.", float(run is not None))
        yield GaugeMetricFamily(
            "imageconverter_run_waiting_images",
            "Images of the run in progress that are not converted yet, as far as they are counted.",
            0 if run is None else max(0, run.sources_total - sum(run.sources)),
        )

    def _processes(self) -> Iterator[Metric]:
        live = GaugeMetricFamily("imageconverter_processes", "Processes that send heartbeats.", labels=["role"])
        for role, processes in self._state.processes.items():
            live.add_metric([role], len(processes))
        yield live
        yield GaugeMetricFamily(
            "imageconverter_formats_differ",
            "1 if not all processes have the same image formats.",
            float(not self._state.have_formats_in_common),
        )
        redis = self._state.redis
        yield GaugeMetricFamily("imageconverter_redis_memory_bytes", "Memory that Redis uses.", redis.used_bytes)
        yield GaugeMetricFamily(
            "imageconverter_redis_memory_limit_bytes", "`maxmemory` of Redis; 0 without a limit.", redis.max_bytes
        )

    def _periodic_tasks(self) -> Iterator[Metric]:
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
