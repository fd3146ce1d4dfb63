"""What the reporter does where a clean-up does not go on."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from imageconverter.reports import commands
from imageconverter.reports.commands import CleanupCommand
from imageconverter.reports.trash import TrashBatch, begin_batch, restore
from imageconverter.resources import Resources
from tests.reporter.conftest import make_scanner, make_tasks


@pytest.mark.parametrize("end", ["refused", "exhausted"])
async def test_files_of_an_aborted_clean_up_can_be_restored_at_once(
    opened: Resources, tmp_path: Path, end: str
) -> None:
    """Whether its next try is refused, here for want of a report, or there is none."""
    taken = TrashBatch(id="one", kind="product", at=datetime.now(UTC), report=1, files=2, bytes=2, done=False)
    await begin_batch(opened.store, taken)
    await opened.store.put("trash/files/one/products/normal/a.jpg", b"a", content_type="image/jpeg")
    scanner = make_scanner(opened, tmp_path)
    reporter = make_tasks(opened, scanner)
    tasks = reporter.tasks() if end == "refused" else reporter.give_up()
    command = CleanupCommand(id="one", kind="product", dry=False, share=0)
    await tasks[commands.CLEAN]({"job_id": "one", "job_try": 2}, command.model_dump())

    assert await restore(opened.store, "one") == (1, 0)
    assert await opened.store.head("target/products/normal/a.jpg") is not None


async def test_giving_up_a_clean_up_that_has_not_begun_leaves_nothing(opened: Resources, tmp_path: Path) -> None:
    """There is no trash of it."""
    scanner = make_scanner(opened, tmp_path)
    reporter = make_tasks(opened, scanner)
    command = CleanupCommand(id="two", kind="product", dry=False, share=0)
    await reporter.give_up()[commands.CLEAN]({"job_id": "two", "job_try": 1}, command.model_dump())

    assert [stored async for page in opened.store.list("trash/") for stored in page] == []
