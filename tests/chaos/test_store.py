"""G4: the object store is unavailable for some time, in different ways."""

import asyncio
import base64
import random
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from tests.testing import image_files
from tests.testing.faults import FaultProxy, Mode, fault_proxy
from tests.testing.measurements import Figures
from tests.testing.processes import stack_on
from tests.testing.workload import REQUEST_OUTPUTS, Client, Workload

AWAY = (Mode.REFUSE, Mode.UNAVAILABLE, Mode.BLACK_HOLE, Mode.DRIP, Mode.READ_ONLY)
# Twice the time of the goal, because the test machine is busy.
_MAX_ERROR_SECONDS = 4


async def upload(client: Client) -> tuple[float, int, Any]:
    """Request a conversion; returns the duration in seconds, status and body."""
    data = base64.b64encode(image_files.jpeg(size=(300, 200))).decode()
    body = {"fileName": "refused.jpg", "imageData": data, "formats": list(REQUEST_OUTPUTS)}
    began = time.monotonic()
    status, response = await client.ask("POST", "/images/upload/convert", body)
    return time.monotonic() - began, status, response


@pytest.mark.timeout(1200)
async def test_outage_of_the_store_only_delays(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Clients get an error at once, a run waits and continues, no job fails."""
    seconds, count = (30.0, 1000) if figures.long else (2.0, 150)
    port = urlsplit(on_servers["IMAGECONVERTER_S3_ENDPOINT"]).port
    async with (
        fault_proxy(port or 0) as proxy,
        stack_on(
            on_servers,
            tmp_path,
            gateways=1,
            workers=1,
            IMAGECONVERTER_S3_ENDPOINT=f"http://127.0.0.1:{proxy.port}",
        ) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        for mode in AWAY:
            await workload.start_run(await workload.put_sources(count, broken=5), count, 5)
            while (await client.insist("GET", "/images/convert/status"))["progress"]["finished"] < count // 5:
                await asyncio.sleep(0.02)
            delay = await outage(proxy, mode, client, seconds)
            status = await client.insist("GET", "/images/convert/status")
            proxy.fail(Mode.REFUSE)  # closes stalled connections
            proxy.fail(Mode.PASS)
            back = time.monotonic()
            await workload.convert()
            served = time.monotonic() - back
            await workload.finished(seconds=300)
            drained = time.monotonic() - back
            await workload.check_last_run()

            assert status["progress"]["finished"] < count
            assert delay < _MAX_ERROR_SECONDS
            figures.note(
                f"G4 store unavailable: {mode.name.lower().replace('_', ' ')}",
                f"{seconds:.0f} s, 503 after {delay:.2f} s at most, served {served:.1f} s after its return, "
                f"run done after {drained:.1f} s",
            )
        checked = await workload.check()
    figures.note("G4 all outages", checked)


async def outage(proxy: FaultProxy, mode: Mode, client: Client, seconds: float) -> float:
    """Make the store unavailable for some time; returns the longest time until a client got an error."""
    proxy.fail(mode)
    began, delay = time.monotonic(), []
    while time.monotonic() - began < seconds:
        took, status, response = await upload(client)
        assert (status, response["type"]) == (503, "internalError"), response
        delay.append(took)
    return max(delay)
