"""Unchanged sources of formats with variants: a run finds what is missing of them, too."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.images.conversions import ConversionJob, made_output, output_specs
from imageconverter.images.image_formats import ImageFormat
from imageconverter.images.output_index import MadeOutput, OutputIndex
from imageconverter.images.variants import variants_metadata
from imageconverter.resources import Resources
from imageconverter.runs.dry_runs import dry_run
from imageconverter.runs.run import Batch, Run
from imageconverter.storage.store import StoredObject
from tests.runs.test_unchanged import NAMES, RUN, Shop

KEPT = "07.png"  # of the others no WebP was smaller


class VariedShop(Shop):
    """A shop whose only format has variants."""

    def variant(self, kind: str, name: str) -> str:
        """Return the key of a variant."""
        return keys.variant(kind, f"{self.directory}/varied/{name}")

    async def put_output(self, source: StoredObject) -> MadeOutput:
        """Store output and variants of a source, as a run does."""
        job = ConversionJob(id="", source_key=source.key, outputs=output_specs(source.key, self.formats), run_id=RUN)
        (spec,) = job.outputs
        name = source.key.rpartition("/")[2]
        metadata = job.object_metadata(source.etag, spec, (1, 1), "")
        sizes = {"avif": 4, "webp": 4 if name == KEPT else 0}
        for kind in (kind for kind, size in sizes.items() if size):
            made_of = {"made-of": metadata["made-of"]}
            await self.resources.store.put(self.variant(kind, name), b"data", content_type="a/b", metadata=made_of)
        metadata |= variants_metadata({"avif": 4, "webp": sizes["webp"]})
        key = keys.target(spec.expected_path)
        etag = await self.resources.store.put(key, b"output", content_type="image/png", metadata=metadata)
        return made_output(spec.expected_path, etag, metadata)


@pytest.fixture
async def shop(resources: Resources) -> AsyncIterator[VariedShop]:
    """Forty sources that were converted, with an output index."""
    directory = f"unchanged variants {uuid4().hex}"
    varied = ImageFormat(
        id="varied",
        name="varied",
        type="product",
        target_directory=f"{directory}/varied",
        max_width=8,
        max_height=8,
        variants=("avif", "webp"),
    )
    shop = VariedShop(resources, directory, [varied])
    await shop.put(*NAMES)
    made = await asyncio.gather(*map(shop.put_output, await shop.sources()))
    await OutputIndex(resources.store).add(made)
    yield shop
    await directories.remove(resources.store, "target", directory)
    for prefix in (f"source/{directory}/", keys.output_index(varied.target_directory)):
        await resources.store.delete([each.key async for page in resources.store.list(prefix) for each in page])


async def to_make(shop: VariedShop) -> int:
    """Return how many outputs a dry run says that a run would make."""
    run = Run(
        id="dry", action="", batches=(Batch(directory=shop.directory, formats=tuple(shop.formats)),), formats=()
    )
    found = await dry_run(run, shop.resources.store, cursor="", max_requests=10_000, seconds=60)
    (counts,) = found.outputs.values()
    return counts["make"] + counts["not_an_image"]


async def test_sources_with_all_variants_are_unchanged(shop: VariedShop) -> None:
    """Also if some were not smaller, and are not kept; and if the format wants fewer than there are."""
    assert await shop.unchanged() == NAMES
    assert await shop.unchanged([shop.formats[0].model_copy(update={"variants": ()})]) == NAMES
    assert await to_make(shop) == 0


async def test_an_added_variant_is_seen(shop: VariedShop) -> None:
    """Those outputs were made before the format had it."""
    kept = [shop.formats[0].model_copy(update={"variants": ("avif",)})]
    path = keys.target(f"{shop.directory}/varied/{KEPT}")
    stored = await shop.resources.store.head(path)
    assert stored is not None
    metadata = {**stored.metadata, "variants": "avif=4"}
    etag = await shop.resources.store.put(path, b"output", content_type="image/png", metadata=metadata)
    directory, output_index = f"{shop.directory}/varied", OutputIndex(shop.resources.store)
    entries = await output_index.find(directory, NAMES)
    entries[KEPT] = made_output(path, etag, metadata).indexed
    await output_index.add(MadeOutput(f"{directory}/{name}", entry) for name, entry in entries.items())

    assert await shop.unchanged(kept) == NAMES
    assert await shop.unchanged() == NAMES - {KEPT}
    assert await to_make(shop) == 1


Change = Callable[[VariedShop], Awaitable[object]]


async def _delete(shop: VariedShop) -> None:
    await shop.resources.store.delete([shop.variant("webp", KEPT)])


async def _truncate(shop: VariedShop) -> None:
    await shop.resources.store.put(shop.variant("avif", KEPT), b"cut", content_type="image/avif")


@pytest.mark.parametrize("change", [_delete, _truncate])
async def test_a_lost_variant_is_seen(shop: VariedShop, change: Change) -> None:
    """Another program has deleted or overwritten it; a run makes it again."""
    await change(shop)

    assert await shop.unchanged() == NAMES - {KEPT}
    assert await to_make(shop) == 1
