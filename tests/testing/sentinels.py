"""A Redis with two replicas, which three Sentinels watch."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.stack.ports import free_ports
from services.stack.program import Command
from services.stack.servers import redis_server
from tests.testing.processes import Part

_MASTER = "images"
_PASSWORD, _SENTINEL_PASSWORD = "redis-password", "sentinel-password"
_REPLICAS, _SENTINELS = 2, 3
_READY_SECONDS = 60


@dataclass
class ReplicatedRedis:
    """The processes of one master, its replicas and its Sentinels, by their ports."""

    servers: dict[int, Part]
    sentinels: dict[int, Part]

    @property
    def environment(self) -> dict[str, str]:
        """The settings with which roles find the master."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        return {
            "IMAGECONVERTER_REDIS_URL": f"redis+sentinel://:{_PASSWORD}@{hosts}/{_MASTER}/3",
            "IMAGECONVERTER_REDIS_SENTINEL_PASSWORD": _SENTINEL_PASSWORD,
        }

    async def until_complete(self) -> Part:
        """Wait until all replicas follow a master that all Sentinels know; returns that master."""
        async with asyncio.timeout(_READY_SECONDS):
            while len(ports := {await self._master_of(port) for port in self.sentinels}) != 1 or ports == {0}:
                await asyncio.sleep(0.1)
        return self.servers[ports.pop()]

    async def _master_of(self, sentinel: int) -> int:
        """Return the port of the master that a Sentinel knows with everything around it, else 0."""
        state = (await _ask(sentinel, _SENTINEL_PASSWORD, "SENTINEL MASTERS")).get(_MASTER, {})
        known = (state.get("num-slaves"), state.get("num-other-sentinels"), state.get("flags"))
        if known != (_REPLICAS, _SENTINELS - 1, "master"):
            return 0
        port = int(state["port"])
        replication = await _ask(port, _PASSWORD, "INFO", "replication")
        online = [replication.get(f"slave{n}", {}).get("state") == "online" for n in range(_REPLICAS)]
        return port if all(online) else 0


async def _ask(port: int, password: str, *command: str) -> dict[str, Any]:
    """Send one command to a server; returns nothing if it does not respond."""
    async with Redis(port=port, password=password, socket_timeout=1, decode_responses=True) as redis:
        try:
            answer: dict[str, Any] = await redis.execute_command(*command)  # type: ignore[no-untyped-call]
        except (RedisError, OSError):
            return {}
    return answer


@asynccontextmanager
async def replicated_redis(
    folder: Path, *, down_after_ms: int = 2000, settings: Sequence[str] = ()
) -> AsyncIterator[ReplicatedRedis]:
    """Run a master, two replicas and three Sentinels; *settings* are lines for the configuration of the servers."""
    folder.mkdir()
    servers: dict[int, Part] = {}
    for number in range(1 + _REPLICAS):
        server = redis_server(folder / f"redis-{number}", folder, dict(os.environ), _PASSWORD, avoid=servers)
        lines = [f"masterauth {_PASSWORD}", "repl-diskless-sync yes", "repl-diskless-sync-delay 0", *settings]
        if servers:
            lines.append(f"replicaof 127.0.0.1 {next(iter(servers))}")
        with (folder / f"redis-{number}" / "redis.conf").open("a") as config:
            config.write("\n".join([*lines, ""]))
        servers[server.port] = Part(server.command)
    (binary, *_), master = next(iter(servers.values())).command.arguments, next(iter(servers))
    sentinels = {
        port: Part(_sentinel(binary, folder / f"sentinel-{port}.conf", port, master, down_after_ms))
        for port in free_ports(_SENTINELS, avoid=servers)
    }
    replicated = ReplicatedRedis(servers, sentinels)
    parts = [*servers.values(), *sentinels.values()]
    try:
        await asyncio.gather(*(part.start() for part in parts))
        await replicated.until_complete()
        yield replicated
    finally:
        await asyncio.gather(*(part.end() for part in parts))


def _sentinel(binary: str, config: Path, port: int, master: int, down_after_ms: int) -> Command:
    config.write_text(
        f"bind 127.0.0.1\nport {port}\nrequirepass {_SENTINEL_PASSWORD}\n"
        f'dir "{config.parent.resolve()}"\n'
        f"sentinel monitor {_MASTER} 127.0.0.1 {master} 2\n"
        f"sentinel auth-pass {_MASTER} {_PASSWORD}\n"
        f"sentinel down-after-milliseconds {_MASTER} {down_after_ms}\n"
        f"sentinel failover-timeout {_MASTER} 5000\n"
    )
    arguments = [binary, str(config), "--sentinel"]
    return Command("sentinel", arguments, dict(os.environ), config.with_suffix(".log"))
