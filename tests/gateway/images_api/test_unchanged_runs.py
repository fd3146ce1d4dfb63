"""Runs over sources that have not changed: the same results as with jobs, without jobs."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images.conversions import ConversionJob
from imageconverter.images.output_index import OutputIndex
from imageconverter.resources import Resources
from services.worker.conversion_executor import ConversionExecutor
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, Client, finished, put_sources, results, start

pytestmark = pytest.mark.usefixtures("no_run", "worker")

SOURCES = 24
DIRECTORY = "products/thumbnail"  # of the image format
Jobs = list[str]


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Jobs:
    """The sources that had a job, since the list was cleared."""
    found: Jobs = []
    run = ConversionExecutor.run

    async def listed(executor: ConversionExecutor, job: ConversionJob, **options: Any) -> Any:
        found.append(job.source_key.rpartition("/")[2])
        return await run(executor, job, **options)

    monkeypatch.setattr(ConversionExecutor, "run", listed)
    return found


async def converted(gateway: Client, resources: Resources) -> tuple[str, list[str]]:
    """Convert new sources; returns their directory and their names when the output index has them."""
    batch = uuid4().hex
    names = [f"{batch}-{number:02}.png" for number in range(SOURCES)]
    directory = await put_sources(
        resources, {name: image_files.png(size=(40, 30 + n)) for n, name in enumerate(names)}
    )
    await run(gateway, directory)
    await indexed(resources, names)
    return directory, names


async def run(gateway: Client, directory: str) -> tuple[Any, list[dict[str, Any]]]:
    """Run; returns the status and the results, without what differs between any two runs."""
    await start(gateway, directory, THUMBNAIL)
    status = await finished(gateway)
    rows = sorted(await results(gateway), key=lambda row: str(row["sourceFilename"]))
    return {name: status[name] for name in status if name not in {"timer", "runId"}}, rows


async def indexed(resources: Resources, names: list[str]) -> None:
    """Wait until the results of a run were moved to the output index, which is soon after its end."""
    async with asyncio.timeout(20):
        while len(await OutputIndex(resources.store).find(DIRECTORY, names)) < len(names):
            await asyncio.sleep(0.05)


async def forget_index(resources: Resources) -> None:
    """Delete the output index, as if a release without one had converted."""
    pages = resources.store.list(keys.output_index(DIRECTORY))
    await resources.store.delete([each.key async for page in pages for each in page])


async def test_unchanged_sources_are_skipped_without_jobs_with_the_same_results(
    gateway: Client, resources: Resources, jobs: Jobs
) -> None:
    """Counters, messages, paths and sizes; the jobs of a run without the index build it."""
    directory, names = await converted(gateway, resources)
    await forget_index(resources)
    jobs.clear()
    with_jobs = await run(gateway, directory)
    assert sorted(jobs) == names
    await indexed(resources, names)
    jobs.clear()

    without_jobs = await run(gateway, directory)

    assert jobs == []
    assert without_jobs == with_jobs
    assert without_jobs[0]["counter"] == {"error": 0, "skipped": SOURCES, "success": 0, "warning": 0}
    assert {row["message"] for row in without_jobs[1]} == {"The output is up to date."}


async def test_only_sources_that_are_not_known_to_be_unchanged_have_jobs(
    gateway: Client, resources: Resources, jobs: Jobs
) -> None:
    """A replaced one, a new one, and one without its output; the next run has none."""
    directory, names = await converted(gateway, resources)
    new = f"{names[3]}.more.png"
    for name in (names[5], new):
        await resources.store.put(f"source/{directory}/{name}", image_files.jpeg(), content_type="image/jpeg")
    await resources.store.delete([f"target/{DIRECTORY}/{names[7]}"])
    jobs.clear()

    status, rows = await run(gateway, directory)

    assert sorted(jobs) == sorted([new, names[5], names[7]])
    assert status["counter"] == {"error": 0, "skipped": SOURCES - 2, "success": 3, "warning": 0}
    assert len(rows) == SOURCES + 1


async def test_unchanged_sources_are_counted_by_the_worker(
    gateway: Client, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As conversions that were skipped, like those of jobs."""
    directory, _ = await converted(gateway, resources)
    counted: list[int] = []
    count = ConversionExecutor.count_unchanged

    def observed(executor: ConversionExecutor, sources: int) -> None:
        before = executor.counts.unrecorded().get("image.batch.skipped", 0)
        count(executor, sources)
        counted.append(executor.counts.unrecorded().get("image.batch.skipped", 0) - before)

    monkeypatch.setattr(ConversionExecutor, "count_unchanged", observed)
    await run(gateway, directory)

    assert sum(counted) == SOURCES
