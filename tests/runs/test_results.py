"""The results of runs in the store: pages, filters and parts."""

from collections.abc import Sequence

import pytest

from imageconverter import keys
from imageconverter.images.conversions import OutputOutcome, Status
from imageconverter.resources import Resources
from imageconverter.runs import ResultQuery, Run, RunSummary, SourceResult, find_status, read_results
from imageconverter.storage.store import ObjectStore

THUMBNAIL, APP = "content.imageFormat.thumbnailProduct", "content.imageFormat.app"


def result(index: int, *statuses: Status) -> SourceResult:
    """Return a result with an output for each of *statuses*."""
    outputs = tuple(
        (node_id, OutputOutcome(status=status, message=f'"status":"error" {status}', path=f"{index}.png"))
        for node_id, status in zip((THUMBNAIL, APP), statuses, strict=False)
    )
    return SourceResult(index=index, source=f"{index}.png", outputs=outputs)


async def put_part(store: ObjectStore, key: str, results: Sequence[SourceResult]) -> None:
    """Store a part."""
    lines = "".join(each.model_dump_json(exclude_defaults=True) + "\n" for each in results)
    await store.put(key, lines.encode(), content_type="application/x-ndjson")


async def put_summary(store: ObjectStore, run_id: str, results: int) -> None:
    """Store the summary of a run that has ended."""
    run = Run(id=run_id, action="", batches=(), formats=(THUMBNAIL, APP))
    summary = RunSummary(
        run=run,
        state="finished",
        sources={"success": results},
        outputs={"success": results},
        sources_total=results,
        outputs_total=results,
        started=1000,
        ended=1010,
        results=results,
    )
    await store.put(keys.run_summary(run_id), summary.model_dump_json().encode(), content_type="application/json")


async def indexes(
    resources: Resources, run_id: str, *, limit: int = 100, query: ResultQuery | None = None
) -> list[int]:
    """Return the indexes of all results, in pages of *limit*."""
    found: list[int] = []
    position: int | None = 0
    while position is not None:
        page = await read_results(
            run_id, resources.runs, resources.store, start=position, limit=limit, max_read=3, query=query
        )
        assert len(page.results) <= limit
        found += [each.index for each in page.results]
        position = page.next_cursor
    return found


@pytest.mark.parametrize("limit", [1, 2, 100])
async def test_pages_of_a_filter_have_each_result_once(resources: Resources, limit: int) -> None:
    """Also of a run that Redis does not have any more; the text of a message is not taken for a status."""
    run_id = f"results-{limit}"
    parts = [
        [result(0, "success", "error"), result(1, "success", "success"), result(2, "warning", "skipped")],
        [result(3, "success", "success"), result(4, "skipped", "skipped")],
        [result(5, "error", "error"), result(6, "success", "warning")],
    ]
    first = 0
    for part, counts in zip(parts, [(1, 1, 3, 1), (0, 2, 2, 0), (2, 0, 1, 1)], strict=True):
        await put_part(resources.store, keys.result_part(run_id, first, len(part), *counts), part)
        first += len(part)
    await put_summary(resources.store, run_id, first)

    assert await indexes(resources, run_id, limit=limit) == [0, 1, 2, 3, 4, 5, 6]
    assert await indexes(resources, run_id, limit=limit, query=ResultQuery("error")) == [0, 5]
    assert await indexes(resources, run_id, limit=limit, query=ResultQuery("error", (THUMBNAIL,))) == [5]
    assert await indexes(resources, run_id, limit=limit, query=ResultQuery("skipped")) == [2, 4]
    page = await read_results(
        run_id, resources.runs, resources.store, start=0, limit=2, max_read=100, query=ResultQuery("error")
    )
    assert ([each.index for each in page.results], page.next_cursor) == ([0, 5], None)
    assert await indexes(resources, run_id, limit=limit, query=ResultQuery(None, (APP,))) == [0, 1, 2, 3, 4, 5, 6]


async def test_parts_without_the_status_are_not_read(resources: Resources) -> None:
    """Their names say what they have: a million results with one error are two requests."""
    run_id = "results-names"
    broken = keys.result_part(run_id, 0, 1000, 0, 0, 1000, 0)
    await resources.store.put(broken, b"not read", content_type="application/x-ndjson")
    await put_part(resources.store, keys.result_part(run_id, 1000, 1, 1, 0, 0, 0), [result(1000, "error")])
    await put_summary(resources.store, run_id, 1001)

    assert await indexes(resources, run_id, query=ResultQuery("error")) == [1000]


async def test_parts_of_an_earlier_release_are_read(resources: Resources) -> None:
    """Their names are only a number; a run during an upgrade has both."""
    run_id = "results-old"
    await put_part(resources.store, keys.result_part(run_id, 0), [result(0, "success"), result(1, "error")])
    await put_part(resources.store, keys.result_part(run_id, 2, 1, 1, 0, 0, 0), [result(2, "error")])
    await put_part(resources.store, keys.result_part(run_id, 3), [result(3, "error")])
    await put_summary(resources.store, run_id, 4)

    assert await indexes(resources, run_id) == [0, 1, 2, 3]
    assert await indexes(resources, run_id, query=ResultQuery("error")) == [1, 2, 3]


async def test_part_left_by_a_process_that_died_is_ignored(resources: Resources) -> None:
    """Another process has written a larger one in its place."""
    run_id = "results-left"
    every = [result(index, "success") for index in range(5)]
    await put_part(resources.store, keys.result_part(run_id, 0, 2, 0, 0, 2, 0), every[:2])
    await put_part(resources.store, keys.result_part(run_id, 0, 3, 0, 0, 3, 0), every[:3])
    await put_part(resources.store, keys.result_part(run_id, 3, 1, 0, 0, 1, 0), every[3:4])
    await put_part(resources.store, keys.result_part(run_id, 3, 2, 0, 0, 2, 0), every[3:])
    await put_part(resources.store, keys.result_part(run_id, 5, 1, 0, 0, 1, 0), [result(9, "success")])
    await put_summary(resources.store, run_id, 5)

    assert await indexes(resources, run_id) == [0, 1, 2, 3, 4]


async def test_run_that_only_the_store_has_is_found(resources: Resources) -> None:
    """With its numbers; an id that cannot be one is unknown."""
    await put_summary(resources.store, "archived", 7)
    status = await find_status("archived", resources.runs, resources.store)

    assert status is not None
    assert (status.state, status.sources.success, status.ended - status.started) == ("finished", 7, 10)
    assert await find_status("../ended/archived", resources.runs, resources.store) is None
