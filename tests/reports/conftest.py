"""A bucket of their own for the tests of reports, empty before each."""

from pathlib import Path

import pytest

from imageconverter.reports import ranges
from imageconverter.resources import wait_for_bucket
from imageconverter.storage.store import ObjectStore
from tests.conftest import storage_settings
from tests.testing.shop import Shop


@pytest.fixture(scope="session")
async def bucket(servers: dict[str, str]) -> ObjectStore:
    """Make the bucket."""
    store = ObjectStore(storage_settings(servers, bucket="reports"))
    await wait_for_bucket(store)
    return store


@pytest.fixture
async def store(bucket: ObjectStore) -> ObjectStore:
    """Nothing is in it."""
    for prefix in ("catalog/", "reports/", "trash/", "target/", "variants/", "source/", "facts/", "ranges/"):
        async for page in bucket.list(prefix):
            await bucket.delete(stored.key for stored in page)
    return bucket


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A listing that breaks off is tried again at once."""
    monkeypatch.setattr(ranges, "_PAUSES", (0.0, 0.0))


@pytest.fixture
def shop(store: ObjectStore, tmp_path: Path) -> Shop:
    """A shop without a catalog and without files."""
    return Shop(store, tmp_path)


@pytest.fixture
async def tidy(shop: Shop) -> Shop:
    """A shop of one product, three unused files, and two reports of them, eight days apart."""
    await shop.sells("a.jpg")
    await shop.has("keep/a.jpg", "jpeg/a.jpg", "keep/x.jpg", "keep/y.jpg", "jpeg/x.jpg")
    await shop.report()
    await shop.days_pass(8)
    await shop.report()
    return shop
