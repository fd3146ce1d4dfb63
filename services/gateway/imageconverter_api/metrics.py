"""Metrics of the ImageConverter API, with the names of the original's dashboard and MBean."""

import statistics
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from imageconverter.jobs import JobQueue, QueueName
from imageconverter.monitoring.counts import Counts
from imageconverter.previews import PreviewFormat
from imageconverter.previews.cache import PreviewCache
from imageconverter.previews.index import Totals
from imageconverter.previews.memory_cache import ServedPreview
from imageconverter.settings import PreviewSettings

RequestKind = Literal["get", "cache", "cacheAndGet", "admin"]

_KINDS: tuple[RequestKind, ...] = get_args(RequestKind)
_QUEUES = {"instant": QueueName.INTERACTIVE, "background": QueueName.BATCH}
_GROUP = "OX_IC"  # name of the previews in the object cache of the original's dashboard
_RECENT = 1000  # observations of a median
_PEAK_SECONDS = 300
_MAX_DIMENSIONS = 200  # clients may request any size; further ones are counted together
_OTHER = ("other", "other", "other", "other")

# Names of the same metrics in the original's `showruntimestats -I`.
_BEAN_NAMES = {
    "imageconverter_cache_hit_ratio": "CacheHitRatio",
    "imageconverter_cache_key_count": "CacheKeyCount",
    "imageconverter_cache_size": "CacheSize",
    "imageconverter_keys_processed_count": "KeysProcessedCount",
    "imageconverter_keys_processed_median_time_ms": "MedianKeyProcessTimeMillis",
    "imageconverter_request_count_total": "RequestCount_Total",
    "imageconverter_request_count": "RequestCount",
    "imageconverter_request_median_time_ms": "MedianRequestTimeMillis",
    "imageconverter_request_limitreached_count": "RequestLimitReachedCount",
    "imageconverter_queue_median_time_ms": "MedianKeyQueueTimeMillis",
    "imageconverter_queue_peak_count": "PeakKeyCountInQueue",
}


_Values = Mapping[tuple[str, ...], float]


@dataclass
class _Series:
    """A count, and the latest durations."""

    count: int = 0
    recent: deque[float] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def add(self, seconds: float) -> None:
        self.count += 1
        self.recent.append(seconds)

    @property
    def median_ms(self) -> float:
        return round(statistics.median(self.recent) * 1000, 3) if self.recent else 0.0


@dataclass(frozen=True)
class CacheState:
    """The size of the cache and the depths of the queues."""

    totals: Totals
    depths: Mapping[str, int]

    @classmethod
    async def now(cls, previews: PreviewCache, queue: JobQueue) -> "CacheState":
        """Query Redis."""
        return cls(await previews.totals(), {label: await queue.depth(name) for label, name in _QUEUES.items()})


class PreviewMetrics:
    """Measurements of this process since its start."""

    def __init__(self, settings: PreviewSettings, counts: Counts) -> None:
        """Start at zero; *settings* have the limits of the cache, which are metrics as well.

        Previews are added to *counts*, too.
        """
        self._settings = settings
        self._counts = counts
        self._began = time.monotonic()
        self._requests = {kind: _Series() for kind in _KINDS}
        self._refused = dict.fromkeys(_KINDS, 0)
        self._hits = 0
        self._processed = _Series()
        self._queued = _Series()
        self._dimensions: Counter[tuple[str, ...]] = Counter()
        self._depths: dict[str, deque[tuple[float, int]]] = {}

    def answered(self, kind: RequestKind, seconds: float) -> None:
        """Count a request that took *seconds*, successful or not."""
        self._requests[kind].add(seconds)

    def refused(self, kind: RequestKind) -> None:
        """Count a request that was rejected, by the limit of concurrent requests or of the queue."""
        self._refused[kind] += 1

    def served(self, requested: PreviewFormat, preview: ServedPreview, seconds: float) -> None:
        """Count a preview, from the cache or converted in *seconds*."""
        self._counts.preview(from_cache=preview.from_cache)
        if preview.from_cache:
            self._hits += 1
            return
        self.processed(seconds)
        if preview.queued_seconds is not None:
            self._queued.add(preview.queued_seconds)
        target = preview.format
        dimensions: tuple[str, ...] = _OTHER
        if isinstance(target, PreviewFormat):
            dimensions = _box(requested), requested.scale, _box(target), target.type
        if dimensions not in self._dimensions and len(self._dimensions) >= _MAX_DIMENSIONS:
            dimensions = _OTHER
        self._dimensions[dimensions] += 1

    def processed(self, seconds: float) -> None:
        """Count an image that took *seconds* to convert."""
        self._processed.add(seconds)

    def families(self, cache: CacheState) -> Collector:
        """Return all metrics."""
        return _Families(self._families(cache))

    def summary(self, cache: CacheState) -> Iterator[tuple[str, float]]:
        """Yield the metrics by the names of the original's `showruntimestats`."""
        for family in self._families(cache):
            for sample in family.samples:
                if sample.name in _BEAN_NAMES:
                    labels = "".join(f"_{value[:1].upper()}{value[1:]}" for value in sample.labels.values())
                    yield _BEAN_NAMES[sample.name] + labels, sample.value

    def _families(self, cache: CacheState) -> Iterator[Metric]:
        """Yield all metrics, as gauges: the original's names of counters are not those of Prometheus."""
        totals, processed = cache.totals, self._processed
        counts: _Values = {(kind,): series.count for kind, series in self._requests.items()}
        medians: _Values = {(kind,): series.median_ms for kind, series in self._requests.items()}
        refused: _Values = {(kind,): count for kind, count in self._refused.items()}
        peaks: _Values = {(queue,): self._peak(queue, depth) for queue, depth in cache.depths.items()}
        total = sum(series.count for series in self._requests.values())
        hit_ratio = self._hits / max(1, self._hits + processed.count)

        yield _family("imageconverter_cache_hit_ratio", "Share of previews served from the cache.", hit_ratio)
        yield _family("imageconverter_cache_key_count", "Keys in the cache.", totals.keys)
        yield _family("imageconverter_cache_size", "Bytes in the cache.", totals.bytes)
        yield _family("imageconverter_keys_processed_count", "Images converted.", processed.count)
        yield _family("imageconverter_keys_processed_median_time_ms", "Median duration.", processed.median_ms)
        yield _family("imageconverter_request_count_total", "Completed requests.", total)
        yield _family("imageconverter_request_count", "Completed requests.", counts, "request")
        yield _family("imageconverter_request_median_time_ms", "Median duration.", medians, "request")
        yield _family("imageconverter_request_limitreached_count", "Rejected requests.", refused, "request")
        queued: _Values = {("instant",): self._queued.median_ms}
        yield _family("imageconverter_queue_median_time_ms", "Median waiting time.", queued, "queue")
        yield _family("imageconverter_queue_peak_count", "Maximum number of jobs in five minutes.", peaks, "queue")
        labels = ("request", "scaleType", "target", "format")
        yield _family("imageconverter_convert_dimensions", "Requested and served sizes.", self._dimensions, *labels)

        # The original stores its previews in an object cache; here every operation counts as a call of it.
        oldest_ms = round((totals.idle or 0) * 1000)
        max_bytes = -1 if self._settings.max_bytes is None else self._settings.max_bytes
        for name, text, values in (
            ("oldest_modification_ms", "Time since the access to the least recently used key.", oldest_ms),
            ("items_current_count", "Keys in the cache.", totals.keys),
            ("items_maximum_count", "Maximum number of keys.", self._settings.max_keys),
            ("size_current_bytes", "Bytes in the cache.", totals.bytes),
            ("size_maximum_bytes", "Maximum number of bytes; -1: unlimited.", max_bytes),
            ("request_count_total", "Calls.", total),
        ):
            yield _family(f"objectcache_{name}", text, {(_GROUP,): values}, "group")
        for name, text, each in (
            ("request_count", "Calls.", counts),
            ("request_medianduration_ms", "Median duration.", medians),
        ):
            grouped = {(_GROUP, *kind): value for kind, value in each.items()}
            yield _family(f"objectcache_{name}", text, grouped, "group", "request")
        yield _family("process_uptime_seconds", "Age of this process.", time.monotonic() - self._began)

    def _peak(self, queue: str, depth: int) -> int:
        """Return the largest *depth* observed in the last minutes."""
        now = time.monotonic()
        observed = self._depths.setdefault(queue, deque())
        while observed and (observed[0][0] < now - _PEAK_SECONDS):
            observed.popleft()
        while observed and observed[-1][1] <= depth:
            observed.pop()
        observed.append((now, depth))
        return observed[0][1]


class _Families(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families


def _family(name: str, text: str, values: float | _Values, *labels: str) -> Metric:
    """Return a metric with one value, or with one for each combination of *labels*."""
    family = GaugeMetricFamily(name, text, labels=labels)
    for label_values, value in values.items() if isinstance(values, Mapping) else [((), values)]:
        family.add_metric(label_values, value)
    return family


def _box(format_: PreviewFormat) -> str:
    return f"{format_.width or -1}x{format_.height or -1}"
