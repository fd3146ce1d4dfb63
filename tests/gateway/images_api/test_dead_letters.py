"""The endpoints of the dead-letter queue."""

import asyncio
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient, TestServer

from imageconverter import keys
from imageconverter.jobs import QueueName, job_body, job_key
from imageconverter.jobs.dead_letters import dead_letter_record, read_job_body
from imageconverter.resources import Resources
from imageconverter.runs.job import CONVERT_TASK
from imageconverter.settings import GatewaySettings
from services.gateway.app import create_app
from services.gateway.auth.api_keys import key_entry
from tests.conftest import ADMIN, API_KEY, MakeSettings
from tests.testing import image_files
from tests.testing.runs import PRODUCT, Client, finished, get, post, put_sources, results, start

LARGE = "content.imageFormat.largeProduct"
PATH = "/admin/api/v1/images/jobs/dead"


@pytest.fixture
async def dead(resources: Resources) -> list[str]:
    """Ids of three dead letters, the newest first; the last one cannot be read."""
    redis = resources.redis
    await redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS, keys.queue(QueueName.SCAN))
    ids = [f"{uuid4().hex}:{number}" for number in range(3)]
    for age, job_id in enumerate(ids):
        order = read_job_body(job_body("task", {"source": f"{age}.png"}) if age else b"")
        text = dead_letter_record(QueueName.SCAN, order, "It was tried 4 times.", attempts=4)
        await resources.redis.zadd(keys.DEAD_LETTER_TIMES, {job_id: 1_000_000 - age})
        await redis.hset(keys.DEAD_LETTERS, job_id, text)  # type: ignore[misc]
    return ids


async def delete(client: Client, path: str) -> int:
    """Delete *path*; returns the status."""
    async with client.delete(path, headers=ADMIN) as response:
        return response.status


async def test_dead_letters_are_listed(gateway: Client, dead: list[str]) -> None:
    """The newest first, each with its payload."""
    status, response = await get(gateway, PATH)

    assert status == 200
    assert [each["id"] for each in response["items"]] == dead
    assert response["items"][1] == {
        "id": dead[1],
        "lane": "scan",
        "task": "task",
        "reason": "It was tried 4 times.",
        "tries": 4,
        "died": 999_999,
        "order": {"source": "1.png"},
    }
    assert response["items"][0]["order"] is None


async def test_a_retried_job_is_enqueued_in_its_queue(gateway: Client, resources: Resources, dead: list[str]) -> None:
    """With its payload; a second retry is not found."""
    first, _ = await post(gateway, f"{PATH}/{dead[1]}", {})
    second, _ = await post(gateway, f"{PATH}/{dead[1]}", {})

    assert (first, second) == (200, 404)
    assert await resources.redis.zscore(keys.queue(QueueName.SCAN), dead[1])
    assert await resources.redis.get(job_key(dead[1])) == job_body("task", {"source": "1.png"})
    assert dead[1] not in {each["id"] for each in (await get(gateway, PATH))[1]["items"]}


async def test_a_dropped_job_is_deleted(gateway: Client, resources: Resources, dead: list[str]) -> None:
    """Dropping it again is not found."""
    assert await delete(gateway, f"{PATH}/{dead[2]}") == 200
    assert await delete(gateway, f"{PATH}/{dead[2]}") == 404
    assert (await post(gateway, f"{PATH}/{dead[2]}", {}))[0] == 404
    assert await resources.queue.depth(QueueName.SCAN) == 0


async def test_an_unreadable_job_can_only_be_dropped(gateway: Client, dead: list[str]) -> None:
    """Retrying it is rejected and does not delete it."""
    status, response = await post(gateway, f"{PATH}/{dead[0]}", {})

    assert status == 404
    assert "only be dropped" in response["reason"]
    assert await delete(gateway, f"{PATH}/{dead[0]}") == 200


async def test_dead_letters_need_the_admin_permission(
    make_settings: MakeSettings, resources: Resources, dead: list[str], tmp_path: Path
) -> None:
    """All permissions for images are not sufficient."""
    rights = ["images.read", "images.publish", "images.delete", "products.create"]
    (tmp_path / "keys.toml").write_text(key_entry("shop", "a key of a shop", rights))
    settings = make_settings(gateway=GatewaySettings(api_key=API_KEY, api_keys_file=tmp_path / "keys.toml"))
    shop = {"Authorization": "Bearer a key of a shop"}
    async with TestClient(TestServer(create_app(settings, resources))) as client:
        for method, path in (
            ("GET", PATH),
            ("POST", f"{PATH}/{dead[1]}"),
            ("DELETE", f"{PATH}/{dead[1]}"),
        ):
            for headers in (shop, {}):
                async with client.request(method, path, headers=headers) as response:
                    assert response.status == 401

    assert [each.id for each in await resources.queue.dead.all()] == dead


@pytest.mark.usefixtures("no_run", "worker")
async def test_retrying_a_job_of_a_finished_run_converts_its_source(gateway: Client, resources: Resources) -> None:
    """Even after a long time; the counters of the run do not change."""
    await resources.redis.delete(keys.DEAD_LETTER_TIMES, keys.DEAD_LETTERS)
    directory = await put_sources(resources, {"a.png": image_files.png(size=(6000, 5000))})
    await start(gateway, directory, PRODUCT, LARGE)
    counted = await finished(gateway)
    run_id = await resources.runs.latest()
    source = f"{directory}/a.png"
    outputs = [f"target/{row['output']}" for row in await results(gateway)]
    await resources.store.delete(outputs)
    order = read_job_body(job_body(CONVERT_TASK, [run_id, 0, 0, f"source/{source}", ""]))
    await resources.redis.zadd(keys.DEAD_LETTER_TIMES, {f"{run_id}:0": 1_000_000})
    text = dead_letter_record(QueueName.BATCH, order, "It was tried 4 times.", attempts=4)
    await resources.redis.hset(keys.DEAD_LETTERS, f"{run_id}:0", text)  # type: ignore[misc]
    status, _ = await post(gateway, f"{PATH}/{run_id}:0", {})
    async with asyncio.timeout(30):
        while await resources.queue.depth(QueueName.BATCH):
            await asyncio.sleep(0.05)

    assert status == 200
    assert len(outputs) == 2
    assert all([await resources.store.head(output) for output in outputs])
    assert await finished(gateway) == counted
    assert await resources.queue.dead.all() == []


@pytest.mark.usefixtures("no_run")
async def test_retrying_a_job_of_a_canceled_run_converts_nothing(resources: Resources) -> None:
    """Active and finished runs do convert; unknown ones do not."""
    run_store: Any = resources.runs
    states = {}
    for state in ("running", "finished", "canceled", "error"):
        await resources.redis.hset(keys.run(state), "state", state)  # type: ignore[misc]
        states[state] = await run_store.is_stopped(state)
        await resources.redis.delete(keys.run(state))

    assert states == {"running": False, "finished": False, "canceled": True, "error": True}
    assert await run_store.is_stopped("unknown")
