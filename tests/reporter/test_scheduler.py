"""The periodic tasks of several reporters."""

import asyncio

from imageconverter import keys
from imageconverter.images import uploads
from imageconverter.images.uploads import UploadedImage
from imageconverter.resources import Resources
from imageconverter.settings import ConversionSettings
from imageconverter.storage.bulk_delete import delete_below
from services.reporter.main import run
from tests.conftest import MakeSettings
from tests.testing.roles import running


async def test_expired_uploads_are_swept_by_one_of_many_reporters(
    make_settings: MakeSettings, resources: Resources
) -> None:
    """Three reporters run; the old upload is deleted, the task is claimed once, and all stop on request."""
    await resources.redis.delete(keys.periodic_claim("sweep-uploads"))
    await delete_below(resources.store, keys.run_backups())  # of other tests: what runs read stays
    path = await uploads.stage(resources.store, [UploadedImage("old.png", b"A")])
    # A hundredth of a second: whatever is there when the reporters look is expired.
    settings = make_settings(conversion=ConversionSettings(upload_hours=0.01 / 3600))
    await asyncio.sleep(1.1)  # the store's dates are in whole seconds
    async with running(settings, run, run, run):
        async with asyncio.timeout(20):
            while await resources.store.get(f"source/{path}/old.png") is not None:
                await asyncio.sleep(0.05)
            while not await resources.queue.live_processes("reporter"):
                await asyncio.sleep(0.05)
    assert not await resources.queue.try_claim_periodic("sweep-uploads", seconds=1)
