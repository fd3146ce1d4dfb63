"""The index of previews: what strangers may add to a group, and what is forgotten."""

from imageconverter.previews.index import PreviewIndex
from imageconverter.resources import Resources
from tests.previews.test_index import SMALL, A, B, assert_exact, key_of, preview, put


async def test_a_group_has_a_bounded_number_of_contexts(index: PreviewIndex, resources: Resources) -> None:
    """Clients need no key to send another one with every request."""
    await put(index, key_of(1), context="first", small=10)
    added = 0
    for number in range(300):
        group = await index.find(key_of(1), context=str(number))
        assert group is not None
        added += group.context_added

    found = await index.find(key_of(1), context="299")
    assert found is not None
    assert len(found.contexts) == 1 + added == 256
    assert await index.count("299") == 0
    await assert_exact(index, resources.redis)


async def test_a_missing_preview_is_forgotten(index: PreviewIndex, resources: Resources) -> None:
    """With its bytes; not if it was made again meanwhile."""
    await put(index, key_of(1), small=10)

    assert not await index.forget(key_of(1), B, SMALL, preview(10))
    assert not await index.forget(key_of(1), A, SMALL, preview(11))
    assert await index.forget(key_of(1), A, SMALL, preview(10))
    found = await index.find(key_of(1))
    assert found is not None
    assert (found.previews, found.bytes) == ({}, 100)
    await assert_exact(index, resources.redis)


async def test_nothing_is_marked_as_written_beyond_a_number_of_bytes(index: PreviewIndex) -> None:
    """Of all previews together."""
    await put(index, key_of(1), small=10)
    total = (await index.totals()).bytes

    assert not await index.mark_pending_write(key_of(2), max_bytes=total - 1)
    assert await index.in_use(key_of(2)) == (None, False)
    assert await index.mark_pending_write(key_of(2), max_bytes=total)
    assert await index.in_use(key_of(2)) == (None, True)
