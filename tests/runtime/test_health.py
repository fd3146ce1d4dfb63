"""When the process of a role counts as healthy."""

from typing import Any

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.settings import RedisSettings
from imageconverter.storage.store import ObjectStore
from services.runtime.health import problems
from tests.conftest import MakeSettings

pytestmark = pytest.mark.usefixtures("worker")


async def test_a_worker_that_can_work_is_healthy(make_settings: MakeSettings) -> None:
    """It has sent a heartbeat, and Redis and the store can be written."""
    assert await problems(make_settings(), "worker") == []


async def test_the_heartbeat_of_another_role_or_host_does_not_count(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each container checks its own process."""
    assert await problems(make_settings(), "reporter") == ["no heartbeat of a reporter on this host"]

    monkeypatch.setattr("socket.gethostname", lambda: "another-host")
    assert await problems(make_settings(), "worker") == ["no heartbeat of a worker on this host"]


async def test_a_full_redis_is_a_problem(make_settings: MakeSettings, resources: Resources) -> None:
    """At `maxmemory` a worker can finish no job."""
    await resources.redis.config_set("maxmemory", 1)
    try:
        found = await problems(make_settings(), "worker")
    finally:
        await resources.redis.config_set("maxmemory", 0)

    assert "Redis is read-only" in found


async def test_a_store_that_can_only_be_read_is_a_problem(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is full, or the credentials may not write."""

    async def refuse(*_: Any, **__: Any) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(ObjectStore, "put", refuse)
    assert await problems(make_settings(), "worker") == ["the object store is read-only"]


async def test_servers_that_do_not_respond_are_problems(make_settings: MakeSettings) -> None:
    """Each is named."""
    settings = make_settings(redis=RedisSettings(url="redis://127.0.0.1:1/0"))

    assert await problems(settings, "worker") == ["no heartbeat of a worker on this host", "Redis is down"]
