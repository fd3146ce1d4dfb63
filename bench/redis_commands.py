"""How many commands a running stack sends to its Redis."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from redis.asyncio import Redis

_SETTING = "IMAGECONVERTER_REDIS_URL="


def address_for(pid: int) -> str:
    """Return the address of the Redis that the role with the process id *pid* uses."""
    variables = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return next(each.removeprefix(_SETTING) for each in variables if each.startswith(_SETTING))


@asynccontextmanager
async def counted(address: str) -> AsyncIterator[Counter[str]]:
    """Count the commands that clients send to the Redis at *address* during the block; not those within scripts."""
    commands: Counter[str] = Counter()
    async with Redis.from_url(address) as redis, redis.monitor() as monitor:

        async def listen() -> None:
            async for each in monitor.listen():
                if each["client_type"] != "lua":
                    commands[each["command"].partition(" ")[0]] += 1

        listening = asyncio.create_task(listen())
        try:
            yield commands
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
