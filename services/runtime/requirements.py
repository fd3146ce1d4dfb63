"""What the stack needs of Redis and the object store, checked when a process starts."""

from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter.errors import StoreUnavailable
from imageconverter.storage.store import ObjectStore

_log = structlog.get_logger(__name__)

_MIN_REDIS: Final = (6, 2)


async def unmet_requirements(store: ObjectStore, redis: Redis) -> list[str]:
    """Return, as sentences, what Redis and the store lack; log each. What cannot be asked is taken for met."""
    found = [*await unmet_by_redis(redis), *await unmet_by_store(store)]
    for sentence in found:
        _log.warning("requirement not met", problem=sentence)
    return found


async def unmet_by_redis(redis: Redis) -> list[str]:
    """Return what Redis lacks."""
    try:
        info: dict[str, Any] = await redis.info()
    except (RedisError, OSError):
        return []  # an ACL may forbid it, and an outage shows elsewhere
    found = []
    version = tuple(int(part) for part in str(info.get("redis_version", "9.9")).split(".")[:2])
    if version < _MIN_REDIS:
        found.append(f"Redis {info['redis_version']} is too old: 6.2 or later is needed.")
    policy = info.get("maxmemory_policy", "noeviction")
    if policy != "noeviction":
        found.append(f"Redis may evict accepted jobs: maxmemory-policy is {policy}, and must be noeviction.")
    if not info.get("aof_enabled", 1):
        found.append("Redis loses accepted jobs when it is restarted: appendonly is off.")
    return found


async def unmet_by_store(store: ObjectStore) -> list[str]:
    """Return what the store lacks."""
    try:
        if await store.has_conditional_writes():
            return []
    except StoreUnavailable:
        return []
    return ["The object store ignores If-None-Match, which keeps processes from overwriting each other's objects."]
