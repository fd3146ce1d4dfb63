"""What Redis and the object store must be able to do."""

from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore
from services.gateway import state
from services.runtime.requirements import unmet_requirements


async def test_the_servers_of_the_tests_lack_nothing(resources: Resources) -> None:
    """They are those that `imageconverter up` starts."""
    assert await unmet_requirements(resources.store, resources.redis) == []


async def test_a_redis_that_evicts_or_forgets_is_named(resources: Resources) -> None:
    """With the setting."""
    before = {name: (await resources.redis.config_get(name))[name] for name in ("maxmemory-policy", "appendonly")}
    await resources.redis.config_set("maxmemory-policy", "allkeys-lru")
    await resources.redis.config_set("appendonly", "no")
    try:
        found = await unmet_requirements(resources.store, resources.redis)
    finally:
        for name, value in before.items():
            await resources.redis.config_set(name, value)

    assert [("maxmemory-policy" in each, "appendonly" in each) for each in found] == [(True, False), (False, True)]


async def test_a_store_that_overwrites_is_named(resources: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ignores If-None-Match."""

    async def create(store: ObjectStore, key: str, data: bytes, **options: Any) -> str:
        return await store.put(key, data, **options)

    monkeypatch.setattr(ObjectStore, "create", create)
    (found,) = await unmet_requirements(resources.store, resources.redis)
    assert "If-None-Match" in found


async def test_readiness_names_the_problems(gateway: TestClient[Any, Any]) -> None:
    """For the operator who looks there first."""
    assert gateway.app is not None
    gateway.app[state.PROBLEMS].append("Redis forgets.")
    try:
        async with gateway.get("/health/ready") as response:
            assert (await response.json())["problems"] == ["Redis forgets."]
    finally:
        gateway.app[state.PROBLEMS].clear()
