"""Variants are parts of their output: they are deleted with it, and nothing else shows them."""

from uuid import uuid4

import pytest

from imageconverter import keys
from imageconverter.images import directories
from imageconverter.images.deletion import delete_images
from imageconverter.images.listing import list_page
from imageconverter.images.variants import delete_orphans, variant_sizes
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore
from tests.testing.shop import make_format


async def put(store: ObjectStore, path: str) -> None:
    """Store an output with its variants."""
    metadata = {"made-of": "0f", "variants": "avif=4 webp=4"}
    for key in (keys.variant("avif", path), keys.variant("webp", path), keys.target(path)):
        await store.put(key, b"data", content_type="image/jpeg", metadata=metadata)


async def variants(store: ObjectStore, path: str) -> int:
    """Return how many variants there are for an output."""
    return sum([await store.head(keys.variant(each, path)) is not None for each in ("avif", "webp")])


@pytest.fixture
def directory() -> str:
    """A directory of the target tree."""
    return f"variants {uuid4().hex}"


@pytest.mark.parametrize(
    ("recorded", "sizes"),
    [
        ("avif=12 webp=0", {"avif": 12, "webp": 0}),
        ("webp=7", {"webp": 7}),
        ("jxl=5 webp=7", {"webp": 7}),
        ("", {}),
        ("avif webp=-1 =5 avif=\u0663", {}),
    ],
)
def test_only_what_is_recorded_counts(recorded: str, sizes: dict[str, int]) -> None:
    """Other programs may have stored anything, and later releases may have other types."""
    assert variant_sizes({"variants": recorded}) == sizes


async def test_variants_are_deleted_with_their_output(resources: Resources, directory: str) -> None:
    """By name; those of other images stay."""
    store = resources.store
    for name in ("a.jpg", "b.jpg"):
        await put(store, f"{directory}/{name}")
    assert await delete_images(store, ["a.jpg"], [make_format("small", "jpeg", target_directory=directory)]) == 1

    assert await variants(store, f"{directory}/a.jpg") == 0
    assert await variants(store, f"{directory}/b.jpg") == 2
    await directories.remove(store, "target", directory)


async def test_variants_are_deleted_with_their_directory(resources: Resources, directory: str) -> None:
    """One whose name begins alike stays; listings have outputs only."""
    store, other = resources.store, f"{directory} 2"
    for path in (f"{directory}/below/a.jpg", f"{other}/a.jpg"):
        await put(store, path)
    page = await list_page(store, "target", directory, after="", size=10, recursive=True)
    assert [each.key for each in page.files] == [keys.target(f"{directory}/below/a.jpg")]
    await directories.remove(store, "target", directory)

    assert await variants(store, f"{directory}/below/a.jpg") == 0
    assert await variants(store, f"{other}/a.jpg") == 2
    await directories.remove(store, "target", other)


async def test_only_variants_without_an_output_are_orphans(resources: Resources, directory: str) -> None:
    """As of files that are deleted from the trash, while others have their names."""
    store, paths = resources.store, [f"{directory}/a.jpg", f"{directory}/b.jpg"]
    for path in paths:
        await put(store, path)
    await store.delete([keys.target(paths[0])])
    await delete_orphans(store, paths)

    assert [await variants(store, path) for path in paths] == [0, 2]
    await directories.remove(store, "target", directory)
