"""Deleting many objects of the store."""

from datetime import UTC, datetime, timedelta

import pytest

from imageconverter.resources import Resources
from imageconverter.storage.bulk_delete import delete_below
from imageconverter.storage.store import ObjectStore

PREFIX = "storage/sweep/"
NAMES = ("a", "b/1", "b/2", "c")


@pytest.fixture
async def store(resources: Resources) -> ObjectStore:
    """The tests' bucket, with four objects below the prefix and one beside it."""
    for name in (*(PREFIX + name for name in NAMES), "storage/sweep-not"):
        await resources.store.put(name, b"data", content_type="text/plain")
    return resources.store


async def names(store: ObjectStore) -> set[str]:
    """Return the names of the objects below the prefix."""
    return {each.key.removeprefix(PREFIX) async for page in store.list(PREFIX) for each in page}


async def test_all_objects_below_a_prefix_are_deleted(store: ObjectStore) -> None:
    """And no others."""
    assert await delete_below(store, PREFIX) == 4
    assert await names(store) == set()
    assert await store.head("storage/sweep-not") is not None


async def test_kept_prefixes_are_left_alone(store: ObjectStore) -> None:
    """They are objects or folders."""
    assert await delete_below(store, PREFIX, kept=(PREFIX + "b/", PREFIX + "c")) == 1
    assert await names(store) == {"b/1", "b/2", "c"}


async def test_only_older_objects_are_deleted(store: ObjectStore) -> None:
    """By the time of their last change."""
    now = datetime.now(UTC)

    assert await delete_below(store, PREFIX, before=now - timedelta(minutes=5)) == 0
    assert await names(store) == set(NAMES)
    assert await delete_below(store, PREFIX, before=now + timedelta(minutes=5)) == 4
