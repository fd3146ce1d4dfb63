"""G7: the processes of all roles are stopped one after the other, many times."""

import asyncio
import random
from collections import defaultdict
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.testing.measurements import Figures, spread
from tests.testing.processes import stack_on
from tests.testing.rolling_restart import restart
from tests.testing.workload import Client, Workload


@pytest.mark.timeout(1200)
async def test_rolling_restarts_lose_no_job_and_count_no_attempt(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """SIGTERM under load: running jobs are finished or requeued, and every process ends within ten seconds."""
    restarts, count = (60, 2000) if figures.long else (6, 120)
    max_attempts, done = 0, asyncio.Event()
    async with (
        stack_on(on_servers, tmp_path, gateways=2, workers=2, reporters=2) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        redis: Any = resources.redis
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        directory = await workload.put_sources(count)
        await client.wait_until_ready()

        async def watch() -> None:
            nonlocal max_attempts
            while not done.is_set():
                names = [name async for name in redis.scan_iter(match="arq:retry:*", count=1000)]
                attempts = await redis.mget(names) if names else []
                max_attempts = max([max_attempts, *(int(each) for each in attempts if each)])
                await asyncio.sleep(0.005)

        async def convert() -> None:
            while not done.is_set():
                await workload.convert()

        beside = [asyncio.create_task(each) for each in (watch(), convert(), convert())]
        took: dict[str, list[float]] = defaultdict(list)
        try:
            await workload.start_run(directory, count)
            for part in islice(cycle([*stack.workers, *stack.gateways, *stack.reporters]), restarts):
                await asyncio.sleep(chance.uniform(0, 0.5))
                took[part.command.name].append(await restart(part, client, resources))
        finally:
            done.set()
        await asyncio.gather(*beside)
        await workload.finished(seconds=600)
        checked = await workload.check()

    assert max_attempts == 1
    assert max(max(seconds) for seconds in took.values()) < 10
    exits = ", ".join(f"{role} {spread(seconds)}" for role, seconds in took.items())
    figures.note("G7 SIGTERM under load", f"{restarts} restarts, exit: {exits}; 0 tries used up; {checked}")
