"""Reports and clean-ups are events."""

from pathlib import Path
from typing import Any

import pytest

from imageconverter.errors import QueueUnavailable
from imageconverter.reports import commands, list_reports
from imageconverter.reports.commands import CleanupCommand
from imageconverter.resources import Resources
from imageconverter.webhooks import EndpointRecord, Outbox
from tests.reporter.conftest import make_scanner, make_tasks
from tests.testing.openapi_document import IMAGES
from tests.testing.shop import Shop

ENDPOINT = EndpointRecord(id="0", origin="https://example.com", events=("report.ready", "cleanup.finished"))


@pytest.fixture
async def shop(opened: Resources, tmp_path: Path) -> Shop:
    """A shop of one product and two unused files, whose events an endpoint gets."""
    shop = Shop(opened.store, tmp_path, opened.formats.current)
    await shop.sells("a.jpg")
    await shop.has("products/normal/x.jpg", "products/normal/y.jpg")
    await opened.outbox.register([ENDPOINT])
    return shop


async def events(resources: Resources) -> list[Any]:
    """Return the recorded events, which the OpenAPI document allows."""
    await resources.outbox.distribute()
    (log,) = await resources.outbox.logs()
    return [IMAGES.check_webhook(each.body) for each in log.deliveries]


async def test_a_report_is_an_event_with_its_totals(opened: Resources, shop: Shop) -> None:
    """Those that the report has."""
    await make_scanner(opened, shop.folder).scan()
    (event,) = await events(opened)
    (report,) = await list_reports(opened.store, "product")

    summary = report.summary
    assert (summary.files, summary.unused) == (2, 2)
    assert event["data"] == {
        "type": "products",
        "id": 1,
        "files": 2,
        "bytes": summary.file_bytes,
        "missing": summary.missing,
        "missingButNear": 0,
        "unused": 2,
        "unusedBytes": summary.unused_bytes,
        "unusedRefused": "",
    }


async def test_a_report_is_an_event_although_the_reporter_was_killed_after_it(
    opened: Resources, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The scan that is continued finds it; a scan that was not interrupted does not repeat the event."""

    async def killed(*_: object) -> None:
        raise QueueUnavailable("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Outbox, "record", killed)
        with pytest.raises(QueueUnavailable):
            await make_scanner(opened, shop.folder).scan()
    assert await events(opened) == []
    await make_scanner(opened, shop.folder).scan()
    assert sorted(each["data"]["id"] for each in await events(opened)) == [1, 2]
    await opened.outbox.register([])
    await opened.outbox.register([ENDPOINT])
    await make_scanner(opened, shop.folder).scan()

    assert [each["data"]["id"] for each in await events(opened)] == [3]


async def test_a_clean_up_is_an_event_but_a_dry_run_is_not(opened: Resources, shop: Shop) -> None:
    """Without the paths of the files; the same one if the reporter was killed before it replied."""
    scanner = make_scanner(opened, shop.folder, grace_days=0, max_share=1)
    await scanner.scan()
    await scanner.scan()
    await opened.outbox.register([])
    await opened.outbox.register([ENDPOINT])
    reporter = make_tasks(opened, scanner)
    for dry in (True, False, False):
        command = CleanupCommand(id=f"20261128T000000-{dry:d}", kind="product", dry=dry, share=1)
        await reporter.tasks()[commands.CLEAN]({"job_id": command.id, "job_try": 1}, command.model_dump())
    (event,) = await events(opened)

    assert event["type"] == "cleanup.finished"
    assert event["data"] == {
        "type": "products",
        "trash": "20261128T000000-0",
        "report": 2,
        "since": 1,
        "files": 2,
        "bytes": 14,
        "share": 1.0,
        "refused": "",
    }
