"""What processes report with their heartbeats."""

import asyncio
from contextlib import ExitStack
from typing import Any
from uuid import uuid4

import imageconverter
from imageconverter import keys
from imageconverter.jobs import Activity, JobContext, QueueName, QueueWorker
from imageconverter.monitoring.process_report import ProcessReport, SandboxReport, read_report
from imageconverter.resources import Resources
from services.runtime.lifecycle import heartbeats


async def test_a_process_reports_what_it_runs(resources: Resources) -> None:
    """The jobs under way, with queue, source and since when; none when they are done."""
    begun, finish = asyncio.Event(), asyncio.Event()

    async def task(_context: JobContext, _payload: Any) -> None:
        begun.set()
        await finish.wait()

    await resources.redis.delete(keys.queue(QueueName.SCAN))
    worker = QueueWorker(
        QueueName.SCAN, {"task": task}, resources.redis, slots=1, job_seconds=30, activity=resources.activity
    )
    await resources.queue.enqueue(QueueName.SCAN, "task", uuid4().hex, {"source_key": "source/a.jpg"})
    running = asyncio.create_task(worker.async_run())
    await begun.wait()
    async with heartbeats(resources, "tester", sandbox=lambda: SandboxReport(processes=2, converting=1)):
        async with asyncio.timeout(10):  # on a busy machine the first report had no task; why is not known
            while not (report := read_report((await wait_for_reports(resources, "tester"))[0])).tasks:
                await asyncio.sleep(0.1)
    finish.set()
    await worker.drain(5)
    await running

    (running_task,) = report.tasks
    assert (running_task.task, running_task.queue, running_task.subject) == ("task", "scan", "source/a.jpg")
    assert running_task.since <= report.started
    assert (report.version, report.task_count) == (imageconverter.__version__, 1)
    assert report.sandbox == SandboxReport(missing="", processes=2, converting=1)
    assert resources.activity.count == 0


async def wait_for_reports(resources: Resources, role: str) -> list[str]:
    """Return the reports of *role* once there are some."""
    async with asyncio.timeout(10):
        while not (found := await resources.queue.reports(role)):
            await asyncio.sleep(0.05)
    return list(found.values())


async def test_the_report_of_a_dead_process_is_removed(resources: Resources) -> None:
    """Together with its heartbeat."""
    await resources.queue.heartbeat("dying", "host:1", "digest", "{}")
    await resources.redis.zincrby(keys.live("dying"), -10, "host:1")
    await resources.queue.live_processes("dying")

    assert await resources.queue.reports("dying") == {}


def test_a_report_stays_small_whatever_is_running() -> None:
    """The tasks that run longest, and the number of all; long names are cut."""
    activity = Activity()
    with ExitStack() as running:
        for number in range(500):
            payload = {"source_key": f"{number} {'x' * 900}"}
            running.enter_context(activity.running("convert_source", queue="batch", payload=payload))
        report = ProcessReport.of(activity, started=1.0, sandbox=None)

    assert report.task_count == 500
    assert [task.subject.split()[0] for task in report.tasks] == [str(number) for number in range(32)]
    assert len(report.model_dump_json(exclude_defaults=True)) < 10_000


def test_subjects_of_the_payloads_of_all_jobs() -> None:
    """Also of runs, whose payloads are lists, and of jobs that cannot be read."""
    activity = Activity()
    payloads: list[Any] = [
        {"id": "1", "source_key": "source/a.jpg", "outputs": []},
        {"key": "a preview key", "generation": "1"},
        ["run", 0, 0, "source/b.jpg", '"etag"'],
        ["run"],
        {"kind": "product", "id": "1"},
        {},
        [],
        None,
        7,
    ]
    with ExitStack() as running:
        for payload in payloads:
            running.enter_context(activity.running("task", payload=payload))
        found = [each.subject for each in activity.oldest(20)]

    assert found == [
        *("source/a.jpg", "a preview key", "source/b.jpg", "run", "product"),
        *("", "", "", ""),
    ]


def test_a_report_of_another_release_is_read_tolerantly() -> None:
    """Unknown fields are ignored; what cannot be read says nothing."""
    assert read_report('{"version": "9.9", "mood": "good"}').version == "9.9"
    assert read_report("") == read_report("[1]") == read_report("{") == ProcessReport()
