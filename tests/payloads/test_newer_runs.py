"""A real worker and the runs that a newer release has stored."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from imageconverter.images.formats_file import load_formats
from imageconverter.resources import Resources
from imageconverter.runs import Run, RunRequest, RunStatus, create_run
from tests.payloads.unknown_fields import with_unknown_fields
from tests.testing import image_files
from tests.testing.runs import THUMBNAIL, put_sources

pytestmark = pytest.mark.usefixtures("no_run", "worker")


class _NewerRun(Run):
    """Stored with unknown fields at every level."""

    def model_dump_json(self, **options: Any) -> str:
        return json.dumps(with_unknown_fields(json.loads(super().model_dump_json(**options))))


class _IncompatibleRun(Run):
    """Stored with a value that this release does not know."""

    def model_dump_json(self, **options: Any) -> str:
        stored = json.loads(super().model_dump_json(**options))
        stored["batches"][0]["formats"][0]["fit"] = "liquid"
        return json.dumps(stored)


async def _start(resources: Resources, kind: type[Run]) -> Run:
    directory = await put_sources(resources, {f"{uuid4().hex}.png": image_files.png() for _ in range(3)})
    request = RunRequest(source="directory", directory=directory, formats=(THUMBNAIL,))
    run = await create_run(resources.store, load_formats(None), request)
    await resources.runs.start(kind.model_validate(run.model_dump()))
    return run


async def _ended(resources: Resources, run: Run) -> RunStatus:
    async with asyncio.timeout(30):
        while (status := await resources.runs.status(run.id)) is None or status.is_running:
            await asyncio.sleep(0.05)
    return status


async def test_run_with_unknown_fields_converts(resources: Resources) -> None:
    """During an upgrade a worker of this release gets the runs of a newer gateway."""
    run = await _start(resources, _NewerRun)

    status = await _ended(resources, run)

    assert (status.state, status.sources.success, status.run) == ("finished", 3, run)


async def test_run_that_cannot_be_read_ends_with_an_error(resources: Resources) -> None:
    """It must not stay running, which would block all further runs."""
    run = await _start(resources, _IncompatibleRun)

    status = await _ended(resources, run)
    following = await _start(resources, Run)

    assert (status.state, status.reason) == ("error", "The stored run cannot be read by this release.")
    assert (await _ended(resources, following)).state == "finished"
    assert not [dead for dead in await resources.queue.dead.all() if dead.id.startswith(run.id)]
