"""A second stack, with a Redis of its own, is started on the bucket of another one."""

import asyncio
import random
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from tests.testing.measurements import Figures
from tests.testing.processes import stack_on
from tests.testing.workload import Client, Workload

# A reporter restores what Redis does not know at once, and again after ten seconds.
_REPORTER_SECONDS = 12


def another_database(url: str) -> str:
    """Return the address of another database than that at *url*."""
    base, _, database = url.rpartition("/")
    return f"{base}/{int(database) % 14 + 1}"


@pytest.mark.timeout(600)
async def test_a_second_stack_does_not_disturb_the_first(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """It is refused while a run of the first goes on, and gets the bucket when the first has gone."""
    count = 1000 if figures.long else 100
    other_servers = {
        **on_servers,
        "IMAGECONVERTER_REDIS_URL": another_database(on_servers["IMAGECONVERTER_REDIS_URL"]),
    }
    async with (
        aiohttp.ClientSession() as session,
        stack_on(on_servers, tmp_path / "first", gateways=1, workers=1, reporters=1) as (first, resources),
    ):
        client = Client(first.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        await workload.start_run(await workload.put_sources(count, broken=3), count, 3)
        while (await client.insist("GET", "/images/convert/status"))["progress"]["finished"] < count // 4:
            await asyncio.sleep(0.02)
        await first.workers[0].kill()  # so that the run does not end before the second stack has looked at it
        async with stack_on(
            other_servers,
            tmp_path / "second",
            gateways=1,
            workers=1,
            reporters=1,
            IMAGECONVERTER_S3_BUCKET=first.settings.storage.bucket,
        ) as (second, others):
            stranger = Client(second.addresses, session, chance)
            async with asyncio.timeout(60):
                while len(await others.queue.live_processes("reporter")) == 0:
                    await asyncio.sleep(0.05)
                while (await stranger.ask("GET", "/health/live"))[0] != 200:
                    await asyncio.sleep(0.05)
            until = time.monotonic() + _REPORTER_SECONDS
            while time.monotonic() < until:
                assert (await stranger.ask("POST", "/images/convert/cancel", {}))[0] == 503
                await asyncio.sleep(0.1)
            status, readiness = await stranger.ask("GET", "/health/ready")
            assert (status, len(readiness["problems"])) == (503, 1)
            assert await others.runs.history() == []
            await first.workers[0].start()
            await workload.finished()
            summary = await workload.check()

            if figures.long:
                for part in first.parts:
                    await part.kill()
                began = time.monotonic()
                async with asyncio.timeout(240):
                    while (await stranger.ask("GET", "/health/ready"))[0] != 200:
                        await asyncio.sleep(0.1)
                taken = time.monotonic() - began
                await Workload(others, stranger).convert()
                figures.note("A20 the first stack has gone", f"the second has its bucket after {taken:.0f} s")
    figures.note("A20 two stacks on a bucket", f"{summary}; the second is refused")
