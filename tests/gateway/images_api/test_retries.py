"""Retrying what has failed in a run, with a real worker."""

from typing import Any

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from tests.testing import image_files
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, finished, get, post, put_sources

pytestmark = pytest.mark.usefixtures("worker", "no_run")

RETRY = "/images/convert/retry"


async def run_over(gateway: Client, directory: str, *formats: str) -> str:
    """Convert a directory and return the id of the run."""
    body = {"source": "directory", "directory": directory, "formatList": formats, "action": "nightly"}
    assert (await post(gateway, "/images/convert/start", body))[0] == 200
    return await last_run(gateway)


async def last_run(gateway: Client) -> str:
    """Wait for the end of the last run and return its id."""
    await finished(gateway)
    return str((await get(gateway, "/images/convert/runs"))[1]["items"][0]["id"])


async def rows(gateway: Client, run: str) -> dict[tuple[str, str], str]:
    """Return the status of each output of a run, by source and format."""
    items: list[dict[str, Any]] = (await get(gateway, f"/images/convert/results?run={run}"))[1]["items"]
    return {(row["sourceFilename"], row["formatId"]): row["status"] for row in items}


async def test_only_sources_that_have_failed_are_converted_again(gateway: Client, resources: Resources) -> None:
    """One is whole by now, one is still broken, one is gone; those that were converted are not touched."""
    broken, whole = image_files.png()[:40], image_files.png()
    directory = await put_sources(
        resources, {"a.png": whole, "b.png": broken, "c.png": broken, "d.png": broken, "e.png": whole, "f.txt": b"x"}
    )
    run = await run_over(gateway, directory, THUMBNAIL, PRODUCT)
    await resources.store.put(keys.source(f"{directory}/b.png"), whole, content_type="image/png")
    await resources.store.delete([keys.source(f"{directory}/d.png")])

    code, details = await post(gateway, f"{RETRY}?details=true", {"run": run})
    assert code == 200
    status = await finished(gateway)
    again = await last_run(gateway)

    assert await rows(gateway, again) == {
        (name, node_id): "success" if name == "b.png" else "error"
        for name in ("b.png", "c.png", "d.png")
        for node_id in (THUMBNAIL, PRODUCT)
    }
    assert status["progress"] == {"finished": 3, "percentage": 100, "total": 3}
    assert status["progressFormat"]["total"] == 6
    assert (details["id"], details["retryOf"], details["action"]) == (again, run, "nightly")


async def test_run_that_only_the_store_has_is_retried(gateway: Client, resources: Resources) -> None:
    """Redis keeps the last twenty runs, the store those of thirty days."""
    directory = await put_sources(resources, {"a.png": image_files.png()[:40]})
    run = await run_over(gateway, directory, THUMBNAIL)
    await post(gateway, "/images/convert/cancel", {})  # archives it
    await resources.redis.delete(keys.RUNS, keys.run(run), keys.run_results(run), keys.run_done(run))

    assert (await post(gateway, RETRY, {"run": run}))[0] == 200
    assert await rows(gateway, await last_run(gateway)) == {("a.png", THUMBNAIL): "error"}


async def test_retry_with_nothing_to_do_is_refused(gateway: Client, resources: Resources) -> None:
    """Nothing failed, or there is no such run."""
    directory = await put_sources(resources, {"a.png": image_files.png()})
    run = await run_over(gateway, directory, THUMBNAIL)
    status, response = await post(gateway, RETRY, {"run": run})

    assert (status, response["reason"], response["field"]) == (400, "No source of this run has failed.", "run")
    assert (await post(gateway, RETRY, {"run": "nosuchrun"}))[0] == 404
    assert (await post(gateway, RETRY, {"run": "../ended/x"}))[0] == 404
    assert (await post(gateway, RETRY, {}))[1]["type"] == "missing"
