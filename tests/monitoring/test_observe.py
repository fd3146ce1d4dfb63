"""The dashboard and the alerts, with a real Prometheus."""

import asyncio
import json
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import ClientError, ClientSession
from aiohttp.test_utils import TestClient

from imageconverter.monitoring.metrics import Metrics
from imageconverter.resources import Resources
from imageconverter.settings import ProcessSettings
from services.reporter.main import run as run_reporter
from services.stack.ports import free_ports
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, MakeSettings
from tests.monitoring.dashboard import PANELS, RATE
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL

OBSERVE = Path(__file__).parents[2] / "docker" / "observe"
# Nothing of the kind happens in a small load.
SILENT = {"Needs attention"}


def program(name: str) -> str:
    """Return the path of a program of Debian's package `prometheus`."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


async def test_the_alerts_fire_when_they_should() -> None:
    """By the tests in `alerts_test.yml`."""
    process = await asyncio.create_subprocess_exec(
        program("promtool"), "test", "rules", str(Path(__file__).with_name("alerts_test.yml")),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_the_configuration_of_prometheus_is_valid(tmp_path: Path) -> None:
    """With the rules where the containers have them."""
    text = (OBSERVE / "prometheus.yml").read_text().replace("/etc/prometheus", str(OBSERVE))
    (tmp_path / "prometheus.yml").write_text(text)
    process = await asyncio.create_subprocess_exec(
        program("promtool"), "check", "config", str(tmp_path / "prometheus.yml"),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


def test_every_alert_is_tested() -> None:
    """Once where it fires; the test of the case in which nothing fires has all series."""
    rules = yaml.safe_load((OBSERVE / "alerts.yml").read_text())["groups"][0]["rules"]
    tests = Path(__file__).with_name("alerts_test.yml").read_text()

    assert [rule["alert"] for rule in rules if f'alertname="{rule["alert"]}"' not in tests] == []
    for rule in rules:
        assert rule["annotations"].keys() == {"summary", "description"}
        assert rule["labels"]["severity"] in ("warning", "critical")


def test_the_metrics_of_each_role_are_in_the_dashboard() -> None:
    """Those that are defined in one list."""
    shown = " ".join(expression for panels in PANELS.values() for panel in panels for expression, _ in panel.queries)
    defined = {family.name for family in Metrics().registry.collect() if family.name.startswith("imageconverter_")}

    assert [name for name in sorted(defined) if not re.search(rf"\b{name}", shown)] == []


@pytest.fixture
async def scraped(
    make_settings: MakeSettings, resources: Resources, gateway: TestClient[Any, Any], tmp_path: Path
) -> AsyncIterator[str]:
    """Run a worker, a reporter and a Prometheus that scrapes them and the gateway; the value is its address."""
    worker, reporter, prometheus = free_ports(3)
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [
            {"job_name": role, "static_configs": [{"targets": [f"127.0.0.1:{port}"]}]}
            for role, port in (("gateway", gateway.port), ("worker", worker), ("reporter", reporter))
        ],
    }
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    stopping = asyncio.Event()
    running = [
        asyncio.create_task(run(make_settings(process=ProcessSettings(metrics_port=port)), stopping))
        for run, port in ((run_worker, worker), (run_reporter, reporter))
    ]
    process = await asyncio.create_subprocess_exec(
        program("prometheus"), f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
        f"--web.listen-address=127.0.0.1:{prometheus}", "--log.level=error",
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not await resources.queue.live_processes("worker"):
                await asyncio.sleep(0.05)
        yield f"http://127.0.0.1:{prometheus}"
    finally:
        process.kill()
        await process.wait()
        stopping.set()
        await asyncio.gather(*running)


async def test_every_panel_has_data_after_a_small_load(
    scraped: str, gateway: TestClient[Any, Any], resources: Resources
) -> None:
    """Each query of the dashboard, asked of a Prometheus that has scraped all roles."""
    queries = {
        expression: panel.title for panels in PANELS.values() for panel in panels for expression, _ in panel.queries
    }
    missing = dict(queries)
    async with ClientSession() as session, asyncio.timeout(60):
        number = 0
        while missing:
            number += 1
            await convert(gateway, f"observed-{number}.jpg")
            await resources.store.head("observed")
            for expression in list(missing):
                if await has_data(session, scraped, expression):
                    del missing[expression]
            await asyncio.sleep(0.2)
    assert missing == {}


async def convert(gateway: TestClient[Any, Any], name: str) -> None:
    """Convert an image, and request a preview that is not there."""
    await gateway.post(
        "/images/upload/convert",
        data=image_files.jpeg(size=(64, 48)),
        params={"fileName": name, "formats": THUMBNAIL},
        headers={**ADMIN, "Content-Type": "image/jpeg"},
    )


async def has_data(session: ClientSession, prometheus: str, expression: str) -> bool:
    """Return whether *prometheus* has samples for *expression*."""
    query = expression.replace(RATE, "10s")
    with suppress(ClientError, KeyError, json.JSONDecodeError):
        async with session.get(f"{prometheus}/api/v1/query", params={"query": query}) as response:
            answer = await response.json()
            assert answer["status"] == "success", answer
            return bool(answer["data"]["result"])
    return False
