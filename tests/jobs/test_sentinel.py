"""How the master is found, with a Sentinel that answers as it is asked to."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from imageconverter.errors import ConversionFailed
from imageconverter.jobs import JobQueue, QueueName, open_redis
from imageconverter.settings import RedisSettings
from services.stack.ports import free_ports
from services.stack.servers import redis_server
from tests.testing.processes import Part

_PASSWORD = "redis-password"
_COMMAND_SECONDS = 30
_DATABASE = 9


@asynccontextmanager
async def sentinel(*masters: int) -> AsyncIterator[int]:
    """Run a Sentinel that names the ports *masters* one after the other, the last one again and again."""
    left = list(masters)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(4096):
            port = left.pop(0) if len(left) > 1 else left[0]
            state = ["name", "images", "ip", "127.0.0.1", "port", str(port), "flags", "master"]
            items = "".join(f"${len(item)}\r\n{item}\r\n" for item in (*state, "num-other-sentinels", "0"))
            writer.write(f"*1\r\n*{len(state) + 2}\r\n{items}".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@asynccontextmanager
async def queue_by(port: int) -> AsyncIterator[tuple[JobQueue, Redis]]:
    """Open a queue on the Redis that the Sentinel on *port* names, as a worker does."""
    settings = RedisSettings(url=f"redis+sentinel://:{_PASSWORD}@127.0.0.1:{port}/images/{_DATABASE}")
    async with open_redis(settings, retry_timeout=10 * _COMMAND_SECONDS) as redis:
        yield JobQueue(redis, timeout_seconds=2, retry_timeout=_COMMAND_SECONDS), redis


async def _enqueued(queue: JobQueue, redis: Redis) -> int:
    """Enqueue a job, and return how many there are then; drops it."""
    await queue.enqueue(QueueName.SCAN, "task", "job", {})
    depth = await queue.depth(QueueName.SCAN)
    await redis.flushdb()
    return depth


async def test_the_sentinels_are_asked_again_when_a_master_is_dead(servers: Mapping[str, str]) -> None:
    """The Sentinels are asked again before each attempt, because nothing listens at the old address."""
    (dead,) = free_ports(1)
    async with sentinel(dead, _port(servers)) as port, queue_by(port) as (queue, redis):
        assert await _enqueued(queue, redis) == 1


@pytest.fixture
async def old(servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Redis]:
    """Another Redis, which has been the master."""
    server = redis_server(tmp_path / "redis", tmp_path, dict(os.environ), _PASSWORD, avoid=[_port(servers)])
    part = Part(server.command)
    await part.start()
    try:
        async with Redis(port=server.port, password=_PASSWORD, db=_DATABASE) as redis:
            async with asyncio.timeout(_COMMAND_SECONDS):
                while not await _responds(redis):
                    await asyncio.sleep(0.05)
            yield redis
    finally:
        await part.end()


def _port_of(redis: Redis) -> int:
    return int(redis.connection_pool.connection_kwargs["port"])


@pytest.mark.parametrize("warm", [False, True], ids=["first connection", "used connection"])
async def test_a_connection_to_a_master_that_has_become_a_replica_is_replaced(
    servers: Mapping[str, str], old: Redis, *, warm: bool
) -> None:
    """A script that would write fails there; it is sent to the new master instead."""
    master = _port(servers)
    async with sentinel(_port_of(old), _port_of(old), master) as port, queue_by(port) as (queue, redis):
        if warm:
            await queue.depth(QueueName.SCAN)
        await old.execute_command("REPLICAOF", "127.0.0.1", str(master))  # type: ignore[no-untyped-call]
        assert await _enqueued(queue, redis) == 1


async def test_an_earlier_master_is_not_used_although_it_responds(servers: Mapping[str, str], old: Redis) -> None:
    """It was frozen while a connection was made to it, and another one was elected."""
    async with sentinel(_port_of(old), _port(servers)) as port, queue_by(port) as (queue, redis):
        await queue.enqueue(QueueName.SCAN, "task", "job", {})
        assert await old.dbsize() == 0
        assert await redis.dbsize() > 0
        await redis.flushdb()


async def test_a_connection_in_use_does_not_return_to_an_earlier_master(
    servers: Mapping[str, str], old: Redis
) -> None:
    """Another connection has found the new master meanwhile."""
    async with sentinel(_port_of(old), _port_of(old), _port(servers)) as port, queue_by(port) as (queue, redis):
        waiting = asyncio.create_task(queue.wait("job", seconds=0.5))
        async with asyncio.timeout(_COMMAND_SECONDS):
            while (await old.info("clients"))["blocked_clients"] == 0:
                await asyncio.sleep(0.01)
        await queue.depth(QueueName.SCAN)
        with pytest.raises(ConversionFailed):
            await waiting
        await queue.enqueue(QueueName.SCAN, "task", "job", {})
        assert await old.dbsize() == 0
        assert await redis.dbsize() > 0
        await redis.flushdb()


async def _responds(redis: Redis) -> bool:
    try:
        return bool(await redis.ping())
    except (RedisError, OSError):
        return False


def _port(servers: Mapping[str, str]) -> int:
    return urlsplit(servers["IMAGECONVERTER_REDIS_URL"]).port or 0
