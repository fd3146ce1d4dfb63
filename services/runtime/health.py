"""Whether a process on this host can do the work of its role."""

import asyncio
import socket

from imageconverter.errors import QueueUnavailable
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.resources import require
from imageconverter.settings import Settings
from imageconverter.storage.store import ObjectStore


async def problems(settings: Settings, role: str) -> list[str]:
    """Return what keeps the process of *role* on this host from its work, one phrase each.

    It needs a heartbeat, and Redis and the store must be writable. Raises SettingsError if an address or credential
    is missing.
    """
    require(settings)
    async with open_redis(settings.redis, retry_timeout=1) as redis:
        queue = JobQueue(
            redis, timeout_seconds=settings.redis.timeout_seconds, retry_timeout=settings.redis.timeout_seconds
        )
        has_heartbeat, redis_state, store_state = await asyncio.gather(
            _has_heartbeat(queue, role), queue.availability(), ObjectStore(settings.storage).availability()
        )
    found = [] if has_heartbeat else [f"no heartbeat of a {role} on this host"]
    states = {"Redis": redis_state, "the object store": store_state}
    return found + [f"{name} is {state}" for name, state in states.items() if state != "up"]


async def _has_heartbeat(queue: JobQueue, role: str) -> bool:
    try:
        processes = await queue.live_processes(role)
    except QueueUnavailable:
        return False
    return any(process.rpartition(":")[0] == socket.gethostname() for process in processes)
