"""What the reporters sweep beside uploads and previews; each rule is tested beside its own code."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from imageconverter.images import uploads
from imageconverter.images.uploads import UploadedImage
from imageconverter.resources import Resources
from imageconverter.runs import RunRequest, create_run, delete_backup, results, save_backup
from imageconverter.settings import ConversionSettings, Settings
from services.reporter.periodic_tasks import periodic_tasks
from tests.conftest import MakeSettings
from tests.testing.runs import THUMBNAIL


async def test_every_sweep_runs_on_an_empty_stack(opened: Resources, report_settings: Settings) -> None:
    """None of them finds anything to do, and none fails."""
    done = {task.name: await task.work() for task in periodic_tasks(report_settings, opened)}

    assert set(done.values()) == {0}
    assert {"sweep-uploads", "sweep-results", "sweep-trash", "sweep-source-trash", "sweep-variants"} <= set(done)
    assert {"sweep-parts", "sweep-reports", "schedule"} <= set(done)


async def test_unfinished_multipart_uploads_are_aborted(opened: Resources, report_settings: Settings) -> None:
    """As a process leaves them that is killed while it stores something big; a young one may be under way."""
    import boto3  # noqa: PLC0415 - a third of a second

    storage = report_settings.storage
    assert storage.access_key is not None
    assert storage.secret_key is not None
    client: Any = boto3.client(
        "s3",
        endpoint_url=storage.endpoint,
        region_name=storage.region,
        aws_access_key_id=storage.access_key.get_secret_value(),
        aws_secret_access_key=storage.secret_key.get_secret_value(),
    )
    client.create_multipart_upload(Bucket=storage.bucket, Key="source/big.tif")

    assert await opened.store.abort_unfinished(datetime.now(UTC) - timedelta(days=1)) == 0
    assert await opened.store.abort_unfinished(datetime.now(UTC) + timedelta(minutes=1)) == 1
    assert client.list_multipart_uploads(Bucket=storage.bucket).get("Uploads", []) == []


@pytest.mark.parametrize("selected", [False, True])
async def test_uploads_of_a_run_that_has_not_ended_stay(
    opened: Resources, make_settings: MakeSettings, *, selected: bool
) -> None:
    """Although they expire while it runs. A run of selected sources keeps those, and no others."""
    kept = await uploads.stage(opened.store, [UploadedImage("a.png", b"x")])
    expired = await uploads.stage(opened.store, [UploadedImage("a.png", b"x")])
    request = RunRequest(source="directory", directory=kept, formats=(THUMBNAIL,))
    if selected:
        request = RunRequest(source="selection", selection=(f"{kept}/a.png",), formats=(THUMBNAIL,))
    run = await create_run(opened.store, opened.formats.current, request)
    await save_backup(opened.store, run)
    settings = make_settings(conversion=ConversionSettings(upload_hours=1e-9))
    await asyncio.sleep(1.1)  # the clock of the store counts seconds
    (task,) = [each for each in periodic_tasks(settings, opened) if each.name == "sweep-uploads"]

    assert await task.work() >= 1
    assert await opened.store.head(f"source/{kept}/a.png") is not None
    assert await opened.store.head(f"source/{expired}/a.png") is None

    await delete_backup(opened.store, run.id)
    assert await task.work() == 1


async def test_results_of_known_or_young_runs_stay(opened: Resources) -> None:
    """Nothing is a month old here; the rule of age is what keeps them."""
    await opened.store.put("runs/0123456789ab/results/000000000000.ndjson", b"{}\n", content_type="text/plain")

    assert await results.sweep(opened.runs, opened.store) == 0
    assert await results.sweep(opened.runs, opened.store, kept=timedelta(seconds=-1)) == 1
    assert [stored async for page in opened.store.list("runs/") for stored in page] == []
