"""A gateway is killed at each step of a request with an idempotency key, until its client has the response."""

import asyncio
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import aiohttp
import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from tests.chaos.test_gateways import kill_at, steps
from tests.testing.faults import fault_proxy
from tests.testing.measurements import Figures
from tests.testing.processes import stack_on
from tests.testing.workload import Client, Workload, upload_body

STEPS = steps(
    ("upload", "redis", b"ic:idempotency"),
    ("upload", "s3", b"PUT /"),
    ("convert", "redis", b"ic:lane:interactive"),
    ("convert", "redis", b"BLPOP"),
    ("start", "s3", b"PUT /"),
    ("start", "redis", b"ic:lane:batch"),
    ("start", "redis", b"HGETALL"),
)
_PATHS = {"upload": "/images/upload", "convert": "/images/upload/convert", "start": "/images/convert/start"}


async def created(resources: Resources, request: str) -> set[str]:
    """Return the runs, or the directories of uploads."""
    if request == "start":
        return set(await resources.runs.history())
    prefix = keys.source(f"{keys.UPLOADS}/")
    listed = [stored.key async for page in resources.store.list(prefix) for stored in page]
    return {key.rpartition("/")[0] for key in listed}


@pytest.mark.timeout(600)
async def test_a_repeated_request_creates_one_thing_wherever_its_gateway_dies(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """One upload or run for each key; the last response comes again."""
    steps = STEPS if figures.long else chance.sample(STEPS, 2)
    redis_url, s3_url = on_servers["IMAGECONVERTER_REDIS_URL"], on_servers["IMAGECONVERTER_S3_ENDPOINT"]
    redis_port = urlsplit(redis_url).port or 0
    async with (
        fault_proxy(urlsplit(s3_url).port or 0) as s3,
        fault_proxy(redis_port) as redis,
        stack_on(on_servers, tmp_path, gateways=0, workers=1) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        gateway = stack.add_gateway(
            IMAGECONVERTER_S3_ENDPOINT=f"http://127.0.0.1:{s3.port}",
            IMAGECONVERTER_REDIS_URL=redis_url.replace(str(redis_port), str(redis.port)),
        )
        await gateway.start()
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        for step in steps:
            directory = await workload.put_sources(3)
            start: dict[str, Any] = {"source": "directory", "directory": directory}
            body = start if step.request == "start" else upload_body(f"{uuid4().hex}.jpg")
            before, key = await created(resources, step.request), uuid4().hex
            proxy = {"s3": s3, "redis": redis}[step.server]
            killed = kill_at(step, proxy, gateway)
            asking = asyncio.create_task(client.insist("POST", _PATHS[step.request], body, key=key))
            async with asyncio.timeout(30):
                await killed.wait()
                await gateway.process.wait()
            proxy.before_passing = None
            await gateway.start()
            response = await asking
            again = await client.insist("POST", _PATHS[step.request], body, key=key)
            await workload.finished()

            assert again == response, step
            assert len(await created(resources, step.request) - before) == 1, step
    figures.note("G6 repeated by key", f"{len(steps)} steps: nothing was created twice")
