"""The variants of an output in the store: parts of it, which count only with it."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.engine import Converted, Target
from imageconverter.engine.output_types import Variant
from imageconverter.errors import StoreUnavailable
from imageconverter.images.conversions import ConversionJob, OutputOutcome, OutputSpec
from imageconverter.images.variants import belongs_to, variant_keys, variant_sizes
from imageconverter.resources import Resources
from imageconverter.settings import WorkerSettings
from imageconverter.storage.store import LoadedObject, ObjectStore, StoredObject
from services.worker.conversion_executor import ConversionExecutor
from services.worker.sandbox.pool import SandboxPool
from services.worker.variant_storing import OutputVariants
from tests.testing import drawings, image_files

PHOTO = image_files.jpeg(image=drawings.photo((320, 240)))
OTHER = image_files.jpeg(image=drawings.photo((320, 240), seed=2))
TARGET = Target(max_width=200, max_height=200, variants=("avif", "webp"))


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[SandboxPool]:
    """A sandbox process."""
    async with SandboxPool(WorkerSettings(children=1), max_pixels=10**8) as pool:
        yield pool


class Image:
    """A source, and its output in the store."""

    def __init__(self, store: ObjectStore, sandbox: SandboxPool) -> None:
        self.store = store
        self._sandbox = sandbox
        self._name = uuid4().hex
        self.path = f"{self._name}/a.jpg"

    async def convert(
        self, data: bytes = PHOTO, *, target: Target = TARGET, run_id: str = "", store: ObjectStore | None = None
    ) -> OutputOutcome:
        """Store *data* as the source and convert it, for a run if it has an id."""
        key = keys.source(self.path)
        etag = await self.store.put(key, data, content_type="image/jpeg")
        spec = OutputSpec(target=target, directory=self._name, name="a.jpg")
        job = ConversionJob(
            id="j", source_key=key, outputs=(spec,), run_id=run_id, source_etag=etag if run_id else ""
        )
        return (await ConversionExecutor(store or self.store, self._sandbox, 10**8).run(job)).outputs[0]

    async def output(self) -> LoadedObject:
        """Return the output itself, which exists."""
        loaded = await self.store.get(keys.target(self.path))
        assert loaded is not None
        return loaded

    async def variants(self) -> dict[str, StoredObject]:
        """Return all that is stored at the keys of variants, by type."""
        found = {each: await self.store.head(keys.variant(each, self.path)) for each in ("avif", "webp")}
        return {each: stored for each, stored in found.items() if stored is not None}


@pytest.fixture
async def image(resources: Resources, sandbox: SandboxPool) -> AsyncIterator[Image]:
    """An image that was not converted yet."""
    image = Image(resources.store, sandbox)
    yield image
    others = [keys.variant(each, image.path) for each in ("avif", "webp")]
    await resources.store.delete([keys.source(image.path), keys.target(image.path), *others])


async def test_variants_are_recorded_with_their_output(image: Image) -> None:
    """With types and sizes; the result is that of the output."""
    outcome = await image.convert()
    output, variants = (await image.output()).stored, await image.variants()

    assert (outcome.status, outcome.size) == ("success", output.size)
    assert variant_sizes(output.metadata) == {each: stored.size for each, stored in variants.items()}
    assert variants.keys() == {"avif", "webp"}
    assert all(belongs_to(each, output) for each in variants.values())
    for each in variants:
        opened = await image.store.open(keys.variant(each, image.path))
        assert opened is not None
        assert opened.content_type == f"image/{each}"


async def test_without_the_option_nothing_is_recorded(image: Image) -> None:
    """Outputs are as those of earlier releases."""
    await image.convert(target=TARGET.without_variants)

    assert "variants" not in (await image.output()).stored.metadata
    assert await image.variants() == {}


class _Dying(ObjectStore):
    """A store that is lost when an output itself is written: its variants are there already."""

    def __init__(self, real: ObjectStore) -> None:
        self.__dict__.update(real.__dict__)

    async def put(self, key: str, data: Any, **options: Any) -> str:
        """Store variants only."""
        if key.startswith(keys.TARGET):
            raise StoreUnavailable("The worker is dead.")
        return await super().put(key, data, **options)


async def test_variants_of_a_worker_that_died_belong_to_no_output(image: Image) -> None:
    """Neither to none, nor to the one before; the next attempt completes the set."""
    await image.convert()
    before = (await image.output()).stored
    with pytest.raises(StoreUnavailable):
        await image.convert(OTHER, store=_Dying(image.store))

    assert (await image.output()).stored == before
    assert [belongs_to(each, before) for each in (await image.variants()).values()] == [False, False]

    await image.convert(OTHER)
    output = (await image.output()).stored
    assert [belongs_to(each, output) for each in (await image.variants()).values()] == [True, True]


async def test_variants_are_added_without_touching_the_output(image: Image) -> None:
    """A run makes what is missing; the next one skips the image."""
    first = await image.convert(target=TARGET.without_variants, run_id="first")
    before = await image.output()
    second = await image.convert(run_id="second")
    after = await image.output()
    third = await image.convert(run_id="third")

    assert [each.status for each in (first, second, third)] == ["success", "success", "skipped"]
    assert (bytes(before.data), before.stored.etag) == (bytes(after.data), after.stored.etag)
    assert after.stored.metadata.items() >= {**before.stored.metadata, "run": "second"}.items()
    assert variant_keys(after.stored).keys() == {"avif", "webp"}
    assert all(belongs_to(each, after.stored) for each in (await image.variants()).values())


async def test_only_the_missing_variants_are_made(image: Image) -> None:
    """One that is there already stays as it is."""
    await image.convert(target=TARGET.model_copy(update={"variants": ("webp",)}), run_id="first")
    before = await image.variants()
    await image.convert(run_id="second")
    after = await image.variants()

    assert [sorted(before), sorted(after)] == [["webp"], ["avif", "webp"]]
    assert before["webp"] == after["webp"]


async def test_a_lost_variant_is_made_again(image: Image) -> None:
    """Another program has deleted it; the others stay as they are."""
    await image.convert(run_id="first")
    before = await image.variants()
    await image.store.delete([before["avif"].key])
    outcome = await image.convert(run_id="second")
    after = await image.variants()

    assert outcome.status == "success"
    assert belongs_to(after["avif"], (await image.output()).stored)
    assert after["webp"] == before["webp"]


async def test_an_output_with_more_variants_than_wanted_is_up_to_date(image: Image) -> None:
    """A format may lose one: nothing has to be made for that."""
    await image.convert(run_id="first")

    assert (await image.convert(target=TARGET.without_variants, run_id="second")).status == "skipped"


async def test_variants_that_are_not_made_any_more_are_deleted(image: Image) -> None:
    """With the output that they belong to."""
    await image.convert(run_id="first")
    await image.convert(OTHER, target=TARGET.without_variants, run_id="second")

    assert await image.variants() == {}


async def test_a_response_that_goes_too_far_is_not_stored(resources: Resources) -> None:
    """A sandbox process may be under the control of its image."""
    path = f"{uuid4().hex}/a.jpg"
    target = TARGET.model_copy(update={"variants": ("avif",)})
    variants = OutputVariants(resources.store, path, target, "0f")
    sent = Converted(b"12345", "jpeg", (1, 1), 0, "", (Variant("avif", b"12345"), Variant("webp", b"1")))

    assert await variants.put(sent, max_bytes=5) == {"avif": 0}
    for each in ("avif", "webp"):
        assert await resources.store.head(keys.variant(each, path)) is None
