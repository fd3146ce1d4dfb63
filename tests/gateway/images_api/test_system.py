"""The state of the system and its last hour."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

import imageconverter
from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.resources import Resources, open_resources
from imageconverter.settings import GatewaySettings, RedisSettings, Settings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from services.worker.main import run as run_worker
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, get, post

PATH = "/admin/api/v1/images/system"


@pytest.fixture
async def fresh(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[Client]:
    """A gateway that has not queried the state yet."""
    async with TestClient(TestServer(create_app(make_settings(), resources))) as client:
        yield client


def processes(response: Any, role: str) -> list[dict[str, Any]]:
    """Return the processes of *role*."""
    (found,) = [each["processes"] for each in response["roles"] if each["role"] == role]
    return list(found)


@asynccontextmanager
async def running_worker(settings: Settings, resources: Resources) -> AsyncIterator[None]:
    """Run a worker, which has recorded what it has done when the block has ended."""
    async with running(settings, run_worker):
        async with asyncio.timeout(20):
            while not await resources.queue.reports("worker"):
                await asyncio.sleep(0.05)
        yield


async def test_workers_are_shown_with_sandbox_and_formats(
    make_settings: MakeSettings, fresh: Client, resources: Resources
) -> None:
    """What each one reports with its heartbeats."""
    await resources.redis.delete(keys.queue(QueueName.BATCH), keys.live("worker"), keys.live_reports("worker"))
    async with running_worker(make_settings(), resources):
        status, response = await get(fresh, PATH)

    assert status == 200
    (worker,) = processes(response, "worker")
    assert worker["version"] == response["version"] == imageconverter.__version__
    assert worker["formats"] == response["formats"] == resources.formats.current.digest()
    assert worker["sandbox"].keys() == {"missing", "processes", "converting"}
    assert (response["redis"]["state"], response["store"]["state"]) == ("up", "up")
    assert response["redis"]["usedBytes"] > 0
    batch = next(each for each in response["queues"] if each["queue"] == "batch")
    assert (batch["jobs"], batch["running"], batch["oldestSeconds"]) == (0, 0, None)


async def test_waiting_jobs_and_dead_letters_are_counted(fresh: Client, resources: Resources) -> None:
    """With the age of the oldest job."""
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.DEAD_LETTER_TIMES)
    await resources.queue.enqueue(QueueName.SCAN, "task", "waits", {})
    await resources.redis.zincrby(keys.queue(QueueName.SCAN), -60_000, "waits")
    await resources.redis.zadd(keys.DEAD_LETTER_TIMES, {"dead": 1})
    _, response = await get(fresh, PATH)
    await resources.redis.delete(keys.queue(QueueName.SCAN), keys.DEAD_LETTER_TIMES)

    scan = next(each for each in response["queues"] if each["queue"] == "scan")
    assert (scan["jobs"], scan["running"], response["deadLetters"]) == (1, 0, 1)
    assert scan["oldestSeconds"] >= 60


async def test_other_formats_in_some_process_are_a_problem(fresh: Client, resources: Resources) -> None:
    """As in the readiness check."""
    await resources.redis.delete(keys.live("reporter"), keys.live_formats("reporter"))
    await resources.queue.heartbeat("reporter", "host:1", "f" * 64, "not JSON")
    _, response = await get(fresh, PATH)
    await resources.redis.delete(keys.live("reporter"), keys.live_formats("reporter"), keys.live_reports("reporter"))

    assert processes(response, "reporter") == [
        {"host": "host", "pid": 1, "version": "", "formats": "f" * 64, "tasks": [], "taskCount": 0}
    ]
    assert ["other image formats" in problem for problem in response["problems"]] == [True]


async def test_conversions_are_in_the_history(
    make_settings: MakeSettings, fresh: Client, resources: Resources
) -> None:
    """Those of a worker that has stopped since, with bytes, beside the requests of the gateway."""
    async for key in resources.redis.scan_iter(keys.minute("*")):
        await resources.redis.delete(key)
    data = image_files.jpeg(size=(400, 300))
    body = {
        "fileName": f"{uuid4().hex}.jpg",
        "imageData": base64.b64encode(data).decode(),
        "formats": [THUMBNAIL, PRODUCT],
    }
    async with running_worker(make_settings(), resources):
        status, converted = await post(fresh, "/images/upload/convert", body)
    assert status == 200
    await resources.history.record(resources.counts)
    status, response = await get(fresh, f"{PATH}/history")

    assert (status, len(response["items"])) == (200, 60)
    (found,) = [each for minute in response["items"] for each in minute["conversions"]]
    assert (found["kind"], found["queue"], found["success"], found["error"]) == ("image", "interactive", 1, 0)
    sizes = [await resources.store.head(f"target/{each['output']}") for each in converted["items"]]
    assert (found["bytesIn"], found["bytesOut"]) == (len(data), sum(each.size for each in sizes if each))
    assert found["seconds"] > 0
    assert sum(minute["requests"]["success"] for minute in response["items"]) >= 1


async def test_watching_is_not_in_the_history(fresh: Client, resources: Resources) -> None:
    """Neither health checks nor a console that was left open."""
    await resources.history.record(resources.counts)
    for path in ("/health/live", "/health/ready", "/metrics", "/console/health"):
        async with fresh.get(path, headers=ADMIN) as response:
            await response.read()
    watched = resources.counts.unrecorded()
    await get(fresh, "/images/formats")

    assert [name for name in watched if name.startswith("requests.")] == []
    assert resources.counts.unrecorded()["requests.2xx"] == 1


async def test_without_redis_the_rest_is_shown(make_settings: MakeSettings) -> None:
    """The state is needed most when something is down; the history is unavailable then."""
    settings = make_settings(redis=RedisSettings(url="redis://127.0.0.1:1/0"))
    async with (
        open_resources(settings, retry_timeout=1) as resources,
        TestClient(TestServer(create_app(settings, resources))) as client,
    ):
        status, response = await get(client, PATH)
        history, _ = await get(client, f"{PATH}/history")

    assert (status, history) == (200, 503)
    assert response["redis"] == {"state": "down", "version": "", "usedBytes": 0, "maxBytes": None}
    assert response["store"] == {"state": "up"}
    assert response["queues"] == []


async def test_many_who_look_query_once(fresh: Client, resources: Resources) -> None:
    """A hundred open pages cost Redis as much as one."""
    before = (await resources.redis.info("commandstats"))["cmdstat_zcard"]["calls"]
    await asyncio.gather(*(get(fresh, PATH) for _ in range(100)))
    after = (await resources.redis.info("commandstats"))["cmdstat_zcard"]["calls"]

    assert after - before < 50


@pytest.mark.parametrize("path", [PATH, f"{PATH}/history"])
async def test_the_state_needs_the_admin_permission(
    make_settings: MakeSettings, resources: Resources, tmp_path: Path, path: str
) -> None:
    """It has the names of images."""
    rights = ["images.read", "images.publish", "images.delete", "products.create"]
    (tmp_path / "keys.toml").write_text(key_entry("shop", "a key of a shop", rights))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml"))
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for headers in ({"Authorization": "Bearer a key of a shop"}, {}):
            async with client.get(path, headers=headers) as response:
                assert response.status == 401
