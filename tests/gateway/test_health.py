"""Health, metrics, and unknown routes."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from imageconverter import keys
from imageconverter.resources import Resources

Client = TestClient[Any, Any]


async def test_liveness_calls_no_other_service(gateway: Client) -> None:
    """It only reports that the process is running."""
    async with gateway.get("/health/live") as response:
        assert (response.status, await response.json()) == (200, {"status": "live"})


async def test_without_a_worker_the_gateway_is_not_ready(gateway: Client, resources: Resources) -> None:
    """Uploads would not be converted."""
    await resources.redis.delete(keys.live("worker"))
    async with gateway.get("/health/ready") as response:
        body = await response.json()

    assert response.status == 503
    assert body == {"status": "not ready", "redis": "up", "store": "up", "workers": 0}


@pytest.mark.usefixtures("worker")
async def test_ready_if_all_services_are_available(gateway: Client) -> None:
    """Redis, the store and a worker."""
    async with gateway.get("/health/ready") as response:
        assert (response.status, await response.json()) == (
            200,
            {"status": "ready", "redis": "up", "store": "up", "workers": 1},
        )


@pytest.mark.usefixtures("worker")
async def test_a_full_redis_is_reported(gateway: Client, resources: Resources) -> None:
    """At `maxmemory` it responds, but accepts no job."""
    await resources.redis.config_set("maxmemory", 1)
    try:
        async with gateway.get("/health/ready") as response:
            status, body = response.status, await response.json()
    finally:
        await resources.redis.config_set("maxmemory", 0)

    assert (status, body["redis"], body["store"]) == (503, "read-only", "up")


async def test_a_role_with_other_formats_is_reported(gateway: Client, resources: Resources) -> None:
    """With the digests; a process of an earlier release reports none, which is no difference."""
    here = resources.formats.current.digest()
    await resources.redis.delete(keys.live("reporter"), keys.live_formats("reporter"))
    await resources.queue.heartbeat("reporter", "host:1", "f" * 64)
    await resources.queue.heartbeat("reporter", "host:2", here)
    await resources.queue.heartbeat("reporter", "host:3")
    try:
        async with gateway.get("/health/ready") as response:
            problems = (await response.json())["problems"]
    finally:
        await resources.redis.delete(keys.live("reporter"), keys.live_formats("reporter"))

    (problem,) = problems
    assert problem == (
        "1 of 3 reporter processes have other image formats than this gateway: "
        f"their digest is {'f' * 64}, here it is {here}."
    )


async def test_metrics_are_labeled_by_route_not_by_path(gateway: Client) -> None:
    """Clients cannot create labels."""
    async with (
        gateway.get("/content/made/up.png"),
        gateway.get("/nonsense/made-up"),
        gateway.get("/metrics") as response,
    ):
        text = await response.text()

    assert 'route="/content/{path}",status="404"' in text
    assert "made" not in text
    assert 'imageconverter_queue_jobs{lane="interactive"}' in text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nonsense", 404),
        ("GET", "/images", 404),
        ("GET", "/images/nonsense", 404),
        ("GET", "/images/upload", 405),
        ("PUT", "/images/upload/convert", 405),
        ("DELETE", "/content/a.png", 405),
        ("TRACE", "/images/upload", 405),
        ("OPTIONS", "/images/nonsense", 404),
    ],
)
async def test_an_unknown_path_or_method_is_a_json_error(
    gateway: Client, method: str, path: str, status: int
) -> None:
    """JSON without a type; no header has the version of a program."""
    async with gateway.request(method, path) as response:
        body = await response.json()

    assert response.status == status
    assert set(body) == {"error", "reason"}
    assert response.headers["Server"] == "imageconverter"
    assert ("Allow" in response.headers) == (status == 405)
