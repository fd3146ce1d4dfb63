"""Real reporter processes: one scan at a time, continued after a kill."""

import asyncio
import os
import random
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from imageconverter.reports import commands, list_reports
from imageconverter.reports.progress import ScanProgress
from imageconverter.resources import Resources

LINES = b"".join(b'{"id": "%d", "active": true, "images": ["%d.jpg"]}\n' % (n, n) for n in range(20_000))


@asynccontextmanager
async def reporter(
    servers: dict[str, str], source: str = "s3:shop/products.ndjson"
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a reporter on the bucket and the database of these tests."""
    environment = {
        **os.environ,
        **servers,
        "IMAGECONVERTER_REDIS_URL": servers["IMAGECONVERTER_REDIS_URL"].removesuffix("/0") + "/3",
        "IMAGECONVERTER_S3_BUCKET": "reporter",
        "IMAGECONVERTER_REPORT_PRODUCTS_SOURCE": source,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli.main", "reporter", env=environment, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def scanned(resources: Resources) -> None:
    """Wait until no scan waits or runs."""
    progress = ScanProgress(resources.redis, retry_timeout=20)
    async with asyncio.timeout(40):
        while (await progress.state()).running:
            await asyncio.sleep(0.05)


@pytest.mark.slow
async def test_a_killed_scan_is_done_by_another_reporter(opened: Resources, servers: dict[str, str]) -> None:
    """Killed at any moment, three times over: there is one report, and no rubbish that counts."""
    seed = random.randrange(10**6)  # noqa: S311 - a moment to kill at
    print(f"seed {seed}")  # noqa: T201 - pytest shows it where the test fails
    moments = random.Random(seed)  # noqa: S311
    await opened.store.put("shop/products.ndjson", LINES, content_type="application/x-ndjson")
    await commands.scan(opened.queue)
    progress = ScanProgress(opened.redis, retry_timeout=20)
    for _ in range(3):
        async with reporter(servers) as process:
            async with asyncio.timeout(20):
                while not (await progress.state()).started and (await progress.state()).running:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(moments.uniform(0, 0.4))
            process.kill()
    async with reporter(servers):
        await scanned(opened)

    (report,) = await list_reports(opened.store, "product")
    assert report.summary.catalog.entries == 20_000
    assert report.summary.missing == 60_000


async def test_one_scan_is_made_however_many_reporters_there_are(opened: Resources, servers: dict[str, str]) -> None:
    """Three reporters, one request: one report."""
    await opened.store.put("shop/products.ndjson", LINES, content_type="application/x-ndjson")
    async with reporter(servers), reporter(servers), reporter(servers):
        async with asyncio.timeout(30):
            while len(await opened.queue.live_processes("reporter")) < 3:
                await asyncio.sleep(0.05)
        await commands.scan(opened.queue)
        await scanned(opened)

    assert len(await list_reports(opened.store, "product")) == 1
