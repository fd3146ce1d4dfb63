"""G2, G8 and G13: workers that are killed, jobs that kill workers, and crowds of jobs that nobody works on."""

import asyncio
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.errors import ImageError, LimitExceeded, Undecodable
from imageconverter.jobs import QueueName, lease_key
from imageconverter.resources import Resources
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.testing.figures import Figures, spread
from tests.testing.parts import Part, Stack, stack_on
from tests.testing.queue_program import BEGINNINGS
from tests.worker.sandbox import misdeeds

TARGETS = [Target(max_width=10, max_height=10)]


class Lanes(NamedTuple):
    """Workers whose jobs do what they are told."""

    stack: Stack
    resources: Resources

    def worker(self, *, slots: int) -> Part:
        """Return a worker; it is not started yet."""
        part = self.stack.program([sys.executable, "-m", "tests.testing.queue_program", str(slots)], "lane")
        self.stack.workers.append(part)
        return part

    async def enqueue(self, task: str, count: int = 1) -> list[str]:
        """Queue *count* jobs; returns their ids."""
        ids = [f"{task}-{uuid4().hex}" for _ in range(count)]
        for job_id in ids:
            await self.resources.queue.enqueue(QueueName.SCAN, task, job_id, {})
        return ids

    async def beginnings(self, job_id: str, *, count: int, seconds: float = 60) -> list[float]:
        """Wait until a job was begun *count* times; returns when."""
        redis: Any = self.resources.redis
        async with asyncio.timeout(seconds):
            while True:
                lines = [line.decode().split() for line in await redis.lrange(BEGINNINGS, 0, -1)]
                found = [float(at) for job, at, _ in lines if job == job_id]
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)


@pytest.fixture
async def lanes(on_servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[Lanes]:
    """An empty queue, and no worker yet."""
    async with stack_on(on_servers, tmp_path, gateways=0, workers=0) as (stack, resources):
        yield Lanes(stack, resources)


@pytest.mark.timeout(600)
async def test_the_job_of_a_killed_worker_is_begun_again_within_seconds(
    lanes: Lanes, chance: random.Random, figures: Figures
) -> None:
    """By another; each worker is killed at another moment of its lease."""
    rounds, victims = (8, 5) if figures.long else (1, 6)
    waited: list[float] = []
    survivor = lanes.worker(slots=victims)
    await survivor.start()
    for _ in range(rounds):
        survivor.send(signal.SIGSTOP)
        ids = await lanes.enqueue("stay", victims)
        dying = [lanes.worker(slots=1) for _ in range(victims)]
        for part in dying:
            await part.start()
        for job_id in ids:
            await lanes.beginnings(job_id, count=1)
        survivor.send(signal.SIGCONT)
        killed: list[float] = []
        for part in chance.sample(dying, victims):
            await asyncio.sleep(chance.uniform(0, 1))
            killed.append(time.monotonic())
            await part.kill()
        again = sorted([(await lanes.beginnings(job_id, count=2))[1] for job_id in ids])
        waited += [after - before for before, after in zip(killed, again, strict=True)]
        while await lanes.resources.queue.depth(QueueName.SCAN):
            await asyncio.sleep(0.02)

    assert max(waited) < 6
    figures.note("G2 kill -9 until the job is begun again", spread(waited))


@pytest.mark.timeout(300)
async def test_a_job_that_kills_workers_is_given_up_and_its_neighbours_are_done(
    lanes: Lanes, figures: Figures
) -> None:
    """After six of them, with a supervisor that starts them again."""
    (poison,) = await lanes.enqueue("die")
    neighbours = await lanes.enqueue("pass", 50)
    began = time.monotonic()
    workers = [lanes.worker(slots=2) for _ in range(2)]
    stopping = asyncio.Event()

    async def keep(part: Part) -> None:
        while not stopping.is_set():
            await part.start()
            await part.process.wait()

    keepers = [asyncio.create_task(keep(part)) for part in workers]
    try:
        async with asyncio.timeout(60):
            while not (dead := await lanes.resources.queue.dead.all()):
                await asyncio.sleep(0.05)
        took = time.monotonic() - began
        for job_id in neighbours:
            await lanes.beginnings(job_id, count=1)
        async with asyncio.timeout(20):
            while await lanes.resources.queue.depth(QueueName.SCAN):
                await asyncio.sleep(0.02)
    finally:
        stopping.set()
        for part in workers:
            await part.end()
        await asyncio.gather(*keepers)

    assert [(each.id, each.attempts) for each in dead] == [(poison, 6)]
    assert len(await lanes.beginnings(poison, count=6)) == 6
    figures.note("G8 a job that kills workers", f"given up after 6 workers and {took:.1f} s, 50 neighbours done")


async def test_images_that_kill_hang_or_fill_decoders_are_blamed(figures: Figures) -> None:
    """The worker goes on, and so do the images beside them."""
    program = (sys.executable, misdeeds.__file__, "0")
    settings = WorkerSettings(children=2, timeout_seconds=3)
    took: dict[str, float] = {}

    async def ask(pool: SandboxPool, misdeed: str) -> ImageError:
        with pytest.raises(ImageError) as caught:
            await pool.convert(misdeed.encode(), TARGETS, interactive=True)
        return caught.value

    async with SandboxPool(settings, max_pixels=10**8, program=program) as pool:
        for misdeed, kind in (("crash", Undecodable), ("hang", LimitExceeded), ("allocate", ImageError)):
            began = time.monotonic()
            poison = asyncio.create_task(ask(pool, misdeed))
            beside = [await ask(pool, "sleep") for _ in range(10)]
            assert isinstance(await poison, kind)
            took[misdeed] = time.monotonic() - began
            assert {each.reason for each in beside} == {"done"}

    assert max(took.values()) < 30
    told = ", ".join(f"{misdeed} {seconds:.1f} s" for misdeed, seconds in took.items())
    figures.note("G8 an image that ends decoders", f"told as broken after: {told} (limit of time 3 s)")


async def test_a_crowd_of_orphans_does_not_hold_up_a_fresh_job(lanes: Lanes, figures: Figures) -> None:
    """Five hundred jobs at the head of the queue seem to be in work."""
    orphans = await lanes.enqueue("pass", 500)
    for job_id in orphans:
        await lanes.resources.redis.set(lease_key(job_id), "a worker that is gone", px=600_000)
    await lanes.worker(slots=10).start()
    (first,) = await lanes.enqueue("pass")
    await lanes.beginnings(first, count=1)  # the worker runs
    waited = []
    for _ in range(20):
        began = time.monotonic()
        (fresh,) = await lanes.enqueue("pass")
        waited.append((await lanes.beginnings(fresh, count=1))[0] - began)

    assert max(waited) < 1
    assert await lanes.resources.redis.zcard(keys.queue(QueueName.SCAN)) >= 500
    figures.note("G13 a fresh job behind 500 orphans", spread(waited))
