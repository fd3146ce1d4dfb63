"""G18: the master of a replicated Redis is killed or freezes, and Sentinels put a replica in its place."""

import asyncio
import random
import signal
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.testing.measurements import Figures, spread
from tests.testing.processes import Part, stack_on
from tests.testing.sentinels import replicated_redis
from tests.testing.workload import Client, Workload

_CLIENTS = 4


async def _lose(master: Part, fault: str, workload: Workload) -> float:
    """Cause *fault*, and bring the old master back later; returns the seconds until a new conversion is answered."""
    if fault == "killed":
        await master.kill()
    else:
        master.send(signal.SIGSTOP)
    began = time.monotonic()
    await workload.convert()
    taken = time.monotonic() - began
    if fault == "killed":
        await master.start()
    else:
        master.send(signal.SIGCONT)
    return taken


@pytest.mark.timeout(1800)
async def test_accepted_work_survives_failovers_of_redis(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Under load, although a replica may not have what the master has confirmed."""
    faults, count = (["killed", "frozen"] * 5, 5000) if figures.long else (["killed"], 200)
    took: dict[str, list[float]] = {fault: [] for fault in faults}
    done = asyncio.Event()
    async with (
        replicated_redis(tmp_path / "redis") as redis,
        stack_on({**on_servers, **redis.environment}, tmp_path / "roles", gateways=2, workers=2, reporters=1) as (
            stack,
            resources,
        ),
        aiohttp.ClientSession() as session,
    ):
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        await workload.start_run(await workload.put_sources(count, broken=5), count, 5)

        async def convert() -> None:
            while not done.is_set():
                await workload.convert()

        clients = [asyncio.create_task(convert()) for _ in range(_CLIENTS)]
        try:
            for fault in faults:
                master = await redis.until_complete()
                await asyncio.sleep(chance.uniform(0, 1))
                took[fault].append(await _lose(master, fault, workload))
        finally:
            done.set()
        await asyncio.gather(*clients)
        await redis.until_complete()
        await workload.finished(seconds=1200)
        summary = await workload.check()
        troubles = stack.internal_errors

    assert not troubles, troubles[:3]
    for fault, seconds in took.items():
        figures.note(f"G18 master {fault}", f"service back after {spread(seconds)}; {summary}")
