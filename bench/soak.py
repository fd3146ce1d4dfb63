"""Leaks under mixed load with faults: ``python -m bench.soak [--minutes 30] [--seed N]``.

Prints the growth per hour of memory and open files of every process that is not killed, and of the data in Redis and
the store: the regression line of the second half of the samples. The requests repeat, so that nothing should grow.
"""

import argparse
import asyncio
import contextlib
import io
import random
import re
import secrets
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from imageconverter import keys
from imageconverter.errors import Unavailable
from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.processes import Part, Stack, own_servers, stack_on
from tests.testing.workload import RUN_OUTPUTS, Client, Workload

_SAMPLE_SECONDS = 5.0
_FAULT_SECONDS = 10.0
_UPLOAD_HOURS = 0.02
_SOURCES, _PREVIEWS = 40, 100
_WARM_UP = 0.5  # this share of the samples is ignored
_NAMES = re.compile(r"[0-9a-f]{12,}(:\d+)?|\d+")


@dataclass
class Samples:
    """Values by name, each with its time in seconds."""

    values: dict[str, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, name: str, value: float) -> None:
        """Add a current value."""
        self.values.setdefault(name, []).append((time.monotonic(), value))

    def table(self) -> str:
        """Return the first, last and largest value of the second half and its slope as a Markdown table."""
        lines = ["| value | begin | end | maximum | slope per hour |", "|---|---|---|---|---|"]
        for name, samples in sorted(self.values.items()):
            late = samples[int(len(samples) * _WARM_UP) :]
            times, values = [at for at, _ in late], [value for _, value in late]
            slope = statistics.linear_regression(times, values).slope * 3600 if len(late) > 1 else 0.0
            lines.append(f"| {name} | {values[0]:.1f} | {values[-1]:.1f} | {max(values):.1f} | {slope:+.1f} |")
        return "\n".join(lines)


def main() -> None:
    """Run for the duration on the command line, then print."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=str(__doc__).splitlines()[0])
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**32))
    options = parser.parse_args()
    print(f"== soak: {options.minutes:g} minutes, seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_soak(Path(folder), options.minutes * 60, random.Random(options.seed)))  # noqa: S311


async def _soak(folder: Path, seconds: float, chance: random.Random) -> None:
    samples, counts, stopping = Samples(), Counter[str](), asyncio.Event()
    async with (
        own_servers(folder / "servers") as (servers, parts),
        stack_on(
            servers,
            folder / "roles",
            gateways=2,
            workers=2,
            reporters=1,
            IMAGECONVERTER_UPLOAD_HOURS=str(_UPLOAD_HOURS),
        ) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        stack.servers = parts
        workload = Workload(resources, Client(stack.addresses, session, chance))
        await workload.client.wait_until_ready()
        directory = await workload.put_sources(_SOURCES, broken=2)
        work: list[Coroutine[Any, Any, None]] = [
            *(_repeat(stopping, counts, "conversions", workload.convert) for _ in range(2)),
            _repeat(stopping, counts, "runs", lambda: _run(workload, directory)),
            *(_repeat(stopping, counts, "previews", lambda: _preview(workload.client)) for _ in range(2)),
            _cause_faults(stopping, counts, stack, chance),
            _sample(stopping, samples, stack, resources),
        ]
        tasks = [asyncio.create_task(each) for each in work]
        await asyncio.sleep(seconds)
        stopping.set()
        await asyncio.gather(*tasks)
        print(f"\n{', '.join(f'{count} {name}' for name, count in sorted(counts.items()))}\n\n{samples.table()}\n")
        print(f"keys of Redis without expiry: {', '.join(await _keys_without_expiry(resources))}")
        print(f"dead jobs: {len(await resources.queue.dead.all())}")
        print(f"internal errors in the logs: {len(stack.internal_errors)}")


async def _repeat(
    stopping: asyncio.Event, counts: Counter[str], name: str, act: Callable[[], Coroutine[Any, Any, None]]
) -> None:
    while not stopping.is_set():
        with contextlib.suppress(Unavailable, TimeoutError, aiohttp.ClientError):
            await act()
            counts[name] += 1
        await asyncio.sleep(0.1)


async def _run(workload: Workload, directory: str) -> None:
    """Delete the outputs of the sources and convert them again."""
    for folder in RUN_OUTPUTS.values():
        prefix = keys.target(f"{folder}/{directory}")
        async for page in workload.resources.store.list(keys.target(f"{folder}/")):
            await workload.resources.store.delete(each.key for each in page if each.key.startswith(prefix))
    await workload.start_run(directory, _SOURCES, 2)
    await workload.finished()


async def _preview(client: Client) -> None:
    """Request the preview of a random key, which is converted if it does not exist."""
    number = client.chance.randrange(_PREVIEWS)
    form = aiohttp.FormData()
    form.add_field("sourceImage", io.BytesIO(image_files.jpeg(size=(300 + number, 300))), filename="a.jpg")
    url = f"{client.chance.choice(client.addresses)}/imageconverter/cacheAndGetImage/key-{number}/auto:200x150"
    async with client.session.post(url, data=form, timeout=aiohttp.ClientTimeout(total=30)) as response:
        await response.read()


async def _cause_faults(stopping: asyncio.Event, counts: Counter[str], stack: Stack, chance: random.Random) -> None:
    """Kill the first gateway, the first worker and the servers at random; the others are measured."""
    while not stopping.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), chance.uniform(0, 2 * _FAULT_SECONDS))
            return
        victims = [stack.workers[0]] * 6 + [stack.gateways[0]] * 2 + [stack.servers["redis"], stack.servers["s3"]]
        part = chance.choice(victims)
        await part.kill()
        await part.start()
        counts["faults"] += 1


async def _sample(stopping: asyncio.Event, samples: Samples, stack: Stack, resources: Resources) -> None:
    watched: Mapping[str, Part] = {
        "gateway": stack.gateways[1],
        "worker": stack.workers[1],
        "reporter": stack.reporters[0],
    }
    while not stopping.is_set():
        for name, part in watched.items():
            process = Path("/proc") / str(part.process.pid)
            samples.add(f"{name}: open files", len(list((process / "fd").iterdir())))
            status = (process / "status").read_text(encoding="utf-8")
            found = re.search(r"VmRSS:\s+(\d+)", status)
            samples.add(f"{name}: RSS, MiB", int(found[1]) / 1024 if found else 0)
        with contextlib.suppress(Unavailable, OSError):
            redis: Any = resources.redis
            samples.add("redis: keys", await redis.dbsize())
            samples.add("redis: memory, MiB", (await redis.info("memory"))["used_memory"] / 2**20)
            for name, prefix in {
                "staged uploads": keys.source(f"{keys.UPLOADS}/"),
                "previews": keys.PREVIEWS,
                "backups of runs": keys.run_backups(),
            }.items():
                count = sum([len(page) async for page in resources.store.list(prefix)])
                samples.add(f"store: {name}", count)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), _SAMPLE_SECONDS)


async def _keys_without_expiry(resources: Resources) -> list[str]:
    """Return the patterns of keys without expiry, with numbers and ids replaced."""
    found = Counter[str]()
    redis: Any = resources.redis
    async for key in redis.scan_iter(count=1000):
        if await redis.ttl(key) == -1:
            found[_NAMES.sub("…", key.decode(errors="replace"))] += 1
    return [f"{name} ({count})" for name, count in sorted(found.items())]


if __name__ == "__main__":
    main()
