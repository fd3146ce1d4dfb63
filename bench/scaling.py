"""Many workers at one Redis: efficiency with images of two seconds, and what Redis carries without an engine."""

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

from bench import cpu
from bench.roles import simulated_resources
from bench.servers import running_role, running_servers, settings_of
from bench.simulated import directory_of
from imageconverter.resources import Resources
from imageconverter.runs import RunRequest, create_run

SLOTS = 4
FORMATS = ("content.imageFormat.normalProduct",)
WORKERS = (1, 4, 16)
IMAGE_SECONDS = 2.0
IMAGES_PER_SLOT = 8
CARRYING_WORKERS = (1, 2, 4)
CARRIED_IMAGES = 5000
IDLE_SECONDS = 10


class Used(NamedTuple):
    """What Redis has done, and all others, by some moment."""

    seconds: float
    commands: float
    redis: float
    """CPU seconds of Redis."""
    workers: float
    """CPU seconds of the workers."""

    def since(self, earlier: "Used") -> "Used":
        """Return the difference."""
        return Used(*(after - before for after, before in zip(self, earlier, strict=True)))


class Stack(NamedTuple):
    """Workers at one Redis."""

    resources: Resources
    redis_pid: int
    worker_pids: set[int]

    async def used(self) -> Used:
        """Return what was used so far."""
        commands = float((await self.resources.redis.info("stats"))["total_commands_processed"])
        return Used(time.perf_counter(), commands, cpu.seconds({self.redis_pid}), cpu.seconds(self.worker_pids))

    async def run(self, images: int) -> Used:
        """Convert *images* in a run; returns what was used for it."""
        before = await self.used()
        request = RunRequest(source="directory", directory=directory_of(images), formats=FORMATS)
        run = await create_run(self.resources.store, self.resources.formats.current, request)
        await self.resources.runs.start(run)
        while await self.resources.runs.is_running(run.id):  # noqa: ASYNC110 - the state is in Redis
            await asyncio.sleep(0.05)
        status = await self.resources.runs.status(run.id)
        if status is None or status.sources.success != images:
            raise RuntimeError(f"not all of the {images} images were converted: {status}")
        return (await self.used()).since(before)


def main() -> None:
    """Measure and print."""
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"\n== scaling: workers of {SLOTS} slots at one Redis, one pixel, one format, simulated S3")
    async with running_servers(store=False) as environment:
        await measure_efficiency(environment)
        await measure_redis(environment)


async def measure_efficiency(environment: Mapping[str, str]) -> None:
    """Print the rates of some numbers of workers with images that take two seconds, relative to one worker's."""
    of_one = 0.0
    for count in WORKERS:
        images = count * SLOTS * IMAGES_PER_SLOT
        async with running_workers(environment, count, image_seconds=IMAGE_SECONDS) as stack:
            used = await stack.run(images)
        rate = images / used.seconds / count
        of_one = of_one or rate
        print(
            f"{count} workers, images of {IMAGE_SECONDS:.0f} s: {rate * count:.2f} per second; efficiency relative "
            f"to one worker {rate / of_one:.2f} (target 0.9), to its slots {rate * IMAGE_SECONDS / SLOTS:.2f}"
        )


async def measure_redis(environment: Mapping[str, str]) -> None:
    """Print the rates without an engine, and what Redis does for each conversion and for workers that wait."""
    for count in CARRYING_WORKERS:
        async with running_workers(environment, count, image_seconds=0) as stack:
            before = await stack.used()
            await asyncio.sleep(IDLE_SECONDS)
            idle = (await stack.used()).since(before)
            used = await stack.run(CARRIED_IMAGES)
        each = used.redis / CARRIED_IMAGES
        print(
            f"{count} workers, no engine: {CARRIED_IMAGES / used.seconds:.0f} per second; for each "
            f"{used.commands / CARRIED_IMAGES:.1f} commands, {each * 1e6:.0f} us of CPU of Redis, "
            f"{used.workers / CARRIED_IMAGES * 1e6:.0f} us of the workers; Redis on a core of its own "
            f"{1 / each:.0f} per second; idle, for each worker, {idle.commands / idle.seconds / count:.0f} commands "
            f"per second, {idle.redis / idle.seconds / count:.2%} of a core of Redis, "
            f"{idle.workers / idle.seconds / count:.2%} of its own"
        )


@asynccontextmanager
async def running_workers(
    environment: Mapping[str, str], count: int, *, image_seconds: float
) -> AsyncIterator[Stack]:
    """Run *count* workers whose images take *image_seconds*; yields when all have sent a heartbeat."""
    settings = settings_of(dict(environment))
    arguments = ["bench.roles", "worker", "--slots", str(SLOTS), "--seconds", str(image_seconds)]
    async with AsyncExitStack() as opened:
        pids = [await opened.enter_async_context(running_role(arguments, dict(environment))) for _ in range(count)]
        resources = await opened.enter_async_context(simulated_resources(settings))
        names = {f"{socket.gethostname()}:{pid}" for pid in pids}
        async with asyncio.timeout(120):
            while not names <= set(await resources.queue.live_processes("worker")):  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.1)
        redis_pid = cpu.named(cpu.descendants(os.getpid()), "redis-server")
        yield Stack(resources, redis_pid, set(pids))
