"""Catalogs that clients have sent: all of their bytes, or nothing."""

from collections.abc import AsyncIterator

import pytest

from imageconverter import keys
from imageconverter.catalog import pending_imports
from imageconverter.catalog.pending_imports import PendingImport, discard, list_pending, read_parts, receive
from imageconverter.errors import NotFound
from imageconverter.resources import Resources
from imageconverter.storage.store import ObjectStore


@pytest.fixture
async def store(resources: Resources) -> ObjectStore:
    """The tests' bucket without pending imports."""
    async for page in resources.store.list(keys.catalog("product")):
        await resources.store.delete(stored.key for stored in page)
    return resources.store


@pytest.fixture
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts of ten bytes."""
    monkeypatch.setattr(pending_imports, "PART_BYTES", 10)


async def sent(*chunks: bytes) -> AsyncIterator[bytes]:
    """Send some chunks."""
    for chunk in chunks:
        yield chunk


async def read(store: ObjectStore, pending: PendingImport) -> bytes:
    """Read all that was received."""
    return b"".join([chunk async for chunk in read_parts(store, pending)])


async def parts(store: ObjectStore) -> list[str]:
    """Return the keys of all parts that are stored."""
    prefix = keys.pending_catalogs("product")
    return [stored.key async for page in store.list(prefix) for stored in page]


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("size", [0, 1, 9, 10, 11, 95])
@pytest.mark.parametrize("chunk", [1, 7, 10, 40])
async def test_what_is_sent_is_read_back(store: ObjectStore, size: int, chunk: int) -> None:
    """Whatever the pieces are that it comes in; also nothing at all."""
    text = bytes(range(size))
    chunks = (text[start : start + chunk] for start in range(0, size, chunk))

    assert await read(store, await receive(store, "product", sent(*chunks), "ndjson")) == text


@pytest.mark.usefixtures("small_parts")
async def test_more_parts_than_ten_are_in_their_order(store: ObjectStore) -> None:
    """Numbers sort as they count."""
    text = bytes(range(240))
    pending = await receive(store, "product", sent(*(text[n : n + 10] for n in range(0, 240, 10))), "ndjson")

    assert len(await parts(store)) > 10
    assert await read(store, pending) == text


async def test_parts_are_large_but_bounded(store: ObjectStore) -> None:
    """So much is in memory at a time, and a catalog of a million lines is a few objects."""
    pending = await receive(store, "product", sent(*[b"x" * 1_000_000] * 20), "ndjson")

    assert len(await parts(store)) == 3
    assert len(await read(store, pending)) == 20_000_000


@pytest.mark.usefixtures("small_parts")
async def test_a_client_that_ends_early_has_sent_nothing(store: ObjectStore) -> None:
    """Its parts are no catalog, even before they are swept."""

    async def breaking_off() -> AsyncIterator[bytes]:
        yield b"0123456789"
        yield b"0123456789"
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await receive(store, "product", breaking_off(), "ndjson")
    (first, *_) = await parts(store)
    pending = first.removeprefix(keys.pending_catalogs("product")).partition("/")[0]
    assert await list_pending(store) == []
    with pytest.raises(NotFound):
        await read(store, PendingImport("product", pending, "ndjson"))


@pytest.mark.usefixtures("small_parts")
async def test_what_was_discarded_is_gone(store: ObjectStore) -> None:
    """And what others have sent is not."""
    one = await receive(store, "product", sent(b"0123456789", b"0"), "ndjson")
    other = await receive(store, "product", sent(b"another"), "ndjson")
    await discard(store, one)
    await discard(store, one)

    with pytest.raises(NotFound):
        await read(store, one)
    assert await read(store, other) == b"another"


@pytest.mark.usefixtures("small_parts")
@pytest.mark.parametrize("lost", [[0], [1], [2], [3], [0, 1], [2, 3], [0, 1, 2], [1, 2, 3]])
async def test_what_is_not_there_whole_is_gone(store: ObjectStore, lost: list[int]) -> None:
    """Half a catalog, discarded or swept in part, would make half of the images unused."""
    pending = await receive(store, "product", sent(*[b"0123456789"] * 3, b"end"), "ndjson")
    found = await parts(store)
    assert len(found) == 4
    await store.delete(found[number] for number in lost)

    with pytest.raises(NotFound):
        await read(store, pending)


async def test_types_have_their_own(store: ObjectStore) -> None:
    """A catalog of products is none of categories."""
    pending = await receive(store, "product", sent(b"1"), "ndjson")
    with pytest.raises(NotFound):
        [_ async for _ in read_parts(store, pending._replace(kind="category"))]


@pytest.mark.usefixtures("small_parts")
async def test_what_was_received_whole_waits_until_it_is_discarded(store: ObjectStore) -> None:
    """With its type and notation, so that the import can be enqueued again after Redis has lost it."""
    one = await receive(store, "product", sent(b"0123456789", b"0"), "csv")
    other = await receive(store, "category", sent(b"1"), "ndjson")

    assert set(await list_pending(store)) >= {one, other}
    await discard(store, one)
    await discard(store, other)
    assert {one, other} & set(await list_pending(store)) == set()
