"""A refused system call through the real stack: an internal error of the server for every client."""

import asyncio
import base64
import sys
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from aiohttp.test_utils import TestClient

from imageconverter import keys
from imageconverter.jobs import QueueName
from imageconverter.previews.job import TASK, PreviewJob
from imageconverter.resources import Resources
from services.worker import main
from services.worker.sandbox.pool import SandboxPool
from tests.conftest import MakeSettings
from tests.testing import image_files
from tests.testing.runs import PRODUCT, Client, finished, post, put_sources, results, start
from tests.worker.sandbox import unstripped

NOT_RESIZED = image_files.jpeg()
_REASON = "Internal server error."

pytestmark = pytest.mark.usefixtures("no_run", "refusing_worker")


@pytest.fixture(scope="module")
async def refusing_worker(make_settings: MakeSettings, resources: Resources) -> AsyncIterator[None]:
    """Run a worker whose sandbox refuses a system call for each JPEG that is not resized."""
    stopping = asyncio.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "SandboxPool", partial(SandboxPool, program=(sys.executable, unstripped.__file__)))
        running = asyncio.create_task(main.run(make_settings(), stopping))
        async with asyncio.timeout(20):
            while not await resources.queue.live_processes("worker"):
                await asyncio.sleep(0.05)
        yield
        stopping.set()
        await running


async def refused_calls(gateway: TestClient[Any, Any]) -> float:
    """Return the value of the metric for the call that is refused."""
    async with gateway.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    name = 'imageconverter_sandbox_refused_system_calls_total{system_call="getcwd"} '
    return sum(float(line.removeprefix(name)) for line in lines if line.startswith(name))


async def test_an_upload_is_an_internal_error(gateway: Client) -> None:
    """Not a row that says that the image is broken."""
    before = await refused_calls(gateway)
    body = {"fileName": "a.jpg", "formats": [PRODUCT], "imageData": base64.b64encode(NOT_RESIZED).decode()}
    status, answer = await post(gateway, "/images/upload/convert", body)

    assert (status, answer["type"], answer["reason"]) == (503, "internalError", _REASON)
    async with asyncio.timeout(20):  # a gateway queries the counts once a second
        while await refused_calls(gateway) != before + 1:
            await asyncio.sleep(0.1)


async def test_a_run_records_an_internal_error(gateway: Client, resources: Resources) -> None:
    """For the image in question alone."""
    directory = await put_sources(resources, {"a.jpg": NOT_RESIZED, "b.jpg": image_files.jpeg(size=(1200, 900))})
    await start(gateway, directory, PRODUCT)
    await finished(gateway)
    rows = {row["source"].rpartition("/")[2]: row for row in await results(gateway)}

    assert rows["a.jpg"]["status"] == "error"
    assert _REASON in str(rows["a.jpg"])
    assert rows["b.jpg"]["status"] == "success"


async def test_a_preview_is_unavailable(resources: Resources) -> None:
    """Not refused, as one of a broken image is."""
    key, generation = uuid4().hex, uuid4().hex
    await resources.store.put(keys.preview_source(key, generation), NOT_RESIZED, content_type="image/jpeg")
    job = PreviewJob(key=key, generation=generation, formats=("jpg:500x500~contain@75",))
    job_id = await resources.queue.enqueue_or_join(
        QueueName.INTERACTIVE, TASK, job.dedup_key, job.model_dump(exclude_defaults=True)
    )
    outcome = await resources.queue.wait(job_id, seconds=20)

    assert (outcome["state"], outcome["reason"]) == ("unavailable", _REASON)
