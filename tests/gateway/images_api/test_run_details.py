"""More about a run than the contract has: who started it, why it failed, and some of its results."""

from typing import Any

import pytest

from imageconverter.resources import Resources
from imageconverter.runs import Counts, Run, RunStatus
from services.gateway.images_api.run_responses import RunResponse, RunStateResponse
from tests.testing import image_files
from tests.testing.runs import PRODUCT, THUMBNAIL, Client, finished, get, post, put_sources

pytestmark = pytest.mark.usefixtures("worker", "no_run")

RESULTS, STATUS = "/images/convert/results", "/images/convert/status"
CONTRACT = {
    "canceled", "counter", "formatCounter", "progress", "progressFormat", "running", "status", "timer", "usedFormats",
}  # fmt: skip


async def start(gateway: Client, resources: Resources, files: dict[str, bytes], *formats: str) -> None:
    """Convert *files* in a run with the label `nightly`."""
    directory = await put_sources(resources, files)
    body = {"source": "directory", "directory": directory, "formatList": formats, "action": "nightly"}
    assert (await post(gateway, "/images/convert/start", body))[0] == 200
    await finished(gateway)


async def test_the_status_has_the_keys_of_the_contract(gateway: Client, resources: Resources) -> None:
    """Before the first run and after it; with details it has some more."""
    before, before_details = (await get(gateway, STATUS))[1], (await get(gateway, f"{STATUS}?details=true"))[1]
    await start(gateway, resources, {"a.png": image_files.png()}, THUMBNAIL)
    after, details = (await get(gateway, STATUS))[1], (await get(gateway, f"{STATUS}?details=true"))[1]
    listed = (await get(gateway, "/images/convert/runs"))[1]["items"][0]

    assert before.keys() == before_details.keys() == after.keys() == CONTRACT
    assert details.keys() == CONTRACT | {"id", "action", "startedBy", "subshopId"}
    assert (details["action"], details["startedBy"]) == ("nightly", "key admin")
    assert listed == details
    assert (await get(gateway, f"{STATUS}?details=1"))[0] == 400


def test_a_failed_run_has_its_reason() -> None:
    """With details only."""
    run = Run(id="run", action="", batches=(), formats=())
    status = RunStatus(
        run=run,
        state="error",
        sources=Counts(),
        outputs=Counts(),
        sources_total=0,
        outputs_total=0,
        started=1,
        ended=2,
        now=3,
        reason="The planner failed.",
    )

    assert '"reason": "The planner failed."' in RunResponse.of(status, details=True).to_json()
    assert "reason" not in RunStateResponse.of(status).to_json()


async def test_results_can_be_filtered(
    gateway: Client, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By status and format; pages keep their cursors, so that none is missed or repeated."""
    monkeypatch.setattr("services.gateway.images_api.runs.RESULTS_AT_ONCE", 2)
    broken = image_files.png()[:40]
    files = {f"{n}.png": broken if n in (1, 6) else image_files.png() for n in range(7)}
    await start(gateway, resources, files, THUMBNAIL, PRODUCT)

    async def found(query: str) -> list[tuple[str, str, str]]:
        rows: list[dict[str, Any]] = []
        cursor = "0"
        while cursor:
            _, page = await get(gateway, f"{RESULTS}?cursor={cursor}&{query}")
            rows, cursor = rows + page["items"], page.get("cursor", "")
        return [(row["sourceFilename"], row["formatId"], row["status"]) for row in rows]

    every = await found("")
    assert len(every) == 14
    assert await found("status=error") == [row for row in every if row[2] == "error"]
    assert {name for name, _, _ in await found("status=error")} == {"1.png", "6.png"}
    assert await found(f"format={PRODUCT}") == [row for row in every if row[1] == PRODUCT]
    assert await found(f"format={PRODUCT}&status=error") == [("1.png", PRODUCT, "error"), ("6.png", PRODUCT, "error")]
    assert await found("status=skipped") == []
    assert await found("format=content.imageFormat.app") == []


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("status=failed", "status must be one of success, warning, skipped, error."),
        ("format=nosuch", 'The image format "nosuch" is not configured; there are: content.imageFormat.app, '),
    ],
)
async def test_an_unknown_filter_is_refused(gateway: Client, query: str, reason: str) -> None:
    """Instead of no results."""
    status, response = await get(gateway, f"{RESULTS}?{query}")

    assert (status, response["type"], response["field"]) == (400, "invalidValue", query.partition("=")[0])
    assert response["reason"].startswith(reason)
