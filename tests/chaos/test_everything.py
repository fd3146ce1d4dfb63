"""G1: acknowledged requests take effect once, although processes are killed, frozen and restarted."""

import asyncio
import random
from pathlib import Path

import aiohttp
import pytest

from imageconverter.jobs.leases import LEASE_SECONDS
from tests.testing.measurements import Figures
from tests.testing.processes import Stack, own_servers, stack_on
from tests.testing.workload import Client, Workload

# The faults, with their share in percent.
FAULTS = {"kill a worker": 60, "freeze a worker": 15, "kill a gateway": 10, "kill redis": 10, "kill s3": 5}
_BETWEEN_SECONDS = 0.7


async def fault(what: str, stack: Stack, chance: random.Random) -> None:
    """Cause one fault, and restart the killed process."""
    if what == "freeze a worker":
        await chance.choice(stack.workers).pause(LEASE_SECONDS + 0.5)
        return
    parts = {
        "kill a worker": stack.workers,
        "kill a gateway": stack.gateways,
        "kill redis": [stack.servers["redis"]],
        "kill s3": [stack.servers["s3"]],
    }
    part = chance.choice(parts[what])
    await part.kill()
    await asyncio.sleep(chance.uniform(0, 0.5))
    await part.start()


@pytest.mark.timeout(3600)
async def test_accepted_work_is_done_exactly_once_whatever_is_killed(
    tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Outputs, counters, rows and queues are compared with the responses to clients, after all work has ended."""
    count, faults = (20_000, 400) if figures.long else (300, 8)
    drawn = chance.choices(list(FAULTS), list(FAULTS.values()), k=faults)
    if not figures.long:
        drawn[2:5] = ["freeze a worker", "kill redis", "kill s3"]  # at least one of each
    done = asyncio.Event()
    async with (
        own_servers(tmp_path / "servers") as (servers, parts),
        stack_on(servers, tmp_path / "roles", gateways=2, workers=3, reporters=1) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        stack.servers = parts
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        directory = await workload.put_sources(count, broken=count // 20)

        async def convert() -> None:
            while not done.is_set():
                await workload.convert()
                await asyncio.sleep(chance.uniform(0, 0.5))

        async def run() -> None:
            await workload.start_run(directory, count, count // 20)
            while True:
                await workload.finished(seconds=1800)
                await workload.check_last_run()
                if done.is_set():
                    return
                await workload.start_run(await workload.put_sources(count // 10), count // 10)

        clients = [asyncio.create_task(each) for each in (run(), *(convert() for _ in range(4)))]
        try:
            for what in drawn:
                await asyncio.sleep(chance.uniform(0, 2 * _BETWEEN_SECONDS))
                await fault(what, stack, chance)
        finally:
            done.set()
        await asyncio.gather(*clients)
        summary = await workload.check()
        troubles = stack.internal_errors

    assert not troubles, troubles[:3]
    conversions = sum(each for _, each, _ in workload.runs) + len(workload.converted)
    figures.note("G1 kills, freezes, restarts", f"{faults} faults, {conversions} conversions: {summary}")
