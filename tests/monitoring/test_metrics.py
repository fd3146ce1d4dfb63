"""The metrics of all roles, as Prometheus reads them."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from imageconverter.monitoring.metrics import Metrics
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import ProcessSettings, SettingsError
from services.runtime.metrics_server import serving_metrics
from services.stack.ports import free_ports
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, MakeSettings
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import THUMBNAIL

Client = TestClient[Any, Any]
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture
async def worker_metrics(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[str]:
    """Run a worker that serves its metrics; the value is their address."""
    (port,) = free_ports(1)
    async with running(make_settings(process=ProcessSettings(metrics_port=port)), run_worker):
        async with asyncio.timeout(20):
            while not await resources.queue.live_processes("worker"):
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{port}/metrics"


async def read(address: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Return the samples at *address* by name and labels."""
    async with ClientSession() as session, session.get(address) as response:
        text = await response.text()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(text)
        for sample in family.samples
    }


async def test_a_worker_counts_what_it_converts(gateway: Client, worker_metrics: str) -> None:
    """By format, source type, outcome and queue, with bytes, seconds and calls of store and Redis."""
    data = image_files.jpeg(size=(400, 300))
    response = await gateway.post(
        "/images/upload/convert",
        data=data,
        params={"fileName": "metrics.jpg", "formats": THUMBNAIL},
        headers={**ADMIN, "Content-Type": "image/jpeg"},
    )
    assert response.status == 200, await response.text()
    found = await read(worker_metrics)

    def value(name: str, **labels: str) -> float:
        return found[name, frozenset(labels.items())]

    output = {"format": "thumbnailProduct", "source_type": "JPEG", "outcome": "success", "queue": "interactive"}
    assert value("imageconverter_outputs_total", **output) == 1
    of = {"kind": "image", "queue": "interactive"}
    assert value("imageconverter_conversion_seconds_count", **of, outcome="success") == 1
    assert value("imageconverter_source_bytes_total", **of) == len(data)
    assert value("imageconverter_output_bytes_total", **of) > 0
    assert value("imageconverter_jobs_ended_total", queue="interactive", end="done") == 1
    assert value("imageconverter_sandbox_processes_total", event="started") >= 1
    assert value("imageconverter_store_call_seconds_count", verb="get", outcome="success") >= 1
    assert value("imageconverter_store_call_seconds_count", verb="put", outcome="success") >= 1
    assert value("imageconverter_store_unavailable", access="writing") == 0
    assert any(name == "imageconverter_redis_command_seconds_count" for name, _ in found)
    assert found["process_resident_memory_bytes", frozenset()] > 0


@pytest.mark.usefixtures("worker")
async def test_the_metrics_of_a_gateway_are_valid(gateway: Client) -> None:
    """In both text formats, by the parsers of Prometheus; with types, and with exemplars in OpenMetrics."""
    response = await gateway.get("/metrics")
    families = {family.name: family.type for family in parse(await response.text())}
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "unknown" not in families.values()
    assert families["imageconverter_queue_jobs"] == "gauge"
    assert families["imageconverter_cache_hit_ratio"] == "gauge"

    assert (await gateway.get("/health/live", headers={"X-Request-ID": "i" * 128})).status == 200
    response = await gateway.get("/metrics", headers={"Accept": OPENMETRICS})
    text = await response.text()
    samples = [sample for family in parse_openmetrics(text) for sample in family.samples]  # type: ignore[no-untyped-call]
    assert response.headers["Content-Type"].startswith("application/openmetrics-text")
    assert any(sample.exemplar and sample.exemplar.labels.get("request_id") for sample in samples)


@pytest.mark.usefixtures("worker")
async def test_prometheus_finds_nothing_wrong(gateway: Client, worker_metrics: str) -> None:
    """With the linter of Prometheus itself, except for the names of the original's dashboard."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    for address in (str(gateway.make_url("/metrics")), worker_metrics):
        async with ClientSession() as session, session.get(address) as response:
            text = await response.text()
        problems = [
            line
            for line in await asyncio.to_thread(lint, promtool, text)
            if line.split(" ")[0] not in ORIGINALS and not line.startswith("objectcache_")
        ]
        assert problems == []


def lint(promtool: str, text: str) -> list[str]:
    """Return what *promtool* finds in metrics."""
    finished = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    return (finished.stdout + finished.stderr).splitlines()


ORIGINALS = {
    "imageconverter_cache_key_count", "imageconverter_keys_processed_count", "imageconverter_request_count",
    "imageconverter_keys_processed_median_time_ms", "imageconverter_request_count_total",
    "imageconverter_request_median_time_ms", "imageconverter_request_limitreached_count",
    "imageconverter_queue_median_time_ms", "imageconverter_queue_peak_count", "imageconverter_convert_dimensions",
}  # fmt: skip


async def test_a_process_without_the_setting_serves_none() -> None:
    """And a port that is taken is an invalid setting."""
    (port,) = free_ports(1)
    async with serving_metrics(Metrics(), ProcessSettings()):
        pass
    async with serving_metrics(Metrics(), ProcessSettings(metrics_port=port)):
        with pytest.raises(SettingsError, match="IMAGECONVERTER_METRICS_PORT: Address already in use"):
            async with serving_metrics(Metrics(), ProcessSettings(metrics_port=port)):
                pass


async def test_failed_calls_are_counted_as_errors(make_settings: MakeSettings) -> None:
    """And while the circuit breaker is open, the gauge says so."""
    settings = make_settings()
    broken = settings.storage.model_copy(update={"endpoint": "http://127.0.0.1:9", "timeout_seconds": 0.5})
    async with open_resources(replace(settings, storage=broken), retry_timeout=1) as opened:
        assert await opened.store.availability() == "down"
        assert await opened.store.confirm_unavailable()
        registry = opened.metrics.registry

    labels = {"verb": "head", "outcome": "error"}
    assert registry.get_sample_value("imageconverter_store_call_seconds_count", labels) == 1
    assert registry.get_sample_value("imageconverter_store_unavailable", {"access": "reading"}) == 1
