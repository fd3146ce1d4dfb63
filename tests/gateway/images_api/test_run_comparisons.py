"""Comparing two runs over HTTP, with a real worker and a real reporter."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from services.reporter.main import run as run_reporter
from tests.conftest import MakeSettings
from tests.testing import image_files
from tests.testing.roles import running
from tests.testing.runs import THUMBNAIL, Client, finished, get, post, put_sources, start

pytestmark = pytest.mark.usefixtures("worker", "reporter", "no_run")

COMPARE = "/images/convert/compare"


@pytest.fixture(scope="module")
async def reporter(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[None]:
    """Run a reporter beside the tests."""
    async with running(make_settings(), run_reporter):
        async with asyncio.timeout(20):
            while not await resources.queue.live_processes("reporter"):
                await asyncio.sleep(0.05)
        yield


async def run_over(gateway: Client, directory: str) -> str:
    """Convert a directory and return the id of the run."""
    await start(gateway, directory, THUMBNAIL)
    await finished(gateway)
    return str((await get(gateway, "/images/convert/runs"))[1]["items"][0]["id"])


async def listed(gateway: Client, run: str, base: str, difference: str) -> list[dict[str, Any]]:
    """Return the sources with a difference, one a page."""
    items: list[dict[str, Any]] = []
    page: dict[str, Any] = {"cursor": "0"}
    while cursor := page.get("cursor"):
        query = f"run={run}&base={base}&difference={difference}&limit=1&cursor={cursor}"
        status, page = await get(gateway, f"{COMPARE}?{query}")
        assert status == 200, page
        items += page["items"]
    assert len(items) == page["total"]
    return items


async def test_two_runs_are_compared(gateway: Client, resources: Resources) -> None:
    """What was repaired, broken, added and removed between them."""
    broken, whole = image_files.png()[:40], image_files.png()
    directory = await put_sources(resources, {"a.png": whole, "b.png": broken, "c.png": whole, "d.png": whole})
    base = await run_over(gateway, directory)
    for name, data in {"b.png": whole, "c.png": broken, "e.png": whole, "f.png": whole}.items():
        await resources.store.put(keys.source(f"{directory}/{name}"), data, content_type="image/png")
    await resources.store.delete([keys.source(f"{directory}/d.png")])
    run = await run_over(gateway, directory)

    assert (await get(gateway, f"{COMPARE}?run={run}&base={base}&difference=new"))[0] == 404
    status, found = await post(gateway, COMPARE, {"run": run, "base": base})
    assert status == 200
    assert found == {"run": run, "base": base, "same": 1, "failed": 1, "fixed": 1, "new": 2, "gone": 1}
    assert (await post(gateway, COMPARE, {"run": run, "base": base}))[1] == found

    (failed,) = await listed(gateway, run, base, "failed")
    assert (failed["source"], failed["before"], failed["after"]) == (f"{directory}/c.png", "success", "error")
    assert failed["message"]
    (fixed,) = await listed(gateway, run, base, "fixed")
    assert (fixed["source"], fixed["before"], fixed["after"]) == (f"{directory}/b.png", "error", "success")
    assert await listed(gateway, run, base, "new") == [
        {"source": f"{directory}/{name}", "after": "success"} for name in ("e.png", "f.png")
    ]
    assert await listed(gateway, run, base, "gone") == [{"source": f"{directory}/d.png", "before": "success"}]


async def test_runs_that_cannot_be_compared_are_refused(gateway: Client, resources: Resources) -> None:
    """The same run, one that is unknown, and an unknown difference."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    run = await run_over(gateway, directory)

    assert (await post(gateway, COMPARE, {"run": run, "base": run}))[1]["field"] == "base"
    assert (await post(gateway, COMPARE, {"run": run, "base": "nosuchrun"}))[0] == 404
    assert (await post(gateway, COMPARE, {"run": "../x", "base": run}))[0] == 404
    assert (await post(gateway, COMPARE, {"run": run}))[1]["type"] == "missing"
    assert (await get(gateway, f"{COMPARE}?run={run}&base={run}&difference=other"))[1]["field"] == "difference"
