"""A second, unchanged run compared with the first, with a real store and engine; long: one over many sources."""

import asyncio
import os
import time
from functools import partial
from typing import NamedTuple

from bench import cpu
from bench.photographs import photograph
from bench.servers import running_role, running_servers, settings_of
from imageconverter import keys
from imageconverter.images.conversions import ConversionJob, made_output, output_specs
from imageconverter.images.output_index import MadeOutput, OutputIndex
from imageconverter.resources import Resources, open_resources, wait_for_bucket
from imageconverter.runs import RunRequest, RunStatus, create_run
from imageconverter.settings import MEGABYTE
from imageconverter.storage.bounded import bounded

FORMATS = ("normalCategory", "normalProduct", "thumbnailProduct", "app")
IMAGES = 200
RERUNS = 3
_DIRECTORY = "bench"
_SIZE = (1633, 1225)  # 2 MP
_TARGET = 40
MANY = 20_000
_CHUNK = 1000  # as many results as are moved to the store at once
_SETTLE_SECONDS = 1.0  # the last results of a run are moved to the store after its end


class Measured(NamedTuple):
    """The cost of one run."""

    seconds: float
    cpu: dict[str, float]
    """CPU seconds by process."""
    status: RunStatus


def main() -> None:
    """Measure and print."""
    asyncio.run(_measure())


def long() -> None:
    """Measure and print an unchanged run over many sources."""
    asyncio.run(_measure_many())


async def _measure() -> None:
    print(f"\n== rerun: {IMAGES} images of 2 MP to {len(FORMATS)} formats, then {RERUNS} unchanged runs")
    async with running_servers(store=True) as environment:
        settings = settings_of(environment)
        async with open_resources(settings, retry_timeout=20) as resources:
            await wait_for_bucket(resources.store)
            await _put_sources(resources)
            async with running_role(["services.cli.main", "worker"], environment) as worker:
                while not await resources.queue.live_processes("worker"):  # noqa: ASYNC110 - another process changes it
                    await asyncio.sleep(0.1)
                first = await _run(resources, worker)
                reruns = [await _run(resources, worker) for _ in range(RERUNS)]
    if first.status.outputs.success != IMAGES * len(FORMATS):
        raise RuntimeError(f"the first run did not convert everything: {first.status}")
    if any(each.status.outputs.skipped != IMAGES * len(FORMATS) for each in reruns):
        raise RuntimeError("an unchanged run converted images")
    report(first, reruns)


async def _measure_many() -> None:
    print(f"\n== rerun: an unchanged run over {MANY} sources with {len(FORMATS)} outputs each")
    async with running_servers(store=True) as environment:
        settings = settings_of(environment)
        async with open_resources(settings, retry_timeout=20) as resources:
            await wait_for_bucket(resources.store)
            for begin in range(0, MANY, _CHUNK):
                await _put_converted(resources, range(begin, min(begin + _CHUNK, MANY)))
            async with running_role(["services.cli.main", "worker"], environment) as worker:
                while not await resources.queue.live_processes("worker"):  # noqa: ASYNC110 - another process changes it
                    await asyncio.sleep(0.1)
                rest = cpu.peak_resident(worker)
                again = await _run(resources, worker)
                peak = cpu.peak_resident(worker)
    if again.status.outputs.skipped != MANY * len(FORMATS):
        raise RuntimeError("an unchanged run converted images")
    used = ", ".join(f"{name} {1000 * seconds / MANY:.2f}" for name, seconds in again.cpu.items())
    print(f"{1e5 * again.seconds / MANY:.1f} s for 100,000 (target 60 s); CPU per source in ms: {used}")
    print(f"the worker has grown by {(peak - rest) / MEGABYTE:.0f} MiB at most")


async def _put_converted(resources: Resources, numbers: range) -> None:
    """Store sources and outputs of a few bytes, as if a run had converted them."""
    formats = resources.formats.current.select([f"content.imageFormat.{name}" for name in FORMATS])

    async def put(number: int) -> list[MadeOutput]:
        source_key, data = f"source/{_DIRECTORY}/{number:07}.jpg", f"source {number}".encode()
        source_etag = await resources.store.put(source_key, data, content_type="image/jpeg")
        job = ConversionJob(id="", source_key=source_key, outputs=output_specs(source_key, formats), run_id="earlier")
        made = []
        for spec in job.outputs:
            metadata, path = job.object_metadata(source_etag, spec, (1, 1), ""), spec.expected_path
            etag = await resources.store.put(keys.target(path), data, content_type="image/jpeg", metadata=metadata)
            made.append(made_output(path, etag, metadata))
        return made

    made = await bounded(partial(put, number) for number in numbers)
    await OutputIndex(resources.store).add(each for outputs in made for each in outputs)


def report(first: Measured, reruns: list[Measured]) -> None:
    """Print the cost per image."""
    seconds = sum(each.seconds for each in reruns) / RERUNS
    used = {name: sum(each.cpu[name] for each in reruns) / RERUNS for name in first.cpu}
    for label, one, other in [
        *((f"CPU of the {name}", first.cpu[name], used[name]) for name in first.cpu),
        ("wall", first.seconds, seconds),
    ]:
        target = f" (target {_TARGET})" if label in {"CPU of the worker", "wall"} else ""
        print(
            f"{label}: {one / IMAGES * 1000:.1f} ms per image, unchanged {other / IMAGES * 1000:.2f} ms: "
            f"{one / other:.0f} times less{target}"
        )


async def _put_sources(resources: Resources) -> None:
    photographs = [photograph(*_SIZE, seed) for seed in range(4)]
    for number in range(IMAGES):
        key = f"source/{_DIRECTORY}/{number:04}.jpg"
        await resources.store.put(key, photographs[number % len(photographs)], content_type="image/jpeg")


async def _run(resources: Resources, worker: int) -> Measured:
    formats = tuple(f"content.imageFormat.{name}" for name in FORMATS)
    request = RunRequest(action="bench", source="directory", directory=_DIRECTORY, formats=formats)
    run = await create_run(resources.store, resources.formats.current, request)
    before = _cpu_seconds(worker)
    began = time.perf_counter()
    await resources.runs.start(run)
    while await resources.runs.is_running(run.id):  # noqa: ASYNC110 - another process changes it
        await asyncio.sleep(0.01)
    seconds = time.perf_counter() - began
    status = await resources.runs.status(run.id)
    if status is None:
        raise RuntimeError("the run does not exist")
    after = _cpu_seconds(worker)
    await asyncio.sleep(_SETTLE_SECONDS)
    return Measured(seconds, {name: after[name] - before[name] for name in after}, status)


def _cpu_seconds(worker: int) -> dict[str, float]:
    """Return the CPU time so far, by process; that of the worker with its sandbox processes."""
    below = cpu.descendants(os.getpid())
    return {
        "worker": cpu.precise_seconds(cpu.descendants(worker)),
        "redis": cpu.precise_seconds({cpu.named(below, "redis-server")}),
        "s3": cpu.precise_seconds({cpu.named(below, "weed")}),
    }
