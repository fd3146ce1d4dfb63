"""The facts of sources that are made by conversions, if the setting asks for them."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from pydantic import ValidationError

from imageconverter import keys
from imageconverter.engine import Target
from imageconverter.images.conversions import ConversionJob, OutputSpec
from imageconverter.images.facts_job import FactsJob
from imageconverter.images.source_facts import StoredFacts, find_facts, put_facts
from imageconverter.resources import Resources
from imageconverter.settings import WorkerSettings
from services.worker.conversion_executor import ConversionExecutor
from services.worker.facts_executor import FactsExecutor
from services.worker.sandbox.messages import Response
from services.worker.sandbox.pool import SandboxPool
from tests.testing import image_files


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[SandboxPool]:
    """One sandbox process."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        yield pool


async def _converted(
    resources: Resources, sandbox: SandboxPool, path: str, data: bytes, *, makes_facts: bool
) -> StoredFacts | None:
    """Convert *data* as the source at *path*; returns the facts that are known of it then."""
    await resources.store.put(keys.source(path), data, content_type="image/png")
    spec = OutputSpec(target=Target(max_width=40, max_height=40, output="png"), directory=path, name="a.png")
    job = ConversionJob(id=uuid4().hex, source_key=keys.source(path), outputs=(spec,))
    executor = ConversionExecutor(resources.store, sandbox, 10**8, makes_facts=makes_facts)
    (outcome,) = (await executor.run(job)).outputs
    assert outcome.status == "success"
    stored = await resources.store.head(keys.source(path))
    assert stored is not None
    return await find_facts(resources.store, stored)


async def test_a_conversion_makes_facts_if_they_are_wanted(resources: Resources, sandbox: SandboxPool) -> None:
    """Those of the source, not of its output; not if the setting is off."""
    path, data = f"{uuid4().hex}/a.png", image_files.png(size=(300, 200))
    assert await _converted(resources, sandbox, path, data, makes_facts=False) is None
    found = await _converted(resources, sandbox, path, data, makes_facts=True)

    assert found is not None
    assert found.facts is not None
    assert (found.facts.width, found.facts.height) == (300, 200)
    smaller = await _converted(resources, sandbox, path, image_files.png(size=(30, 20)), makes_facts=True)
    assert smaller is not None
    assert smaller.facts is not None
    assert smaller.facts.width == 30


async def test_facts_that_are_known_are_not_made_again(resources: Resources, sandbox: SandboxPool) -> None:
    """Of the same source."""
    path, data = f"{uuid4().hex}/a.png", image_files.png()
    found = await _converted(resources, sandbox, path, data, makes_facts=True)
    assert found is not None
    marked = found.model_copy(update={"reason": "as they were"})
    await put_facts(resources.store, path, marked)
    assert await _converted(resources, sandbox, path, data, makes_facts=True) == marked


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0}, {"height": 2**31}, {"frames": 2**31}, {"dominant_color": "red"}, {"thumb_hash": ""},
        {"thumb_hash": "AAAAA"}, {"thumb_hash": "A" * 400}, {"perceptual_hash": "xyz"},
    ],
)  # fmt: skip
def test_facts_that_nothing_can_use_are_no_response_of_the_sandbox(wrong: dict[str, object]) -> None:
    """A hostile image may control its process."""
    right = {
        "width": 1, "height": 1, "frames": 1, "alpha": False, "dominant_color": "#000000",
        "thumb_hash": "3OcRJYB4d3h/iIeHeEh3eIhw+j2w", "perceptual_hash": "d1c36a2e95b4983b",
    }  # fmt: skip
    assert Response.model_validate({"outcome": [], "facts": right}).facts is not None
    with pytest.raises(ValidationError):
        Response.model_validate({"outcome": [], "facts": right | wrong})


async def test_staged_uploads_have_no_stored_facts(resources: Resources, sandbox: SandboxPool) -> None:
    """They are deleted soon."""
    path = f"{keys.UPLOADS}/{uuid4().hex[:12]}/a.png"
    assert await _converted(resources, sandbox, path, image_files.png(), makes_facts=True) is None
    await resources.store.delete([keys.source(path)])


async def test_a_broken_file_fails_for_itself_only(resources: Resources, sandbox: SandboxPool) -> None:
    """Not for the image that it has replaced for a moment, of which facts were asked for."""
    path = f"{uuid4().hex}/a.png"
    etag = await resources.store.put(keys.source(path), image_files.png(), content_type="image/png")
    await resources.store.put(keys.source(path), image_files.png()[:60], content_type="image/png")
    executor = FactsExecutor(resources.store, sandbox, 10**8)
    outcome = await executor._make(FactsJob(path=path, etag=etag), expensive=False)
    broken = await resources.store.head(keys.source(path))

    assert broken is not None
    assert outcome.found is not None
    assert outcome.found.reason
    assert outcome.found.etag == broken.etag != etag
    assert await find_facts(resources.store, broken) == outcome.found
    await resources.store.put(keys.source(path), image_files.png(), content_type="image/png")
    again = await executor._make(FactsJob(path=path, etag=etag), expensive=False)
    assert again.found is not None
    assert again.found.facts is not None
    await resources.store.delete([keys.source(path), keys.facts(path)])
