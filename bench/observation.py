"""What metrics and traces cost a worker: its CPU time per job of a run with and without them, in one process.

Redis and the object store are real; the engine is replaced, and its CPU time measured apart, for the share of it all.
"""

import asyncio
import io
import statistics
import time
from contextlib import AsyncExitStack, ExitStack
from typing import Any, Final
from unittest import mock

from bench.engine import DEFAULT_SIDES, QUALITY
from bench.photographs import photograph
from bench.roles import batch_worker
from bench.servers import running_servers, settings_of
from bench.simulated import ONE_PIXEL
from imageconverter import resources as core_resources
from imageconverter.engine import Target
from imageconverter.engine.pipeline import convert
from imageconverter.monitoring.metrics import Metrics
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.runs import RunRequest, create_run
from imageconverter.settings import Settings
from services.runtime.tracing import observed

ROUNDS: Final = 10
JOBS: Final = 200
FORMATS: Final = ("content.imageFormat.normalProduct", "content.imageFormat.thumbnailProduct")
_SLOTS: Final = 4
_SHARE: Final = 0.01
_NO_COLLECTOR: Final = "http://127.0.0.1:9"  # traces are made and sampled, and then not sent
_TARGETS: Final = {"metrics": 0.01, "metrics and traces": 0.03}


class _NoMetrics(Metrics):
    """Metrics that record nothing."""

    def __init__(self) -> None:
        super().__init__()
        for name in ("conversions", "outputs", "source_bytes", "output_bytes", "previews"):
            setattr(self, name, mock.Mock(labels=lambda *_: _NOTHING))

    def store_call(self, *_: object) -> None:
        """Do nothing."""

    def redis_command(self, *_: object) -> None:
        """Do nothing."""


class _Nothing:
    def observe(self, _: float) -> None:
        """Do nothing."""

    inc = observe


_NOTHING: Final = _Nothing()


def main() -> None:
    """Measure and print."""
    print(f"\n== observation: CPU of a worker without an engine, {ROUNDS} interleaved rounds of {JOBS} jobs")
    report(asyncio.run(_measure()), _engine_seconds())


def report(rounds: dict[str, list[float]], engine: float) -> None:
    """Print what each variant adds to the CPU *seconds* of a job, and its share if an *engine* works too."""
    plain = rounds["neither"]
    whole = statistics.median(plain) + engine
    print(
        f"neither: {statistics.median(plain) * 1e3:.2f} ms a job; the engine {engine * 1e3:.1f} ms for a 2 MP image"
    )
    for name, target in _TARGETS.items():
        added = [one - other for one, other in zip(rounds[name], plain, strict=True)]
        spread = statistics.quantiles(added, n=4)
        print(
            f"{name}: {statistics.median(added) * 1e6:+.0f} us a job (quartiles {spread[0] * 1e6:+.0f}, "
            f"{spread[2] * 1e6:+.0f}): {statistics.median(added) / whole:.2%} of a conversion (target {target:.0%})"
        )


async def _measure() -> dict[str, list[float]]:
    rounds: dict[str, list[float]] = {"neither": [], **{name: [] for name in _TARGETS}}
    async with running_servers(store=True) as environment, AsyncExitStack() as stack:
        settings = settings_of(environment)
        with mock.patch.object(core_resources, "Metrics", _NoMetrics):
            without = await stack.enter_async_context(open_resources(settings, retry_timeout=20))
        watched = await stack.enter_async_context(open_resources(settings, retry_timeout=20))
        await wait_for_bucket(watched.store)
        for number in range(ROUNDS + 1):
            for name, seconds in rounds.items():
                resources = without if name == "neither" else watched
                work = _round(settings, resources, f"{number} {name}", traced="traces" in name)
                taken = await asyncio.create_task(work)  # what traces it does not reach other rounds
                if number:  # the first one warms up
                    seconds.append(taken)
    return rounds


async def _round(settings: Settings, resources: Resources, directory: str, *, traced: bool) -> float:
    """Return the CPU seconds of a job."""
    for number in range(JOBS):
        await resources.store.put(f"source/{directory}/{number:04}.gif", ONE_PIXEL, content_type="image/gif")
    with ExitStack() as stack:
        if traced:
            parts = {"trace_endpoint": _NO_COLLECTOR, "trace_share": _SHARE}
            stack.enter_context(observed(settings.process.model_copy(update=parts), "worker"))
        return await asyncio.create_task(
            _run(resources, directory)
        )  # which the tracing of other rounds does not reach


async def _run(resources: Resources, directory: str) -> float:
    request = RunRequest(action="bench", source="directory", directory=directory, formats=FORMATS)
    run = await create_run(resources.store, resources.formats.current, request)
    worker = batch_worker(resources, slots=_SLOTS)
    await resources.runs.start(run)
    began = time.process_time()
    running: asyncio.Task[Any] = asyncio.create_task(worker.async_run())
    while await resources.runs.is_running(run.id):  # noqa: ASYNC110 - the state is in Redis
        await asyncio.sleep(0.1)
    seconds = time.process_time() - began
    await worker.drain(5)
    await running
    return seconds / JOBS


def _engine_seconds() -> float:
    source = photograph(1633, 1225, 0)
    targets = [Target(max_width=side, max_height=side, output="jpeg", quality=QUALITY) for side in DEFAULT_SIDES]
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        list(convert(io.BytesIO(source), targets))
        taken.append(time.process_time() - began)
    return statistics.median(taken)
