"""A conversion job from the store to the store."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from imageconverter.engine import Target
from imageconverter.errors import StoreUnavailable
from imageconverter.images.conversions import ConversionJob, OutputSpec
from imageconverter.resources import Resources
from imageconverter.settings import WorkerSettings
from imageconverter.storage.store import ObjectStore
from services.worker.conversion_executor import ConversionExecutor
from services.worker.sandbox.pool import SandboxPool
from tests.conftest import storage_settings
from tests.testing import broken_files, image_files


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[SandboxPool]:
    """Two sandbox processes."""
    async with SandboxPool(WorkerSettings(children=2), max_pixels=10**8) as pool:
        yield pool


async def make_job(resources: Resources, data: bytes, *targets: Target, name: str = "a.bmp") -> ConversionJob:
    """Store *data* as a source and return the job that converts it."""
    path = uuid4().hex
    await resources.store.put(f"source/{path}/{name}", data, content_type="application/octet-stream")
    output_specs = tuple(OutputSpec(target=t, directory=f"{path}/{i}", name=name) for i, t in enumerate(targets))
    return ConversionJob(id=path, source_key=f"source/{path}/{name}", outputs=output_specs)


async def test_each_output_is_stored_with_its_type_and_name(resources: Resources, sandbox: SandboxPool) -> None:
    """One source, three outputs."""
    job = await make_job(
        resources,
        image_files.bmp(),
        Target(max_width=40, max_height=40),
        Target(max_width=40, max_height=40, output="jpeg"),
        Target(max_width=40, max_height=40, output="webp"),
    )
    outcome = await ConversionExecutor(resources.store, sandbox, 10**8).run(job)

    assert [output.status for output in outcome.outputs] == ["success"] * 3
    assert [output.path for output in outcome.outputs] == [
        f"{job.id}/0/a.png",
        f"{job.id}/1/a.jpg",
        f"{job.id}/2/a.webp",
    ]
    for output, media_type in zip(outcome.outputs, ["image/png", "image/jpeg", "image/webp"], strict=True):
        opened = await resources.store.open(f"target/{output.path}")
        assert opened is not None
        assert (opened.content_type, opened.stored.size) == (media_type, output.size)


async def test_conversion_is_idempotent(resources: Resources, sandbox: SandboxPool) -> None:
    """Jobs are delivered at least once."""
    job = await make_job(resources, image_files.jpeg(), Target(max_width=40, max_height=40), name="a.jpg")
    first = await ConversionExecutor(resources.store, sandbox, 10**8).run(job)
    before = await resources.store.head(f"target/{first.outputs[0].path}")
    second = await ConversionExecutor(resources.store, sandbox, 10**8).run(job)
    after = await resources.store.head(f"target/{second.outputs[0].path}")

    assert before is not None
    assert after is not None
    assert before.etag == after.etag


@pytest.mark.parametrize(
    ("data", "name", "status"),
    [
        (image_files.jpeg(), "a.jpg", "success"),
        (broken_files.truncated(image_files.animated_gif(frames=9), share=0.8), "a.gif", "warning"),
    ],
    ids=["well", "with a warning"],
)
async def test_output_of_a_dead_worker_keeps_its_status(
    resources: Resources, sandbox: SandboxPool, data: bytes, name: str, status: str
) -> None:
    """In the same run it is neither skipped nor made again; in the next run it is skipped."""
    made = await make_job(resources, data, Target(max_width=40, max_height=40), name=name)
    source = await resources.store.head(made.source_key)
    assert source is not None
    job = made.model_copy(update={"run_id": "first", "source_etag": source.etag})
    conversion = ConversionExecutor(resources.store, sandbox, 10**8)
    (first,) = (await conversion.run(job)).outputs
    before = await resources.store.head(f"target/{first.path}")
    (second,) = (await conversion.run(job)).outputs
    after = await resources.store.head(f"target/{second.path}")
    (third,) = (await conversion.run(job.model_copy(update={"run_id": "second"}))).outputs

    assert before == after
    assert (first.status, first.message) == (second.status, second.message)
    assert (first.status, third.status) == (status, "skipped")


async def test_unreadable_image_is_an_outcome(resources: Resources, sandbox: SandboxPool) -> None:
    """Each format has the reason and the path that it would have had."""
    job = await make_job(
        resources, broken_files.truncated(image_files.png()), Target(max_width=40, max_height=40), name="a.png"
    )
    outcome = await ConversionExecutor(resources.store, sandbox, 10**8).run(job)

    assert [(o.status, o.path, o.size) for o in outcome.outputs] == [("error", f"{job.id}/0/a.png", 0)]
    assert "broken" in outcome.outputs[0].message


async def test_missing_source_is_an_outcome(resources: Resources, sandbox: SandboxPool) -> None:
    """It may be deleted while the job waits."""
    job = await make_job(resources, image_files.png(), Target(max_width=40, max_height=40))
    await resources.store.delete([job.source_key])
    outcome = await ConversionExecutor(resources.store, sandbox, 10**8).run(job)

    assert outcome.outputs[0].status == "error"
    assert "does not exist" in outcome.outputs[0].message


async def test_unavailable_store_raises_and_is_no_outcome(
    resources: Resources, servers: dict[str, str], sandbox: SandboxPool
) -> None:
    """It is not a result of the image."""
    job = await make_job(resources, image_files.png(), Target(max_width=40, max_height=40))
    away = ObjectStore(storage_settings(servers, endpoint="http://127.0.0.1:1", timeout_seconds=1))

    with pytest.raises(StoreUnavailable):
        await asyncio.wait_for(ConversionExecutor(away, sandbox, 10**8).run(job), 5)


async def test_a_name_that_would_have_to_be_cut_is_an_error(resources: Resources, sandbox: SandboxPool) -> None:
    """For the outputs whose extension does not fit: two sources could get the same path."""
    targets = (Target(max_width=40, max_height=40, output="jpeg"), Target(max_width=40, max_height=40, output="webp"))
    job = await make_job(resources, image_files.jpeg(), *targets, name="a" * 251)

    fits, cut = (await ConversionExecutor(resources.store, sandbox, 10**8).run(job)).outputs

    assert (fits.status, cut.status) == ("success", "error")
    assert "too long" in cut.message
    assert await resources.store.head(f"target/{cut.path}") is None
