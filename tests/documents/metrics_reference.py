"""The table of all metrics."""

from collections.abc import Iterator
from datetime import UTC, datetime

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from imageconverter.monitoring.metrics import Metrics
from imageconverter.monitoring.system_state import Jobs, RedisState, SystemState
from services.gateway.metrics import SystemMetrics

_OF_GATEWAYS = ("imageconverter_http_", "imageconverter_previews_")
_OF_WORKERS = tuple(f"imageconverter_{each}" for each in ("conversion", "output", "source", "sandbox"))
_LIBRARY = ("process_", "python_")


def metrics_table() -> str:
    """Return the metrics of all roles, except those of prometheus-client itself, as a table."""
    state = SystemState(datetime.now(UTC), RedisState("up"), "up", {}, Jobs())
    rows = sorted((*_rows(Metrics().registry), *_rows(SystemMetrics(state, {}), role="gateway, of the system")))
    return "\n".join(["| metric | type | labels | served by | meaning |", "|---|---|---|---|---|", *rows])


def _rows(collector: Collector, role: str = "") -> Iterator[str]:
    labels = {  # a family without samples does not have them
        name: getattr(each, "_labelnames", ())
        for each, names in getattr(collector, "_collector_to_names", {}).items()
        for name in names
    }
    for family in collector.collect():
        if not family.name.startswith(_LIBRARY):
            names = labels.get(family.name) or getattr(family, "_labelnames", None) or ()
            listed = ", ".join(f"`{name}`" for name in names)
            cells = (f"`{_full_name(family)}`", family.type, listed, role or _role(family.name))
            yield f"| {' | '.join((*cells, family.documentation))} |"


def _full_name(family: Metric) -> str:
    suffix = {"counter": "_total", "info": "_info"}.get(family.type, "")
    return family.name + suffix


def _role(name: str) -> str:
    if name.startswith(_OF_GATEWAYS):
        return "gateway"
    if name.startswith(_OF_WORKERS):
        return "worker"
    if name.startswith("imageconverter_periodic"):
        return "reporter"
    return "worker, reporter" if name.startswith("imageconverter_jobs") else "all"
