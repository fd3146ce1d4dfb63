"""The dashboard for Grafana, made of the list of panels below; `make docs` writes it to `docker/observe/`."""

from typing import Final, NamedTuple

from grafana_foundation_sdk.builders.common import VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.builders.dashboard import Dashboard, DatasourceVariable, Row
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import LegendDisplayMode, TooltipDisplayMode
from grafana_foundation_sdk.models.dashboard import DataSourceRef

_SOURCE: Final = DataSourceRef(type_val="prometheus", uid="${source}")
_WIDTH, _HEIGHT = 8, 8  # of a grid of 24 columns

RATE: Final = "$__rate_interval"
"""Of Grafana: a time that has enough scrapes for a rate."""


class Panel(NamedTuple):
    """A plot over time."""

    title: str
    unit: str
    """Of Grafana: `s` and `bytes` for seconds and bytes, `reqps` for something per second."""
    queries: tuple[tuple[str, str], ...]
    """Expressions and their legends."""


def _rate(metric: str, by: str) -> str:
    return f"sum by ({by}) (rate({metric}[{RATE}]))"


def _total(metric: str) -> str:
    """Return a rate that is 0 where the metric has no samples, as nothing of the kind has happened yet."""
    return f"sum(rate({metric}[{RATE}])) or vector(0)"


def _quantile(share: float, metric: str, by: str = "") -> str:
    return (
        f"histogram_quantile({share}, sum by ({', '.join(filter(None, ('le', by)))}) (rate({metric}_bucket[{RATE}])))"
    )


def _mean(metric: str, by: str) -> str:
    return f"sum by ({by}) ({metric}_sum) / sum by ({by}) ({metric}_count)"


PANELS: Final[dict[str, tuple[Panel, ...]]] = {
    "Overview": (
        Panel(
            "Conversions",
            "reqps",
            ((_rate("imageconverter_conversion_seconds_count", "outcome"), "{{outcome}}"),),
        ),
        Panel(
            "Time of a conversion",
            "s",
            tuple(
                (_quantile(share, "imageconverter_conversion_seconds"), f"p{share * 100:.0f}")
                for share in (0.5, 0.95, 0.99)
            ),
        ),
        Panel("Jobs in queues", "short", (("max by (lane) (imageconverter_queue_jobs)", "{{lane}}"),)),
        Panel("Oldest waiting job", "s", (("max by (lane) (imageconverter_queue_oldest_seconds)", "{{lane}}"),)),
        Panel(
            "Images of the run in progress", "short", (("max(imageconverter_run_waiting_images)", "to be converted"),)
        ),
        Panel("Processes", "short", (("max by (role) (imageconverter_processes)", "{{role}}"),)),
        Panel(
            "Needs attention",
            "short",
            (
                ("max(imageconverter_dead_letters)", "dead letters"),
                ("max(imageconverter_formats_differ)", "formats differ"),
                ("max(imageconverter_store_unavailable)", "store unavailable"),
                ("sum(imageconverter_sandbox_refused_system_calls_total) or vector(0)", "refused system calls"),
            ),
        ),
    ),
    "Images": (
        Panel("Outputs by format", "reqps", ((_rate("imageconverter_outputs_total", "format"), "{{format}}"),)),
        Panel(
            "Outputs by source type",
            "reqps",
            ((_rate("imageconverter_outputs_total", "source_type"), "{{source_type}}"),),
        ),
        Panel(
            "Bytes",
            "Bps",
            (
                (_total("imageconverter_source_bytes_total"), "sources"),
                (_total("imageconverter_output_bytes_total"), "outputs"),
            ),
        ),
    ),
    "Requests": (
        Panel(
            "Requests by status",
            "reqps",
            ((_rate("imageconverter_http_request_seconds_count", "status"), "{{status}}"),),
        ),
        Panel(
            "Slowest routes (p99)",
            "s",
            ((f"topk(10, {_quantile(0.99, 'imageconverter_http_request_seconds', 'route')})", "{{route}}"),),
        ),
        Panel("Previews", "reqps", ((_total("imageconverter_previews_served_total"), "served"),)),
    ),
    "Jobs and sandbox": (
        Panel("Attempts by end", "reqps", ((_rate("imageconverter_jobs_ended_total", "end"), "{{end}}"),)),
        Panel("Refused jobs", "reqps", ((_total("imageconverter_queue_refused_total"), "refused"),)),
        Panel(
            "Sandbox processes", "reqps", ((_rate("imageconverter_sandbox_processes_total", "event"), "{{event}}"),)
        ),
        Panel("Running jobs", "short", (("max by (lane) (imageconverter_queue_running_jobs)", "{{lane}}"),)),
    ),
    "Store and Redis": (
        Panel(
            "Calls of the store", "reqps", ((_rate("imageconverter_store_call_seconds_count", "verb"), "{{verb}}"),)
        ),
        Panel(
            "Time of a call (p95)", "s", ((_quantile(0.95, "imageconverter_store_call_seconds", "verb"), "{{verb}}"),)
        ),
        Panel(
            "Failed calls",
            "reqps",
            (
                (_total('imageconverter_store_call_seconds_count{outcome="error"}'), "store"),
                (_total('imageconverter_redis_command_seconds_count{outcome="error"}'), "Redis"),
            ),
        ),
        Panel(
            "Commands of Redis",
            "reqps",
            ((_rate("imageconverter_redis_command_seconds_count", "command"), "{{command}}"),),
        ),
        Panel("Time of a command (p95)", "s", ((_quantile(0.95, "imageconverter_redis_command_seconds"), "p95"),)),
        Panel(
            "Memory of Redis",
            "bytes",
            (
                ("max(imageconverter_redis_memory_bytes)", "used"),
                ("max(imageconverter_redis_memory_limit_bytes)", "limit"),
            ),
        ),
    ),
    "Periodic tasks": (
        Panel(
            "Time",
            "s",
            ((_mean("imageconverter_periodic_task_seconds", "task"), "{{task}}"),),
        ),
        Panel("Processed items", "short", (("max by (task) (imageconverter_recurring_things_total)", "{{task}}"),)),
        Panel(
            "Since the last run",
            "s",
            (("time() - max by (task) (imageconverter_recurring_last_seconds)", "{{task}}"),),
        ),
    ),
    "Processes": (
        Panel("CPU", "percentunit", ((_rate("process_cpu_seconds_total", "job, instance"), "{{job}} {{instance}}"),)),
        Panel("Memory", "bytes", (("process_resident_memory_bytes", "{{job}} {{instance}}"),)),
        Panel(
            "Releases and formats",
            "short",
            (
                ("count by (version) (imageconverter_build_info)", "{{version}}"),
                ("count by (digest) (imageconverter_formats_info)", "{{digest}}"),
            ),
        ),
    ),
}


def dashboard() -> str:
    """Return the dashboard as JSON, to be imported or provisioned."""
    number = 0
    made = (
        Dashboard("imageconverter")
        .uid("imageconverter")
        .tags(["imageconverter"])
        .refresh("30s")
        .time("now-1h", "now")
        .timezone("browser")
        .with_variable(DatasourceVariable("source").label("Prometheus").type("prometheus"))
    )
    for title, panels in PANELS.items():
        made.with_row(Row(title))
        for panel in panels:
            number += 1
            plot = (
                TimeSeries()
                .id(number)
                .title(panel.title)
                .unit(panel.unit)
                .datasource(_SOURCE)
                .span(_WIDTH)
                .height(_HEIGHT)
            )
            plot.min(0).fill_opacity(10).legend(VizLegendOptions().display_mode(LegendDisplayMode.LIST))
            plot.tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
            for expression, legend in panel.queries:
                plot.with_target(Dataquery().expr(expression).legend_format(legend).datasource(_SOURCE))
            made.with_panel(plot)
    return f"{JSONEncoder(sort_keys=True, indent=1).encode(made.build())}\n"
