"""Lists of previews for people."""

import pytest

from imageconverter import keys
from imageconverter.previews.index import PreviewIndex
from imageconverter.previews.listing import Context, PreviewListing
from imageconverter.resources import Resources
from tests.previews.test_index import LARGE, SMALL, key_of, put


@pytest.fixture
def listing(resources: Resources) -> PreviewListing:
    """Lists of the index of the real Redis."""
    return PreviewListing(resources.redis, retry_timeout=20)


async def test_the_keys_that_were_accessed_last_come_first(
    index: PreviewIndex, listing: PreviewListing, resources: Resources
) -> None:
    """In pages, with what is stored of each."""
    for number in range(5):
        await put(index, key_of(number), context=f"c{number % 2}", source=100, small=20, large=300)
        await resources.redis.zincrby(keys.PREVIEW_IDS, 60_000 * (number - 5), keys.preview_id(key_of(number)))
    first = await listing.recent(start=0, size=3)
    last = await listing.recent(start=first.cursor, size=3)

    assert [each.group.key for each in first.items] == [key_of(4), key_of(3), key_of(2)]
    assert [each.group.key for each in last.items] == [key_of(1), key_of(0)]
    assert (first.cursor, last.cursor) == (3, 0)
    newest = first.items[0]
    assert (newest.group.bytes, newest.group.contexts) == (420, frozenset({"c0"}))
    assert newest.group.previews.keys() == {SMALL, LARGE}
    assert [round(each.idle / 60) for each in first.items] == [1, 2, 3]


async def test_looking_is_no_access(index: PreviewIndex, listing: PreviewListing) -> None:
    """Otherwise a list of all keys would keep them from eviction."""
    for number in range(3):
        await put(index, key_of(number))
    await listing.recent(start=0, size=10)
    await listing.search(key_of(0), context="", start=0, size=10)
    page = await listing.recent(start=0, size=10)

    assert [each.group.key for each in page.items] == [key_of(2), key_of(1), key_of(0)]


async def test_keys_are_found_by_a_part_and_by_context(index: PreviewIndex, listing: PreviewListing) -> None:
    """Also hashes, which are stored in another form; the whole key comes first."""
    for number in range(300):
        await put(index, f"file-{number}", context="docs" if number < 7 else "mail")
        await put(index, key_of(number), context="mail")
    whole = await listing.search("file-29", context="", start=0, size=100)
    part_of_hash = await listing.search(key_of(17)[3:40], context="", start=0, size=100)
    of_context = await listing.search("", context="docs", start=0, size=100)

    assert whole.items[0].group.key == "file-29"
    assert {each.group.key for each in whole.items} == {"file-29", *(f"file-{290 + n}" for n in range(10))}
    assert [each.group.key for each in part_of_hash.items] == [key_of(17)]
    assert {each.group.key for each in of_context.items} == {f"file-{number}" for number in range(7)}
    assert (await listing.search("nothing", context="", start=0, size=100)) == ([], 0)


async def test_a_search_of_many_keys_is_continued(index: PreviewIndex, listing: PreviewListing) -> None:
    """Each key is found exactly once by following the cursor."""
    for number in range(500):
        await put(index, f"file-{number}")
    found, cursor = [], 0
    while True:
        page = await listing.search("file", context="", start=cursor, size=20)
        found += [each.group.key for each in page.items]
        cursor = page.cursor
        assert len(page.items) < 200
        if not cursor:
            break

    assert sorted(found) == sorted(f"file-{number}" for number in range(500))


async def test_contexts_are_listed_while_keys_have_them(index: PreviewIndex, listing: PreviewListing) -> None:
    """The one with most keys first."""
    for number in range(3):
        await put(index, key_of(number), context="many")
    await put(index, key_of(0), context="few")
    before = await listing.contexts()
    await index.remove(key_of(0))

    assert before == [Context("many", 3), Context("few", 1)]
    assert await listing.contexts() == [Context("many", 2)]
