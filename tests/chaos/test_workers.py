"""G2, G8 and G13: workers that are killed, jobs that kill workers, and many jobs without a worker."""

import asyncio
import random
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.errors import ImageError, LimitExceeded, Undecodable
from imageconverter.jobs import QueueName, lease_key
from imageconverter.settings import WorkerSettings
from services.worker.sandbox.pool import SandboxPool
from tests.testing.measurements import Figures, spread
from tests.testing.processes import Part, stack_on
from tests.testing.queue_workers import QueueWorkers
from tests.worker.sandbox import misdeeds

TARGETS = [Target(max_width=10, max_height=10)]


@pytest.fixture
async def queue_workers(on_servers: Mapping[str, str], tmp_path: Path) -> AsyncIterator[QueueWorkers]:
    """An empty queue without workers."""
    async with stack_on(on_servers, tmp_path, gateways=0, workers=0) as (stack, resources):
        yield QueueWorkers(stack, resources)


@pytest.mark.timeout(600)
async def test_job_of_a_killed_worker_restarts_within_seconds(
    queue_workers: QueueWorkers, chance: random.Random, figures: Figures
) -> None:
    """On another worker; each one is killed at another moment of its lease."""
    rounds, victims = (8, 5) if figures.long else (1, 6)
    waited: list[float] = []
    survivor = queue_workers.worker(slots=victims)
    await survivor.start()
    for _ in range(rounds):
        survivor.send(signal.SIGSTOP)
        ids = await queue_workers.enqueue("stay", victims)
        dying = [queue_workers.worker(slots=1) for _ in range(victims)]
        for part in dying:
            await part.start()
        for job_id in ids:
            await queue_workers.beginnings(job_id, count=1)
        survivor.send(signal.SIGCONT)
        killed: list[float] = []
        for part in chance.sample(dying, victims):
            await asyncio.sleep(chance.uniform(0, 1))
            killed.append(time.monotonic())
            await part.kill()
        again = sorted([(await queue_workers.beginnings(job_id, count=2))[1] for job_id in ids])
        waited += [after - before for before, after in zip(killed, again, strict=True)]
        while await queue_workers.resources.queue.depth(QueueName.SCAN):
            await asyncio.sleep(0.02)

    assert max(waited) < 6
    figures.note("G2 kill -9 until the job is begun again", spread(waited))


@pytest.mark.timeout(300)
async def test_poison_job_becomes_a_dead_letter_and_other_jobs_finish(
    queue_workers: QueueWorkers, figures: Figures
) -> None:
    """After six workers, which a supervisor restarts."""
    (poison,) = await queue_workers.enqueue("die")
    others = await queue_workers.enqueue("pass", 50)
    began = time.monotonic()
    workers = [queue_workers.worker(slots=2) for _ in range(2)]
    stopping = asyncio.Event()

    async def keep(part: Part) -> None:
        while not stopping.is_set():
            await part.start()
            await part.process.wait()

    keepers = [asyncio.create_task(keep(part)) for part in workers]
    try:
        async with asyncio.timeout(60):
            while not (dead := await queue_workers.resources.queue.dead.all()):
                await asyncio.sleep(0.05)
        took = time.monotonic() - began
        for job_id in others:
            await queue_workers.beginnings(job_id, count=1)
        async with asyncio.timeout(20):
            while await queue_workers.resources.queue.depth(QueueName.SCAN):
                await asyncio.sleep(0.02)
    finally:
        stopping.set()
        for part in workers:
            await part.end()
        await asyncio.gather(*keepers)

    assert [(each.id, each.attempts) for each in dead] == [(poison, 6)]
    assert len(await queue_workers.beginnings(poison, count=6)) == 6
    figures.note("G8 a job that kills workers", f"dead letter after 6 workers and {took:.1f} s, 50 others done")


async def test_image_that_kills_hangs_or_fills_a_decoder_is_an_error(figures: Figures) -> None:
    """The worker continues, as do other images."""
    program = (sys.executable, misdeeds.__file__, "0", "listener")
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
    times = ", ".join(f"{misdeed} {seconds:.1f} s" for misdeed, seconds in took.items())
    figures.note("G8 an image that ends decoders", f"reported as broken after: {times} (limit of time 3 s)")


async def test_abandoned_jobs_do_not_delay_a_new_job(queue_workers: QueueWorkers, figures: Figures) -> None:
    """Five hundred jobs at the head of the queue have a lease."""
    orphans = await queue_workers.enqueue("pass", 500)
    for job_id in orphans:
        await queue_workers.resources.redis.set(lease_key(job_id), "a worker that is gone", px=600_000)
    await queue_workers.worker(slots=10).start()
    (first,) = await queue_workers.enqueue("pass")
    await queue_workers.beginnings(first, count=1)  # the worker is running
    waited = []
    for _ in range(20):
        began = time.monotonic()
        (fresh,) = await queue_workers.enqueue("pass")
        waited.append((await queue_workers.beginnings(fresh, count=1))[0] - began)

    assert max(waited) < 1
    assert await queue_workers.resources.redis.zcard(keys.queue(QueueName.SCAN)) >= 500
    figures.note("G13 a fresh job behind 500 orphans", spread(waited))
