"""The history of runs, which goes on in the store."""

import pytest

from imageconverter import keys
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunSummary, archive_run, read_history

pytestmark = pytest.mark.usefixtures("no_run")


async def test_runs_before_the_last_ones_are_read_from_the_store(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each once, although the last ones are in both."""
    monkeypatch.setattr("imageconverter.runs.history.RUNS_KEPT", 2)
    async for page in resources.store.list(keys.run_summaries()):
        await resources.store.delete(stored.key for stored in page)
    for index in range(5):
        run = Run(id=f"before-{index}", action="", batches=(), formats=())
        summary = RunSummary(
            run=run, state="finished", sources={}, outputs={}, sources_total=0, outputs_total=0,
            started=index, ended=index, results=0,
        )  # fmt: skip
        data = summary.model_dump_json().encode()
        await resources.store.put(keys.run_summary(run.id), data, content_type="application/json")
    for name in ("last-0", "last-1"):
        run = Run(id=name, action="", batches=(), formats=())
        await resources.runs.start(run)
        await resources.runs.cancel(name, seconds=5)
        await archive_run(name, resources.runs, resources.store)

    first = await read_history(resources.runs, resources.store)
    assert [each.run.id for each in first.runs] == ["last-1", "last-0"]
    found: list[str] = []
    cursor = first.cursor
    while cursor:
        following = await read_history(resources.runs, resources.store, cursor=cursor)
        assert len(following.runs) <= 2
        found, cursor = found + [each.run.id for each in following.runs], following.cursor
    assert sorted(found) == [f"before-{index}" for index in range(5)]
    assert len(found) == 5


async def test_history_without_archived_runs_has_one_page(resources: Resources) -> None:
    """And before the first run there is none."""
    async for page in resources.store.list(keys.run_summaries()):
        await resources.store.delete(stored.key for stored in page)

    assert await read_history(resources.runs, resources.store) == ([], "")
