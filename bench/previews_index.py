"""The index of previews with 10,000, 100,000 and a million keys: memory per key and cost of its operations."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any, NamedTuple

from redis.asyncio import Redis

from bench.servers import running_servers, settings_of
from imageconverter import keys
from imageconverter.jobs import open_redis
from imageconverter.previews.index import Group, Preview, PreviewIndex

SIZES = (10_000, 100_000, 1_000_000)
CONTEXTS = 10
ROUNDS = 200
EVICTIONS = 20
EVICTED = 32  # keys in one step, as in production
_CHUNK = 5000
_PREVIEW = Preview("image/jpeg", 23_456, f'"{0:032x}"', 200, 150)
_RETRY_TIMEOUT_SECONDS = 60


class Cost(NamedTuple):
    """The cost of one operation, in microseconds."""

    client: float
    """Median of the latency for the client."""
    server: float
    """Mean of the CPU time in Redis."""


def main() -> None:
    """Measure and print."""
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"\n== previews_index: keys with one preview and one of {CONTEXTS} contexts")
    async with running_servers(store=False) as environment:
        settings = settings_of(environment)
        async with open_redis(settings.redis, retry_timeout=_RETRY_TIMEOUT_SECONDS) as redis:
            index = PreviewIndex(redis, retry_timeout=_RETRY_TIMEOUT_SECONDS)
            empty = await _used_memory(redis)
            filled, costs = 0, dict[str, list[Cost]]()
            for size in SIZES:
                await fill(redis, filled, size)
                filled = size
                memory = (await _used_memory(redis) - empty) / await index.count()
                print(f"{size:,} keys: {memory:.0f} bytes per key")
                for name, (command, rounds, work) in operations(index, size).items():
                    costs.setdefault(name, []).append(await cost(redis, command, rounds, work))
                await redis.delete(keys.PREVIEW_PENDING_DELETES)  # there is no store to delete objects from
            report(costs)
            began = time.perf_counter()
            listed = sum([len(batch) async for batch in index.keys("")])
            print(f"getKeys: {listed:,} keys listed in {time.perf_counter() - began:.1f} s")


def operations(index: PreviewIndex, size: int) -> dict[str, tuple[str, int, Callable[[int], Awaitable[Any]]]]:
    """Return the operations with *size* keys: the command in Redis, the number of rounds, and the n-th round."""
    return {
        "find": ("evalsha", ROUNDS, lambda n: index.find(key_of(n * 7919 % size), context="1")),
        "getKeyCount": ("zcard", ROUNDS, lambda _: index.count()),
        "getKeyCount of a context": ("scard", ROUNDS, lambda n: index.count(str(n % CONTEXTS))),
        f"eviction step of {EVICTED} keys": (
            "evalsha",
            EVICTIONS,
            lambda _: index.evict(EVICTED, idle=None, max_keys=0, max_bytes=None),
        ),
    }


async def cost(redis: Redis, command: str, rounds: int, work: Callable[[int], Awaitable[Any]]) -> Cost:
    """Measure *rounds* calls of *work*."""
    await redis.config_resetstat()
    seconds = []
    for number in range(rounds):
        began = time.perf_counter()
        await work(number)
        seconds.append(time.perf_counter() - began)
    stats = (await redis.info("commandstats"))[f"cmdstat_{command}"]
    return Cost(1e6 * statistics.median(seconds), float(stats["usec_per_call"]))


def report(costs: dict[str, list[Cost]]) -> None:
    """Print the cost of each operation at each size, and its growth."""
    for name, each in costs.items():
        figures = ", ".join(f"{one.server:.0f} µs in Redis ({one.client:.0f} µs in total)" for one in each)
        growth = each[-1].server / each[0].server
        print(f"{name}: {figures}; from {SIZES[0]:,} to {SIZES[-1]:,} keys by a factor of {growth:.2f}")


def key_of(number: int) -> str:
    """Return a key in the form of the middleware."""
    return sha256(b"%d" % number).hexdigest()


async def fill(redis: Redis, start: int, stop: int) -> None:
    """Create the groups from *start* to *stop*, many in one round trip."""
    for first in range(start, stop, _CHUNK):
        async with redis.pipeline(transaction=False) as pipe:
            index = PreviewIndex(pipe, retry_timeout=_RETRY_TIMEOUT_SECONDS)
            for number in range(first, min(first + _CHUNK, stop)):
                key = key_of(number)
                contexts = frozenset([str(number % CONTEXTS)])
                await index.restore(
                    Group(key, key[:32], 1.0, contexts, 1_258_023, {"auto:200x150~cover@75": _PREVIEW})
                )
            await pipe.execute()


async def _used_memory(redis: Redis) -> int:
    return int((await redis.info("memory"))["used_memory"])
