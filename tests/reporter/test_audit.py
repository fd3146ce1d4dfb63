"""What the reporter writes to the audit log."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from imageconverter.reports import commands
from imageconverter.reports.commands import RestoreCommand
from imageconverter.reports.trash import TrashBatch, begin_batch, finish_batch
from imageconverter.resources import Resources
from services.reporter.scheduler import PeriodicTask, run_periodic_tasks
from tests.reporter.conftest import make_scanner, make_tasks
from tests.testing.audit_lines import RENDERERS, audit_to


async def test_periodic_tasks_are_audited_if_they_did_something(
    opened: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With their name and the number of items."""
    lines = audit_to(RENDERERS["json"], monkeypatch)
    stopping, idle_done = asyncio.Event(), asyncio.Event()

    async def sweep() -> int:
        return 3

    async def idle() -> int:
        idle_done.set()
        return 0

    tasks = [PeriodicTask("sweep", seconds=60, work=sweep), PeriodicTask("idle", seconds=60, work=idle)]
    running = asyncio.create_task(run_periodic_tasks(tasks, opened, stopping))
    async with asyncio.timeout(20):
        await idle_done.wait()
        while not lines.text():
            await asyncio.sleep(0.01)
    stopping.set()
    await running

    assert lines.take() == [{"event": "audit", "operation": "sweep", "actor": "task sweep", "count": 3}]


async def test_a_restored_clean_up_is_audited(
    opened: Resources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the id of its files in the trash."""
    lines = audit_to(RENDERERS["json"], monkeypatch)
    taken = TrashBatch(id="one", kind="product", at=datetime.now(UTC), report=1, files=1, bytes=1, done=False)
    await begin_batch(opened.store, taken)
    await opened.store.put("trash/files/one/products/normal/a.jpg", b"a", content_type="image/jpeg")
    await finish_batch(opened.store, "one")
    scanner = make_scanner(opened, tmp_path)
    reporter = make_tasks(opened, scanner)
    command = RestoreCommand(id="two", trash="one")
    await reporter.tasks()[commands.RESTORE]({"job_id": "two", "job_try": 1}, command.model_dump())

    (line,) = lines.take()
    assert (line["operation"], line["actor"]) == (commands.RESTORE, f"task {commands.RESTORE}")
    assert (line["trash"], line["files"], line["kept"]) == ("one", 1, 0)
