"""What the reporters sweep beside uploads and previews; each rule is tested beside its own code."""

from datetime import UTC, datetime, timedelta
from typing import Any

from imageconverter.resources import Resources
from imageconverter.runs import results
from imageconverter.settings import Settings
from services.reporter.periodic_tasks import periodic_tasks


async def test_every_sweep_runs_on_an_empty_stack(opened: Resources, report_settings: Settings) -> None:
    """None of them finds anything to do, and none fails."""
    done = {task.name: await task.work() for task in periodic_tasks(report_settings, opened)}

    assert set(done.values()) == {0}
    assert {"sweep-uploads", "sweep-results", "sweep-trash", "sweep-parts", "sweep-reports"} <= set(done)
    assert "schedule" not in done


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


async def test_results_of_known_or_young_runs_stay(opened: Resources) -> None:
    """Nothing is a month old here; the rule of age is what keeps them."""
    await opened.store.put("runs/0123456789ab/results/000000000000.ndjson", b"{}\n", content_type="text/plain")

    assert await results.sweep(opened.runs, opened.store) == 0
    assert await results.sweep(opened.runs, opened.store, kept=timedelta(seconds=-1)) == 1
    assert [stored async for page in opened.store.list("runs/") for stored in page] == []
