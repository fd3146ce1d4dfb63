"""Staged uploads."""

import pytest

from imageconverter.engine import Limits
from imageconverter.errors import InvalidFileFormat, InvalidValue, StoreUnavailable
from imageconverter.images import uploads
from imageconverter.images.uploads import UploadedImage
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore
from tests.conftest import storage_settings
from tests.testing import image_files


def test_image_is_checked_by_its_bytes_not_by_its_name() -> None:
    """A text called .png is refused, a PNG called .txt is not."""
    with pytest.raises(InvalidFileFormat):
        uploads.check(UploadedImage("text.png", b"just some words, no image"), Limits())

    assert uploads.check(UploadedImage("odd.txt", image_files.png()), Limits()).name == "odd.txt"


def test_image_over_the_pixel_limit_is_an_invalid_value() -> None:
    """The header is enough."""
    with pytest.raises(InvalidValue, match="megapixels"):
        uploads.check(UploadedImage("large.png", image_files.png(size=(200, 200))), Limits(pixels=39_999))


async def test_images_of_one_upload_are_stored_in_one_new_directory(resources: Resources) -> None:
    """The directory's name is twelve hex digits, another one each time."""
    two = [UploadedImage("a.png", b"A"), UploadedImage("ä.png", b"B")]
    first, second = await uploads.stage(resources.store, two), await uploads.stage(resources.store, two)
    stored = await resources.store.get(f"source/{first}/ä.png")

    assert first != second
    assert first.removeprefix("upload/").isalnum()
    assert len(first) == len("upload/") + 12
    assert stored is not None
    assert bytes(stored.data) == b"B"


async def test_upload_that_cannot_be_stored_raises_the_error_of_the_store(servers: dict[str, str]) -> None:
    """The error is the store's own, not a group of errors."""
    no_bucket = ObjectStore(storage_settings(servers, bucket="not-there"))

    with pytest.raises(StoreUnavailable):
        await uploads.stage(no_bucket, [UploadedImage("a.png", b"A"), UploadedImage("b.png", b"B")])


async def test_sweep_deletes_only_old_uploads(resources: Resources) -> None:
    """Only uploads are swept, and only after their hours."""
    path = await uploads.stage(resources.store, [UploadedImage("a.png", b"A")])
    await resources.store.put("source/kept/a.png", b"A", content_type="image/png")

    await uploads.sweep(resources.store, hours=1)
    assert await resources.store.get(f"source/{path}/a.png") is not None

    swept = await uploads.sweep(resources.store, hours=-1)
    assert swept >= 1
    assert await resources.store.get(f"source/{path}/a.png") is None
    assert await resources.store.get("source/kept/a.png") is not None
