"""G6: a gateway is killed at each step of a request."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import aiohttp
import pytest

from imageconverter import keys
from imageconverter.images import uploads
from services.reporter.redis_recovery import rebuild
from tests.testing.faults import FaultProxy, fault_proxy
from tests.testing.measurements import Figures
from tests.testing.processes import Part, stack_on
from tests.testing.workload import Client, Workload


class Step(NamedTuple):
    """A command that a gateway sends to a server during a request."""

    request: str
    server: str
    words: bytes
    received: bool
    """Whether the server receives it before the gateway is killed."""


def steps(*commands: tuple[str, str, bytes]) -> list[Step]:
    """Return for each of *commands* (request, server, words) the steps before and after the server receives it."""
    return [Step(*command, received) for command in commands for received in (False, True)]


STEPS = steps(
    ("convert", "s3", b"PUT /"),
    ("convert", "redis", b"ic:lane:interactive"),
    ("convert", "redis", b"BLPOP"),
    ("start", "s3", b"list-type"),
    ("start", "s3", b"PUT /"),
    ("start", "redis", b"ic:lane:batch"),
    ("start", "redis", b"HGETALL"),
)


def kill_at(step: Step, proxy: FaultProxy, gateway: Part) -> asyncio.Event:
    """Kill the *gateway* when it sends the command of *step*; the returned event is set then."""
    killed = asyncio.Event()

    async def look(data: bytes) -> None:
        if step.words not in data or killed.is_set():
            return
        killed.set()
        if step.received:
            asyncio.get_running_loop().call_later(0.02, gateway.process.kill)
        else:
            await gateway.kill()

    proxy.before_passing = look
    return killed


@pytest.mark.timeout(600)
async def test_gateway_that_dies_at_any_step_leaves_no_partial_state(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """The client retries; the interrupted request leaves only an upload, which is swept."""
    steps = STEPS if figures.long else chance.sample(STEPS, 3)
    ports = {
        "s3": urlsplit(on_servers["IMAGECONVERTER_S3_ENDPOINT"]).port,
        "redis": urlsplit(on_servers["IMAGECONVERTER_REDIS_URL"]).port,
    }
    async with (
        fault_proxy(ports["s3"] or 0) as s3,
        fault_proxy(ports["redis"] or 0) as redis,
        stack_on(on_servers, tmp_path, gateways=0, workers=1) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        gateway = stack.add_gateway(
            IMAGECONVERTER_S3_ENDPOINT=f"http://127.0.0.1:{s3.port}",
            IMAGECONVERTER_REDIS_URL=on_servers["IMAGECONVERTER_REDIS_URL"].replace(
                str(ports["redis"]), str(redis.port)
            ),
        )
        await gateway.start()
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        for step in steps:
            directory = await workload.put_sources(3)
            proxy = {"s3": s3, "redis": redis}[step.server]
            killed = kill_at(step, proxy, gateway)
            asking = asyncio.create_task(
                workload.convert() if step.request == "convert" else workload.start_run(directory, 3)
            )
            async with asyncio.timeout(30):
                await killed.wait()
                await gateway.process.wait()
            proxy.before_passing = None
            await gateway.start()
            await asking
            await workload.finished()
            if step.request == "start":
                await workload.check_last_run()
        checked = await workload.check()
        await uploads.sweep(resources.store, hours=-0.001)
        await rebuild(resources)
        await rebuild(resources)
        left = [stored.key async for page in resources.store.list(keys.SOURCE) for stored in page]
        orders = [stored.key async for page in resources.store.list(keys.run_backups()) for stored in page]

    assert not [key for key in left if key.startswith(keys.source(f"{keys.UPLOADS}/"))]
    assert len(orders) <= sum(step.request == "start" for step in steps)
    figures.note("G6 gateway killed at each step", f"{len(steps)} steps: {checked}")
