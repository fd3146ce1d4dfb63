"""G3 and G5: Redis is killed, loses its data, or its connections are cut."""

import asyncio
import random
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest

from imageconverter import keys
from imageconverter.errors import QueueUnavailable
from imageconverter.images.conversions import OutputOutcome
from imageconverter.images.formats_file import load_formats
from imageconverter.jobs import JobQueue, QueueName, job_key, open_redis
from imageconverter.runs import RunRequest, RunStore, SourceResult, create_run, list_backups, plan_more
from imageconverter.settings import RedisSettings
from tests.testing.faults import FaultProxy, fault_proxy
from tests.testing.measurements import Figures
from tests.testing.processes import own_servers, stack_on
from tests.testing.runs import put_sources
from tests.testing.workload import THUMBNAIL, Client, Workload

# as in a gateway
_RETRY_TIMEOUT_SECONDS = 4


def through(proxy: FaultProxy, url: str) -> RedisSettings:
    """Return settings that reach the Redis at *url* through *proxy*."""
    return RedisSettings(url=url.replace(str(urlsplit(url).port), str(proxy.port)))


@pytest.mark.timeout(1200)
async def test_accepted_jobs_survive_a_kill_of_redis(tmp_path: Path, chance: random.Random, figures: Figures) -> None:
    """SIGKILL while jobs are enqueued; jobs are enqueued again within seconds after the restart."""
    times = 30 if figures.long else 3
    recoveries: list[float] = []
    accepted: list[str] = []
    async with own_servers(tmp_path) as (servers, parts):
        settings = RedisSettings(url=servers["IMAGECONVERTER_REDIS_URL"])
        async with open_redis(settings, retry_timeout=_RETRY_TIMEOUT_SECONDS) as redis:
            queue = JobQueue(redis, timeout_seconds=2, retry_timeout=_RETRY_TIMEOUT_SECONDS)
            stopping = asyncio.Event()

            async def enqueue(client: int) -> None:
                number = 0
                while not stopping.is_set():
                    job_id = f"{client}-{number}"
                    try:
                        await queue.enqueue(QueueName.SCAN, "task", job_id, {})
                    except QueueUnavailable:
                        continue  # a client retries
                    accepted.append(job_id)
                    number += 1

            clients = [asyncio.create_task(enqueue(client)) for client in range(8)]
            for _ in range(times):
                await asyncio.sleep(chance.uniform(0.2, 0.6))
                await parts["redis"].kill()
                await asyncio.sleep(chance.uniform(0, 1))
                await parts["redis"].start()
                before, began = len(accepted), time.monotonic()
                while len(accepted) == before:
                    await asyncio.sleep(0.005)
                recoveries.append(time.monotonic() - began)
            stopping.set()
            await asyncio.gather(*clients)
            waiting = {each.decode() for each in await redis.zrange(keys.queue(QueueName.SCAN), 0, -1)}
            bodies = await redis.exists(*map(job_key, accepted))

    assert waiting >= set(accepted)
    assert bodies == len(accepted)
    assert max(recoveries) < 5
    figures.note(
        "G3 Redis killed",
        f"{times} kills, {len(accepted)} accepted, 0 lost, back after {max(recoveries):.2f} s at most",
    )


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("lost", ["everything", "the last moments"])
async def test_run_is_restored_after_redis_loses_data(
    on_servers: Mapping[str, str], tmp_path: Path, chance: random.Random, figures: Figures, lost: str
) -> None:
    """A run finishes under its id without an operator, also if Redis is in an older state, and is remembered then."""
    count = 1000 if figures.long else 150
    async with (
        stack_on(on_servers, tmp_path, gateways=1, workers=2, reporters=1) as (stack, resources),
        aiohttp.ClientSession() as session,
    ):
        client = Client(stack.addresses, session, chance)
        workload = Workload(resources, client)
        await client.wait_until_ready()
        async with asyncio.timeout(30):
            while not await resources.redis.exists(keys.EPOCH):  # a reporter is running
                await asyncio.sleep(0.05)
        older = {
            name: (max(0, await resources.redis.pttl(name)), await resources.redis.dump(name))
            async for name in resources.redis.scan_iter()
        }
        await workload.start_run(await workload.put_sources(count, broken=3), count, 3)
        while (await client.insist("GET", "/images/convert/status"))["progress"]["finished"] < count // 4:
            await asyncio.sleep(0.02)
        (before,) = (await client.insist("GET", "/images/convert/runs"))["items"]
        async with resources.redis.pipeline(transaction=True) as pipe:
            pipe.flushdb()
            for name, (milliseconds, value) in older.items() if lost == "the last moments" else ():
                if value is not None:  # it had not expired
                    pipe.restore(name, milliseconds, value)
            await pipe.execute()
        began = time.monotonic()
        while not (runs := (await client.insist("GET", "/images/convert/runs"))["items"]):
            await asyncio.sleep(0.02)
            assert time.monotonic() - began < 60
        noticed = time.monotonic() - began
        await workload.finished()
        took = time.monotonic() - began
        summary = await workload.check()
        ended = (await client.insist("GET", "/images/convert/runs"))["items"]
        async with asyncio.timeout(60):
            while await list_backups(resources.store):  # until the reporter has stored the summary of the run
                await asyncio.sleep(0.1)
            await resources.redis.flushdb()
            while (await client.insist("GET", "/images/convert/runs"))["items"] != ended:
                await asyncio.sleep(0.1)

    assert [run["id"] for run in runs] == [before["id"]]
    figures.note(
        f"G3 lost: {lost}",
        f"a run of {count} sources begins again after {noticed:.1f} s and has ended after {took:.1f} s: {summary}",
    )


@pytest.mark.parametrize("passed_on", [False, True], ids=["before", "after"])
async def test_cut_connection_neither_loses_nor_duplicates_a_job(
    on_servers: Mapping[str, str], figures: Figures, *, passed_on: bool
) -> None:
    """Before or after Redis has received the job."""
    count = 1000 if figures.long else 25
    url = on_servers["IMAGECONVERTER_REDIS_URL"]
    async with (
        fault_proxy(urlsplit(url).port or 0) as proxy,
        open_redis(through(proxy, url), retry_timeout=_RETRY_TIMEOUT_SECONDS) as redis,
    ):
        queue = JobQueue(redis, timeout_seconds=2, retry_timeout=_RETRY_TIMEOUT_SECONDS)
        await redis.flushdb()
        await queue.enqueue(QueueName.SCAN, "task", "the first, which loads the script", {})
        acknowledged = 0
        for number in range(count):
            proxy.cut_once(f"job-{number}-".encode(), passed_on=passed_on)
            try:
                await queue.enqueue(QueueName.SCAN, "task", f"job-{number}-", {}, limit=count + 5)
                acknowledged += 1
            except QueueUnavailable:
                await queue.enqueue(QueueName.SCAN, "task", f"job-{number}-", {}, limit=count + 5)
        depth = await queue.depth(QueueName.SCAN)
        bodies = [key async for key in redis.scan_iter(match=job_key("job-*"), count=1000)]
        await redis.flushdb()

    assert depth == count + 1
    assert len(bodies) == count
    figures.note(
        f"G5 cut {'after' if passed_on else 'before'} Redis hears of it",
        f"{count} cuts, 0 jobs lost, 0 twice; {acknowledged} were acknowledged at the first attempt",
    )


async def test_result_whose_recording_is_cut_counts_once(
    on_servers: Mapping[str, str], tmp_path: Path, figures: Figures
) -> None:
    """Although recording it is retried."""
    count = 500 if figures.long else 10
    url = on_servers["IMAGECONVERTER_REDIS_URL"]
    async with (
        stack_on(on_servers, tmp_path, gateways=0, workers=0) as (_, resources),
        fault_proxy(urlsplit(url).port or 0) as proxy,
        open_redis(through(proxy, url), retry_timeout=_RETRY_TIMEOUT_SECONDS) as redis,
    ):
        run_store = RunStore(redis, retry_timeout=_RETRY_TIMEOUT_SECONDS)
        directory = await put_sources(resources, {f"{n:05}.png": b"x" for n in range(count)})
        request = RunRequest(source="directory", directory=directory, formats=(THUMBNAIL,))
        run = await create_run(resources.store, load_formats(None), request)
        proxy.cut_once(run.id.encode(), passed_on=True)
        await run_store.start(run)
        await plan_more(run.id, resources.runs, resources.store)
        outcome = OutputOutcome(status="success", message="success", path="a")
        for index in range(count):
            result = SourceResult(index=index, source=f"marked-{index}-", outputs=((THUMBNAIL, outcome),))
            proxy.cut_once(f"marked-{index}-".encode(), passed_on=bool(index % 2))
            try:
                await run_store.record(run.id, result, index)
            except QueueUnavailable:
                await run_store.record(run.id, result, index)
        status = await resources.runs.status(run.id)
        moved, rows = await resources.runs.unmoved_results(run.id)
        await resources.redis.flushdb()

    assert status is not None
    assert (status.state, status.sources.success, status.outputs.success) == ("finished", count, count)
    assert moved + len(rows) == count
    figures.note("G5 cut while results are recorded", f"{count} cuts, each result counted once")
