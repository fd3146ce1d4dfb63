"""What a process has done since its start, in numbers.

They are counted here only: the hour history adds those of all processes, minute by minute, and the metrics have them
with their labels.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from imageconverter.jobs import QueueName
from imageconverter.monitoring.metrics import Metrics

Kind = Literal["image", "preview"]
Outcome = Literal["success", "warning", "skipped", "error", "unavailable"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)

_REQUESTS: Final = {digit: f"requests.{digit}xx" for digit in range(1, 6)}


@dataclass(frozen=True)
class ConversionCount:
    """Conversions of one kind that were jobs of one queue."""

    kind: Kind
    queue: QueueName

    def name(self, what: str) -> str:
        """Return the name of a number of them."""
        return f"{self.kind}.{self.queue.value}.{what}"


class Counts:
    """Numbers by name; the names are few, whatever happens."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        """Begin at zero; what is counted is added to *metrics*, too."""
        self._metrics = Metrics() if metrics is None else metrics
        self._totals: Counter[str] = Counter()
        self._recorded: Counter[str] = Counter()

    def conversion(self, of: ConversionCount, outcome: Outcome, *, seconds: float) -> None:
        """Count a conversion of one source to all of its outputs, which took *seconds*."""
        self._totals[of.name(outcome)] += 1
        self._totals[of.name("milliseconds")] += round(seconds * 1000)
        self._metrics.conversions.labels(of.kind, of.queue.value, outcome).observe(seconds)

    def output(self, of: ConversionCount, outcome: Outcome, *, format_id: str, source_type: str) -> None:
        """Count an output of a conversion of an image."""
        self._metrics.outputs.labels(format_id, source_type, outcome, of.queue.value).inc()

    def bytes(self, of: ConversionCount, *, read: int = 0, written: int = 0) -> None:
        """Count bytes of sources that were *read*, and of outputs that were *written*."""
        self._totals[of.name("bytes_in")] += read
        self._totals[of.name("bytes_out")] += written
        self._metrics.source_bytes.labels(of.kind, of.queue.value).inc(read)
        self._metrics.output_bytes.labels(of.kind, of.queue.value).inc(written)

    def request(self, status: int) -> None:
        """Count an HTTP request by the *status* of its response."""
        self._totals[_REQUESTS.get(status // 100, "requests.5xx")] += 1

    def preview(self, *, from_cache: bool) -> None:
        """Count a preview that the ImageConverter API has served."""
        self._totals["previews.cached" if from_cache else "previews.converted"] += 1
        self._metrics.previews.labels("cache" if from_cache else "conversion").inc()

    def unrecorded(self) -> dict[str, int]:
        """Return what was counted since the last call of `mark_recorded`."""
        totals, recorded = self._totals, self._recorded
        return {name: count - recorded[name] for name, count in totals.items() if count != recorded[name]}

    def mark_recorded(self, counts: Mapping[str, int]) -> None:
        """Note that *counts*, a result of `unrecorded`, are in the history."""
        self._recorded.update(counts)
