"""The object store against a real S3 server, in good times and bad."""

import asyncio
import random
import time

import pytest

from imageconverter.errors import StoreUnavailable
from imageconverter.resources import Resources
from imageconverter.storage import s3_store
from imageconverter.storage.store import ObjectStore
from tests.conftest import storage_settings
from tests.testing.faults import FaultProxy, Mode


@pytest.fixture
async def store(resources: Resources) -> ObjectStore:
    """The tests' bucket."""
    return resources.store


@pytest.fixture
def fragile(servers: dict[str, str], proxy: FaultProxy) -> ObjectStore:
    """The same bucket, reached through the proxy."""
    return ObjectStore(storage_settings(servers, endpoint=f"http://127.0.0.1:{proxy.port}", timeout_seconds=2))


async def test_what_was_put_is_got_back_with_its_type(store: ObjectStore) -> None:
    """Bytes, content type, size and ETag survive."""
    etag = await store.put("storage/a.png", b"some bytes", content_type="image/png")
    opened = await store.open("storage/a.png")

    assert opened is not None
    assert b"".join([chunk async for chunk in opened.chunks]) == b"some bytes"
    assert opened.content_type == "image/png"
    assert opened.stored.size == 10
    assert opened.stored.etag == etag


async def test_a_slow_reader_gets_all_bytes(
    store: ObjectStore, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if it takes several times as long as a request may take."""
    monkeypatch.setattr(s3_store, "_REQUEST_SECONDS", -1)
    brief = ObjectStore(storage_settings(servers, timeout_seconds=2))
    data = random.Random(1).randbytes(24_000_000)  # noqa: S311 - any bytes
    await store.put("storage/large", data, content_type="image/png")
    for span in (None, (1_000_000, 20_000_001)):
        opened = await brief.open("storage/large", span=span)
        assert opened is not None
        received = bytearray()
        async for chunk in opened.chunks:
            received += chunk
            await asyncio.sleep(0.05)
        assert received == (data if span is None else data[slice(*span)])


async def test_an_object_that_is_replaced_while_it_is_read_is_not_mixed(
    store: ObjectStore, servers: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rest of another object is no rest of the first one."""
    monkeypatch.setattr(s3_store, "_REQUEST_SECONDS", -1)
    brief = ObjectStore(storage_settings(servers, timeout_seconds=2))
    await store.put("storage/large", b"a" * 24_000_000, content_type="image/png")
    opened = await brief.open("storage/large")
    assert opened is not None
    received = bytearray(await anext(opened.chunks))
    await store.put("storage/large", b"b" * 24_000_000, content_type="image/png")
    await asyncio.sleep(1.5)

    async def read() -> None:
        async for chunk in opened.chunks:
            received.extend(chunk)

    with pytest.raises(StoreUnavailable):
        await read()
    assert b"b" not in received


async def test_a_part_is_read_by_its_span(store: ObjectStore) -> None:
    """A span counts from the first byte to the one after the last."""
    await store.put("storage/span", b"0123456789", content_type="text/plain")
    opened = await store.open("storage/span", span=(2, 5))

    assert opened is not None
    assert b"".join([chunk async for chunk in opened.chunks]) == b"234"
    assert opened.stored.size == 10


async def test_what_does_not_exist_is_none(store: ObjectStore) -> None:
    """A missing object is an answer, not an error."""
    assert await store.get("storage/missing") is None
    assert await store.head("storage/missing") is None
    assert await store.open("storage/missing") is None


@pytest.mark.parametrize(
    "name",
    ["Screenshot 2025-03-24 222742.png", "a%20b#?.png", "~x*{a}[b]^|.png", "q'\"<>&+;,@$!().png", "日本😀ü.png"],
)
async def test_any_name_a_person_may_choose_is_one_key(store: ObjectStore, name: str) -> None:
    """Nothing is encoded, decoded or folded on the way."""
    key = f"storage/names/{name}"
    await store.put(key, name.encode(), content_type="text/plain")
    listed = [stored.key async for page in store.list("storage/names/") for stored in page]

    found = await store.get(key)
    assert found is not None
    assert bytes(found.data) == name.encode()
    assert key in listed


async def test_a_listing_has_more_than_one_page_and_only_what_is_below_the_prefix(store: ObjectStore) -> None:
    """1,100 objects are more than S3 lists at once."""
    keys = [f"storage/many/{number:04}" for number in range(1100)]
    await asyncio.gather(*(store.put(key, b"x", content_type="text/plain") for key in keys))
    await store.put("storage/many-more", b"x", content_type="text/plain")
    pages = [page async for page in store.list("storage/many/")]
    await store.delete(keys)

    assert len(pages) > 1
    assert [stored.key for page in pages for stored in page] == keys
    assert [page async for page in store.list("storage/many/")] == []


async def test_a_listing_after_a_directory_begins_with_what_is_in_it(store: ObjectStore) -> None:
    """Not behind it."""
    keys = [f"storage/after/{name}" for name in ("a/1", "b/!", "b/2/3", "b/4", "c/5")]
    await asyncio.gather(*(store.put(key, b"x", content_type="text/plain") for key in keys))
    found = [stored.key async for page in store.list("storage/after/", after="storage/after/b/") for stored in page]
    await store.delete(keys)

    assert found == keys[1:]


async def test_a_big_object_goes_up_and_down_whole(store: ObjectStore) -> None:
    """40 MiB take the way of several parts."""
    data = bytes(range(256)) * 4096 * 40
    await store.put("storage/big", data, content_type="application/octet-stream")
    found = await store.get("storage/big")
    await store.delete(["storage/big"])

    assert found is not None
    assert bytes(found.data) == data


async def test_deleting_what_is_not_there_is_no_error(store: ObjectStore) -> None:
    """A sweep may come twice."""
    await store.delete(["storage/never", "storage/was-there"])
    await store.delete([])


async def test_a_bucket_is_made_once_and_then_found(servers: dict[str, str]) -> None:
    """Every role makes sure of the bucket when it starts."""
    fresh = ObjectStore(storage_settings(servers, bucket="made-by-a-test"))
    with pytest.raises(StoreUnavailable):
        await fresh.put("a", b"x", content_type="text/plain")

    await asyncio.gather(fresh.ensure_bucket(), fresh.ensure_bucket())
    await fresh.ensure_bucket()

    await fresh.put("a", b"x", content_type="text/plain")


async def test_wrong_credentials_raise_store_unavailable(servers: dict[str, str]) -> None:
    """Not as a missing object, which would be taken for the truth."""
    stranger = ObjectStore(storage_settings(servers, secret_key="wrong"))

    with pytest.raises(StoreUnavailable):
        await stranger.get("storage/a.png")
    with pytest.raises(StoreUnavailable):
        await stranger.ensure_bucket()


@pytest.mark.slow
@pytest.mark.parametrize("mode", [Mode.REFUSE, Mode.BLACK_HOLE])
async def test_every_verb_ends_in_time_when_the_store_is_away(
    fragile: ObjectStore, proxy: FaultProxy, mode: Mode
) -> None:
    """With a limit of two seconds each verb fails well before five, and works again afterwards."""
    await fragile.put("storage/fragile", b"x", content_type="text/plain")
    proxy.fail(mode)
    began = time.monotonic()

    async def list_some() -> None:
        async for _ in fragile.list("storage/"):
            pass

    verbs = [
        fragile.put("storage/fragile", b"y", content_type="text/plain"),
        fragile.get("storage/fragile"),
        fragile.head("storage/fragile"),
        fragile.open("storage/fragile"),
        fragile.delete(["storage/fragile"]),
        list_some(),
        fragile.head("storage/none"),
        fragile.ensure_bucket(),
    ]
    outcomes = await asyncio.gather(*verbs, return_exceptions=True)
    took = time.monotonic() - began
    proxy.fail(Mode.PASS)

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(verbs)
    assert took < 5
    assert await fragile.get("storage/fragile") is not None


async def test_a_download_that_stops_half_way_ends_in_time(fragile: ObjectStore, proxy: FaultProxy) -> None:
    """A stream has a deadline for each chunk."""
    await fragile.put("storage/half", bytes(30_000_000), content_type="text/plain")
    opened = await fragile.open("storage/half")
    assert opened is not None
    await anext(opened.chunks)
    proxy.fail(Mode.BLACK_HOLE)

    with pytest.raises(StoreUnavailable):
        async for _ in opened.chunks:
            pass
