"""The memory cache of one gateway."""

import pytest

from imageconverter.previews import parse
from imageconverter.previews.memory_cache import MemoryCache, ServedPreview

SMALL = parse("auto:200x150")


def preview(size: int) -> ServedPreview:
    """Return a preview of *size* bytes, with its size as the ETag."""
    return ServedPreview(bytes(size), "image/png", f"{size}", from_cache=True, format=SMALL)


@pytest.fixture
def cache() -> MemoryCache:
    """Return a cache of 100 bytes."""
    return MemoryCache(max_bytes=100, seconds=60)


def test_the_least_recently_used_preview_is_evicted(cache: MemoryCache) -> None:
    """Reading one counts as use."""
    cache.put("a", SMALL, "", preview(40))
    cache.put("b", SMALL, "", preview(40))
    assert cache.get_fresh("a", SMALL, "")
    cache.put("c", SMALL, "", preview(50))

    assert cache.get_fresh("a", SMALL, "")
    assert cache.get_fresh("b", SMALL, "") is None
    assert cache.get_fresh("c", SMALL, "")


def test_as_many_are_evicted_as_a_large_preview_needs(cache: MemoryCache) -> None:
    """Also those that were just read."""
    for name in "ab":
        cache.put(name, SMALL, "", preview(50))
        assert cache.get_fresh(name, SMALL, "")
    cache.put("c", SMALL, "", preview(100))

    assert [name for name in "abc" if cache.get_fresh(name, SMALL, "")] == ["c"]


def test_a_preview_larger_than_the_cache_replaces_its_predecessor_only(cache: MemoryCache) -> None:
    """An outdated preview must not be served instead."""
    cache.put("a", SMALL, "", preview(40))
    cache.put("b", SMALL, "", preview(40))
    cache.put("a", SMALL, "", preview(101))

    assert cache.get_fresh("a", SMALL, "") is None
    assert cache.get_fresh("b", SMALL, "")


def test_a_replaced_preview_frees_its_bytes(cache: MemoryCache) -> None:
    """Replacing one over and over evicts nothing."""
    cache.put("a", SMALL, "", preview(10))
    for size in (90, 80, 90):
        cache.put("b", SMALL, "", preview(size))

    assert cache.get_fresh("a", SMALL, "")


def test_an_entry_belongs_to_one_key_format_and_context(cache: MemoryCache) -> None:
    """Others have to look it up."""
    cache.put("a", SMALL, "context", preview(1))

    assert cache.get_fresh("a", SMALL, "context")
    assert cache.get_fresh("b", SMALL, "context") is None
    assert cache.get_fresh("a", parse("auto:800x800"), "context") is None
    assert cache.get_fresh("a", SMALL, "") is None


def test_an_old_entry_is_found_by_its_etag_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is fresh for as many seconds as are set."""
    now = 1000.0
    monkeypatch.setattr("imageconverter.previews.memory_cache.time.monotonic", lambda: now)
    cache = MemoryCache(max_bytes=100, seconds=2)
    cache.put("a", SMALL, "", preview(50))
    now = 1002.0
    assert cache.get_fresh("a", SMALL, "")
    now = 1002.5

    assert cache.get_fresh("a", SMALL, "") is None
    assert cache.get_by_etag("a", SMALL, "", "50")
    assert cache.get_by_etag("a", SMALL, "", "51") is None


def test_a_key_is_invalidated_in_all_formats_and_contexts(cache: MemoryCache) -> None:
    """Without a key, everything is."""
    cache.put("a", SMALL, "", preview(1))
    cache.put("a", parse("auto:800x800"), "context", preview(1))
    cache.put("b", SMALL, "", preview(1))
    cache.invalidate("a")

    assert cache.get_by_etag("a", SMALL, "", "1") is None
    assert cache.get_by_etag("a", parse("auto:800x800"), "context", "1") is None
    assert cache.get_fresh("b", SMALL, "")
    cache.invalidate()
    assert cache.get_fresh("b", SMALL, "") is None
