"""Wrong clocks: of Redis, of the roles and of the store, set forward and back by an hour and by 40 days."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from imageconverter import keys
from imageconverter.errors import ConversionFailed
from imageconverter.jobs import JobQueue, open_redis
from imageconverter.previews.reindex import reindex
from imageconverter.reports.trash import TrashBatch, begin_batch
from imageconverter.resources import Resources
from imageconverter.settings import RedisSettings
from services.reporter.periodic_tasks import periodic_tasks
from tests.testing.fake_clocks import DAYS, HOUR, STEPS, FakeClock, needs_fake_clocks
from tests.testing.measurements import Figures
from tests.testing.processes import Stack, own_servers, stack_on
from tests.testing.store_clock import StoreClockProxy, store_clock_proxy
from tests.testing.workload import Client, Workload

ROLES = ("gateway", "worker", "reporter")
ACCEPTED = range(-840, 841, 60)
"""Seconds by which a clock may differ from that of the store, which refuses a quarter of an hour."""


class Load:
    """Conversions and runs that go on until they are stopped."""

    def __init__(self, workload: Workload, chance: random.Random) -> None:
        self.workload = workload
        self.longest = 0.0
        """Seconds until the slowest conversion was answered with 200."""
        self._chance = chance
        self._done = asyncio.Event()

    async def convert(self) -> None:
        """Convert images, one after the other."""
        while not self._done.is_set():
            began = time.monotonic()
            await self.workload.convert()
            self.longest = max(self.longest, time.monotonic() - began)
            await asyncio.sleep(self._chance.uniform(0, 0.3))

    async def run(self) -> None:
        """Convert directories, one after the other."""
        while not self._done.is_set():
            count = self._chance.randint(50, 150)
            await self.workload.start_run(await self.workload.put_sources(count, broken=2), count, 2)
            await self.workload.finished()
            await self.workload.check_last_run()

    @asynccontextmanager
    async def going_on(self) -> AsyncIterator[None]:
        """Run both, and wait for the last of them at the end."""
        clients = [asyncio.create_task(each) for each in (self.run(), *(self.convert() for _ in range(3)))]
        try:
            yield
        finally:
            self._done.set()
        await asyncio.gather(*clients)


async def step(clocks: Sequence[FakeClock | StoreClockProxy], chance: random.Random, *, pause: float) -> None:
    """Set *clocks* wrong and right again, by each of the steps, in any order, for about *pause* seconds each."""
    for seconds in chance.sample(STEPS, len(STEPS)):
        for offset in (seconds, 0):
            for clock in clocks:
                clock.set(offset)
            await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)


async def differ(clocks: Sequence[FakeClock], chance: random.Random, *, pause: float) -> None:
    """Set each of *clocks* wrong by another time, four times, by less than the store refuses."""
    for _ in range(4):
        for clock, offset in zip(clocks, chance.sample(ACCEPTED, len(clocks)), strict=True):
            clock.set(offset)
        await asyncio.sleep(chance.uniform(0.5, 1.5) * pause)


async def survive(
    clocks: Sequence[FakeClock | StoreClockProxy],
    stack: Stack,
    resources: Resources,
    chance: random.Random,
    figures: Figures,
    *,
    change: Callable[..., Awaitable[None]] = step,
) -> str:
    """Set *clocks* wrong under load, by `step` also right again; returns a summary of the result."""
    rounds, pause = (5, 3.0) if figures.long else (1, 1.0)
    async with aiohttp.ClientSession() as session:
        client = Client(stack.addresses, session, chance)
        load = Load(Workload(resources, client), chance)
        await client.wait_until_ready()
        async with load.going_on():
            for _ in range(rounds):
                await change(clocks, chance, pause=pause)
        summary = await load.workload.check()
    assert not stack.internal_errors, stack.internal_errors[:3]
    return f"{rounds} rounds of steps, longest conversion {load.longest:.1f} s: {summary}"


@needs_fake_clocks
@pytest.mark.timeout(1200)
async def test_steps_of_the_clock_of_redis_lose_nothing(
    tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Neither what waits nor what runs, although all times to live end, or last for 40 days more."""
    clock = FakeClock(tmp_path / "clocks", "redis")
    async with (
        own_servers(tmp_path / "servers", **clock.environment) as (servers, _),
        stack_on(servers, tmp_path / "roles", gateways=1, workers=2, reporters=1) as (stack, resources),
    ):
        figures.note("clock of Redis", await survive([clock], stack, resources, chance, figures))


@needs_fake_clocks
@pytest.mark.parametrize("seconds", [-HOUR, -DAYS])
async def test_clients_wait_no_longer_although_the_clock_of_redis_is_set_back(tmp_path: Path, seconds: int) -> None:
    """Redis itself would let them wait until its clock has caught up."""
    clock = FakeClock(tmp_path / "clocks", "redis")
    async with own_servers(tmp_path / "servers", **clock.environment) as (servers, _):
        settings = RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"])
        async with open_redis(settings, retry_timeout=10) as redis:
            queue = JobQueue(redis, timeout_seconds=settings.timeout_seconds, retry_timeout=10)
            await queue.heartbeat("test", "test")  # Redis has started
            unanswered = asyncio.create_task(queue.wait("unanswered", seconds=2))
            answered = asyncio.create_task(queue.wait("answered", seconds=20))
            await asyncio.sleep(0.3)
            clock.set(seconds)
            async with asyncio.timeout(15):
                with pytest.raises(ConversionFailed):
                    await unanswered
                await queue.reply("answered", {"done": True})
                assert await answered == {"done": True}


@needs_fake_clocks
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("wrong", [*((role,) for role in ROLES), ROLES], ids="-".join)
async def test_steps_of_the_clocks_of_roles_lose_nothing(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures, wrong: tuple[str, ...]
) -> None:
    """Of one role and of all at once. The store refuses requests of a wrong clock: they wait until it is right."""
    clocks = {role: FakeClock(tmp_path / "clocks", role) for role in wrong}
    of_roles = {role: clock.environment for role, clock in clocks.items()}
    async with stack_on(on_servers, tmp_path / "roles", gateways=1, workers=2, reporters=1, of_roles=of_roles) as (
        stack,
        resources,
    ):
        summary = await survive(list(clocks.values()), stack, resources, chance, figures)
    figures.note(f"clock of {' '.join(wrong)}", summary)


@needs_fake_clocks
@pytest.mark.timeout(1200)
async def test_hosts_whose_clocks_differ_lose_nothing(
    tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """As on hosts of their own: each process and Redis have another time, all of them at once."""
    redis, *clocks = (FakeClock(tmp_path / "clocks", str(number)) for number in range(6))
    async with (
        own_servers(tmp_path / "servers", **redis.environment) as (servers, _),
        stack_on(servers, tmp_path / "roles", gateways=0, workers=0) as (stack, resources),
    ):
        gateway, *of_workers, reporter = (clock.environment for clock in clocks)
        stack.add_gateway(**gateway)
        stack.workers += [stack.role("worker", **environment) for environment in of_workers]
        stack.reporters.append(stack.role("reporter", **reporter))
        await stack.start()
        summary = await survive([redis, *clocks], stack, resources, chance, figures, change=differ)
    figures.note("clocks that differ", summary)


@pytest.mark.timeout(1200)
async def test_steps_of_the_clock_of_the_store_lose_nothing(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures
) -> None:
    """Uploads last for a minute only, so that they would expire at each step."""
    async with (
        behind_store_clock(on_servers) as (clock, servers),
        stack_on(servers, tmp_path, gateways=1, workers=2, reporters=1, IMAGECONVERTER_UPLOAD_HOURS="0.02") as (
            stack,
            resources,
        ),
    ):
        figures.note("clock of the store", await survive([clock], stack, resources, chance, figures))


@pytest.mark.parametrize("seconds", [HOUR, DAYS])
async def test_sweeps_delete_nothing_early_when_the_clock_of_the_store_steps(
    on_servers: Mapping[str, str], tmp_path: Path, seconds: int
) -> None:
    """Neither uploads nor the trash, results, catalogs, reports and previews: forward, right again and back."""
    async with (
        behind_store_clock(on_servers) as (clock, servers),
        stack_on(servers, tmp_path, gateways=0, workers=0) as (stack, resources),
    ):
        store = resources.store
        young = [
            keys.source("upload/0123456789ab/a.jpg"),
            keys.trash_files("batch") + "products/a.jpg",
            keys.result_part("unknown", 0),
            keys.catalog_part("product", "version", "entries-0.parquet"),
            keys.report_rows("product", "folder", "unused-0.ndjson"),
            keys.preview_source("key", "generation"),
        ]
        for key in young:
            await store.put(key, b"x", content_type="application/octet-stream")
        batch = TrashBatch(id="batch", kind="product", at=await store.now(), report=1, files=1, bytes=1)
        await begin_batch(store, batch)
        tasks = periodic_tasks(stack.settings, resources)
        for offset in (seconds, 0, -seconds, 0):
            clock.set(offset)
            await asyncio.sleep(1)
            for task in tasks:
                await task.work()
            await reindex(resources.previews, store)

        assert [key for key in young if await store.head(key) is None] == []


@asynccontextmanager
async def behind_store_clock(servers: Mapping[str, str]) -> AsyncIterator[tuple[StoreClockProxy, dict[str, str]]]:
    """Let the store have a clock that can be set; the second value is the environment of the servers' clients."""
    port = urlsplit(servers["IMAGECONVERTER_S3_ENDPOINT"]).port
    async with store_clock_proxy(port or 0) as clock:
        yield clock, {**servers, "IMAGECONVERTER_S3_ENDPOINT": f"http://127.0.0.1:{clock.port}"}
