"""Comparing two runs, with the real database."""

from pathlib import Path

import pytest

from imageconverter import keys
from imageconverter.catalog.database import Workspace
from imageconverter.images.conversions import OutputOutcome, Status
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunSummary, SourceResult
from imageconverter.runs.comparison import Difference, RunComparison, get_comparison, read_compared
from services.reporter.run_comparison import compare_runs


async def put_run(resources: Resources, run_id: str, outcomes: list[tuple[str, list[Status]]], *, part: int) -> None:
    """Store the results of a run that has ended, in parts of *part* results."""
    results = [
        SourceResult(
            index=index,
            source=source,
            outputs=tuple(
                (f"content.imageFormat.f{n}", OutputOutcome(status=status, message=f"{status} {n}", path="x.png"))
                for n, status in enumerate(statuses)
            ),
        )
        for index, (source, statuses) in enumerate(outcomes)
    ]
    for start in range(0, len(results), part):
        lines = "".join(each.model_dump_json(exclude_defaults=True) + "\n" for each in results[start : start + part])
        await resources.store.put(
            keys.result_part(run_id, start), lines.encode(), content_type="application/x-ndjson"
        )
    summary = RunSummary(
        run=Run(id=run_id, action="", batches=(), formats=()),
        state="finished",
        sources={},
        outputs={},
        sources_total=len(results),
        outputs_total=0,
        started=1,
        ended=2,
        results=len(results),
    )
    await resources.store.put(
        keys.run_summary(run_id), summary.model_dump_json().encode(), content_type="application/json"
    )


async def sources(
    resources: Resources, comparison: RunComparison, difference: Difference, *, limit: int = 1000
) -> list[tuple[str, Status | None, Status | None, str]]:
    """Return all sources with a difference."""
    found = []
    start: int | None = 0
    while start is not None:
        page = await read_compared(resources.store, comparison, difference, start=start, limit=limit)
        found += [(each.source, each.before, each.after, each.message) for each in page.sources]
        start = page.next_cursor
    return found


async def test_each_source_is_compared_by_its_worst_output(resources: Resources, tmp_path: Path) -> None:
    """Also one that occurs twice in a run; hostile names and messages are texts."""
    name = "b\"\\\n\u202e,'; DROP TABLE compared; --.png"
    before: list[tuple[str, list[Status]]] = [
        ("a.png", ["success", "success"]),
        (name, ["success", "error"]),
        ("c.png", ["skipped", "warning"]),
        ("d.png", ["error"]),
        ("gone.png", ["error"]),
        ("twice.png", ["success"]),
    ]
    after: list[tuple[str, list[Status]]] = [
        ("new.png", ["warning"]),
        ("twice.png", ["error"]),
        ("d.png", ["error", "success"]),
        ("c.png", ["success", "error"]),
        (name, ["skipped", "success"]),
        ("a.png", ["skipped", "skipped"]),
        ("twice.png", ["success"]),
    ]
    await put_run(resources, "compared-before", before, part=2)
    await put_run(resources, "compared-after", after, part=3)
    found = await compare_runs(
        "compared-after", "compared-before", resources.runs, resources.store, Workspace(tmp_path)
    )

    assert found == RunComparison(
        run="compared-after", base="compared-before", same=2, failed=2, fixed=1, new=1, gone=1
    )
    assert await get_comparison(resources.store, "compared-after", "compared-before") == found
    assert await sources(resources, found, "failed") == [
        ("c.png", "warning", "error", "error 1"),
        ("twice.png", "success", "error", "error 0"),
    ]
    assert await sources(resources, found, "fixed") == [(name, "error", "skipped", "error 1")]
    assert await sources(resources, found, "new") == [("new.png", None, "warning", "")]
    assert await sources(resources, found, "gone") == [("gone.png", "error", None, "error 0")]


@pytest.mark.parametrize("limit", [7, 1000])
async def test_many_differences_are_read_in_pages(
    resources: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """In the order of their paths, however the runs were ordered."""
    monkeypatch.setattr("imageconverter.runs.comparison.ROWS_IN_PART", 10)
    monkeypatch.setattr("services.reporter.run_comparison.ROWS_IN_PART", 10)
    names = [f"{n:03}.png" for n in range(64)]
    run, base = f"compared-pages-{limit}", f"compared-pages-before-{limit}"
    await put_run(resources, base, [(name, ["success"]) for name in names], part=20)
    await put_run(resources, run, [(name, ["error"]) for name in reversed(names)], part=20)
    found = await compare_runs(run, base, resources.runs, resources.store, Workspace(tmp_path))

    assert [each[0] for each in await sources(resources, found, "failed", limit=limit)] == names
    assert await sources(resources, found, "fixed", limit=limit) == []
    assert found.same == 0
