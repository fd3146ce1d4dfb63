"""Jobs per second: jobs of a run without an engine compared with empty jobs of bare arq, in the same process."""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from arq import Worker
from arq.connections import ArqRedis
from arq.worker import func
from redis.asyncio import Redis

from bench.roles import batch_worker, simulated_resources
from bench.servers import running_servers, settings_of
from bench.simulated import directory_of
from imageconverter.jobs import open_redis
from imageconverter.jobs.connection import encode
from imageconverter.resources import Resources
from imageconverter.runs import RunRequest, create_run

if TYPE_CHECKING:
    from arq.typing import WorkerCoroutine

# Fewer jobs with one slot, because bare arq then executes one job per poll.
PAUSED_JOBS = {1: 60, 4: 1000}
ROUNDS = 3
JOBS = 1000
FORMATS = ("content.imageFormat.normalProduct",)
_POLL_SECONDS = 0.05  # the poll delay of QueueWorker
_QUEUE = "bench:bare"


class Measured(NamedTuple):
    """The cost of the jobs of one worker."""

    rate: float
    """Jobs per second."""
    cpu: float
    """CPU seconds of this process per job."""


class Round(NamedTuple):
    """One of several rounds."""

    paused: Measured
    """Bare arq with the poll delay of QueueWorker."""
    eager: Measured
    """Bare arq without a poll delay."""
    own: Measured
    """The jobs of a run."""


def main() -> None:
    """Measure and print."""
    asyncio.run(_measure())


async def _measure() -> None:
    print(f"\n== slots: jobs of a run without an engine, empty jobs of bare arq, {ROUNDS} rounds of {JOBS}")
    async with running_servers(store=False) as environment:
        settings = settings_of(environment)
        async with simulated_resources(settings) as resources, open_redis(settings.redis, retry_timeout=10) as redis:
            for slots, paused_jobs in PAUSED_JOBS.items():
                report(
                    slots,
                    [
                        Round(
                            await bare(redis, paused_jobs, slots=slots, pause=_POLL_SECONDS),
                            await bare(redis, JOBS, slots=slots, pause=0),
                            await own(resources, slots=slots),
                        )
                        for _ in range(ROUNDS)
                    ],
                )


def report(slots: int, rounds: Sequence[Round]) -> None:
    """Print the medians of *rounds*."""
    paused, eager, own_rate = (statistics.median(each.rate for each in kind) for kind in zip(*rounds, strict=True))
    _, eager_cpu, own_cpu = (statistics.median(each.cpu for each in kind) for kind in zip(*rounds, strict=True))
    paused_ratio = statistics.median(each.own.rate / each.paused.rate for each in rounds)
    eager_ratio = statistics.median(each.own.rate / each.eager.rate for each in rounds)
    cpu_ratio = statistics.median(each.eager.cpu / each.own.cpu for each in rounds)
    print(
        f"{slots} {'slot' if slots == 1 else 'slots'}: jobs of a run {own_rate:.0f} per second; "
        f"bare arq with the same poll delay {paused:.0f}: ratio {paused_ratio:.2f}; "
        f"bare arq without a poll delay {eager:.0f}: ratio {eager_ratio:.2f} (target 0.9); "
        f"CPU per job {1000 * own_cpu:.2f} ms, bare arq {1000 * eager_cpu:.2f}: ratio {cpu_ratio:.2f}"
    )


async def own(resources: Resources, *, slots: int) -> Measured:
    """Return the cost of the jobs of a run, including planning and counting."""
    request = RunRequest(source="directory", directory=directory_of(JOBS), formats=FORMATS)
    run = await create_run(resources.store, resources.formats.current, request)
    worker = batch_worker(resources, slots=slots)
    await resources.runs.start(run)
    began = _now()
    running = asyncio.create_task(worker.async_run())
    while await resources.runs.is_running(run.id):  # noqa: ASYNC110 - the state is in Redis
        await asyncio.sleep(0.02)
    measured = _since(began, JOBS)
    await worker.drain(5)
    await running
    return measured


async def bare(redis: Redis, jobs: int, *, slots: int, pause: float) -> Measured:
    """Return the cost of jobs of unmodified arq with empty jobs and a poll delay of *pause* seconds."""
    client = ArqRedis(redis.connection_pool, job_serializer=encode, job_deserializer=json.loads)
    for number in range(jobs):
        await client.enqueue_job("nothing", number, _queue_name=_QUEUE)

    async def nothing(_context: dict[str, Any], _number: int) -> None:
        """Do nothing."""

    worker = Worker(
        [func(cast("WorkerCoroutine", nothing), name="nothing")],
        queue_name=_QUEUE,
        redis_pool=client,
        handle_signals=False,
        max_jobs=slots,
        poll_delay=pause,
        burst=True,
        job_serializer=encode,
        job_deserializer=json.loads,
    )
    began = _now()
    await worker.async_run()
    return _since(began, jobs)


def _now() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def _since(began: tuple[float, float], jobs: int) -> Measured:
    seconds, cpu = (now - before for now, before in zip(_now(), began, strict=True))
    return Measured(jobs / seconds, cpu / jobs)
