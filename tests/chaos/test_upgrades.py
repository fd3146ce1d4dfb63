"""G19: two releases share Redis and the store, as during a rolling upgrade."""

import asyncio
import random
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.testing import image_files
from tests.testing.measurements import Figures
from tests.testing.older_release import unpack
from tests.testing.processes import THIS_RELEASE, stack_on
from tests.testing.rolling_restart import UPGRADE_ORDER, parts_of, restart
from tests.testing.workload import Client, Workload

_BROKEN = 5
_CLIENTS = 2
_PREVIEWS = 20
_SECONDS = 60


@pytest.fixture(scope="module")
def older(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that imports the older release."""
    return unpack(tmp_path_factory.mktemp("older"))


async def _preview(client: Client) -> None:
    """Request one of some previews, with retries."""
    number = client.chance.randrange(_PREVIEWS)
    image = image_files.jpeg(size=(300 + number, 300))
    async with asyncio.timeout(_SECONDS):
        while True:
            url = (
                f"{client.chance.choice(client.addresses)}/imageconverter/cacheAndGetImage/key-{number}/auto:200x150"
            )
            form = aiohttp.FormData()
            form.add_field("sourceImage", image, filename="a.jpg")
            try:
                async with client.session.post(url, data=form) as response:
                    if response.status == 200:
                        assert (await response.read()).startswith(b"\xff\xd8")
                        return
                    assert response.status == 503, await response.text()
            except aiohttp.ClientError:
                pass  # the gateway has ended
            await asyncio.sleep(0.1)


async def _report(client: Client) -> None:
    """Import a catalog, and make a report."""
    await client.insist("PUT", "/images/catalog/products", {"id": "1", "active": True, "images": ["absent.jpg"]})
    await client.insist("POST", "/images/report", {})
    async with asyncio.timeout(_SECONDS):
        while (await client.insist("GET", "/images/report/status"))["running"]:
            await asyncio.sleep(0.1)
    assert "absent.jpg" in str(await client.insist("GET", "/images/report/products"))


@asynccontextmanager
async def _load(workload: Workload, count: int) -> AsyncIterator[None]:
    """Start a run over *count* sources, and convert images and request previews for as long as the block takes.

    After it, and after a quarter of *count* images, the run and all jobs are finished.
    """
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set() or len(workload.converted) < count // 4:
            await workload.convert()
            await _preview(workload.client)

    await workload.client.wait_until_ready()
    await workload.start_run(await workload.put_sources(count, broken=_BROKEN), count, _BROKEN)
    clients = [asyncio.create_task(ask()) for _ in range(_CLIENTS)]
    try:
        yield
    finally:
        done.set()
    await asyncio.gather(*clients)
    await workload.finished(seconds=900)


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("newer", ["gateway", "worker"])
async def test_two_releases_beside_each_other_lose_nothing(
    on_servers: Mapping[str, str], older: Path, tmp_path: Path, chance: random.Random, figures: Figures, newer: str
) -> None:
    """Gateways of one, workers of the other, reporters of both."""
    count = 1600 if figures.long else 100
    async with (
        stack_on(on_servers, tmp_path, gateways=0, workers=0) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        release = {"gateway": older, "worker": older, newer: THIS_RELEASE}
        for _ in range(2):
            stack.add_gateway(release["gateway"])
            stack.workers.append(stack.role("worker", release["worker"]))
        stack.reporters = [stack.role("reporter", python) for python in (older, THIS_RELEASE)]
        await stack.start()
        workload = Workload(resources, Client(stack.addresses, session, chance))
        async with _load(workload, count):
            for _ in range(2):
                await _report(workload.client)
        summary = await workload.check()
        troubles = stack.internal_errors

    assert not troubles, troubles[:3]
    figures.note(
        f"G19 {newer}s of this release, the others older", f"{len(workload.converted)} conversions, {summary}"
    )


@pytest.mark.timeout(1200)
async def test_a_rolling_upgrade_and_the_way_back_lose_nothing(
    on_servers: Mapping[str, str], older: Path, tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """In the order of docs/upgrading.md: reporters, workers, gateways; back in the opposite order."""
    count = 2000 if figures.long else 100
    steps = [(THIS_RELEASE, UPGRADE_ORDER), (older, UPGRADE_ORDER[::-1])]
    async with (
        stack_on(on_servers, tmp_path, gateways=0, workers=0) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        for _ in range(2 if figures.long else 1):
            stack.add_gateway(older)
            stack.workers.append(stack.role("worker", older))
            stack.reporters.append(stack.role("reporter", older))
        await stack.start()
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        async with _load(workload, count):
            for python, order in steps if figures.long else steps[:1]:
                for part in (part for role in order for part in parts_of(stack, role)):
                    await restart(part, client, resources, python=python)
                    await asyncio.sleep(chance.uniform(0, 1))
                await _report(client)
        summary = await workload.check()
        troubles = stack.internal_errors

    assert not troubles, troubles[:3]
    figures.note("G19 rolling upgrade", f"{len(workload.converted)} conversions, {summary}")
